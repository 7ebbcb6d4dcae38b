// SPDX-License-Identifier: Apache-2.0

//! The schedule over its whole life, with the figures of the main network.

use crate::schedule::{divide, maximum, node_maximum};
use proptest::prelude::*;
use sp_runtime::Permill;

const UNIT: u128 = 1_000_000_000_000;
const CAP: u128 = 1_000_000_000 * UNIT;
const RESERVE: u128 = 400_000_000 * UNIT;
/// Eras of six hours.
const ERAS_PER_YEAR: u32 = 1_460;

/// Runs the schedule until an era releases nothing. Returns what each year released, and the number of
/// eras.
fn run(rate: Permill) -> (Vec<u128>, u64) {
	let (mut left, mut last, mut eras) = (RESERVE, u128::MAX, 0u64);
	let mut years = Vec::new();
	loop {
		let mut year = 0;
		for _ in 0..ERAS_PER_YEAR {
			let released = maximum(left, rate, ERAS_PER_YEAR);
			assert!(released <= last, "no era releases more than the one before");
			(left, last) = (left - released, released);
			year += released;
			eras += u64::from(released > 0);
		}
		if year == 0 {
			assert_eq!(years.iter().sum::<u128>() + left, RESERVE);
			return (years, eras);
		}
		years.push(year);
	}
}

#[test]
fn the_whole_schedule_and_the_genesis_stay_within_the_cap() {
	let genesis = CAP - RESERVE;
	for percent in [1, 10, 25] {
		let (years, eras) = run(Permill::from_percent(percent));
		let emitted: u128 = years.iter().sum();
		assert!(emitted <= RESERVE);
		assert!(genesis + emitted <= CAP);
		// All but dust is released in the end: an era stops where its part rounds to nothing.
		let dust = u128::from(ERAS_PER_YEAR) * 100 / u128::from(percent);
		assert!(RESERVE - emitted <= dust, "{} are left", RESERVE - emitted);
		assert!(eras > 100 * u64::from(ERAS_PER_YEAR), "it lasts longer than a hundred years");
	}
}

#[test]
fn years_decline_by_the_rate() {
	let (years, _) = run(Permill::from_percent(10));
	// docs/economy.md: 10 % a year in 1,460 steps leaves 90.48 % of what was there.
	assert_eq!(years[0] / UNIT, 38_066_272);
	for (this, next) in years.iter().zip(&years[1..60]) {
		let kept = next * 1_000_000 / this;
		assert!((904_800..=904_850).contains(&kept), "{kept} of a million");
	}
}

#[test]
fn the_first_era_of_the_main_network() {
	// docs/economy.md.
	let first = maximum(RESERVE, Permill::from_percent(10), ERAS_PER_YEAR);
	assert_eq!(first, 27_397_260_273_972_602);
	assert_eq!(node_maximum(first, Permill::from_percent(70)), 19_178_082_191_780_821);
	let budget = divide(first, Permill::from_percent(70), Permill::from_percent(50), 30_000 * UNIT);
	assert_eq!(budget.nodes, 15_000 * UNIT);
	assert_eq!(budget.validators, 8_219_178_082_191_781);
}

proptest! {
	#[test]
	fn no_sequence_of_rates_releases_more_than_the_reserve(
		reserve in any::<u64>(),
		steps in prop::collection::vec((0u32..=1_000_000, 1u32..2_000), 0..400),
	) {
		let mut left = u128::from(reserve);
		let mut released = 0u128;
		for (rate, eras) in steps {
			let era = maximum(left, Permill::from_parts(rate), eras);
			prop_assert!(era <= left);
			left -= era;
			released += era;
		}
		prop_assert_eq!(released + left, u128::from(reserve));
	}

	#[test]
	fn both_parts_are_at_most_what_an_era_releases(
		era in any::<u64>(),
		share in 0u32..=1_000_000,
		rebate in 0u32..=1_000_000,
		burned in any::<u64>(),
	) {
		let (era, burned) = (u128::from(era), u128::from(burned));
		let (share, rebate) = (Permill::from_parts(share), Permill::from_parts(rebate));
		let budget = divide(era, share, rebate, burned);
		prop_assert!(budget.nodes + budget.validators <= era);
		prop_assert!(budget.nodes <= rebate * burned + 1);
		prop_assert_eq!(budget.validators, divide(era, share, rebate, 0).validators);
	}
}
