// SPDX-License-Identifier: Apache-2.0

//! Laws of the election, on random candidates and random lives of a chain.

use crate::{mock::*, Sessions};
use proptest::prelude::*;

/// A stake and what its node burned.
fn backing() -> impl Strategy<Value = (u64, u64)> {
	(0u64..1 << 40, prop_oneof![Just(0u64), 0u64..1 << 30, any::<u64>()])
}

/// What can happen to a chain.
#[derive(Clone, Debug)]
enum Step {
	Register(u64, u64),
	BondMore(u64, u64),
	Unbond(u64, u64),
	Withdraw(u64),
	Chill(u64),
	Stand(u64),
	Leave(u64),
	Purge(u64),
	Equivocate(u64, u64),
	Cancel(u32),
	Author(u64, u32),
	Count(u32, u32),
	Session,
	Era,
}

fn step() -> impl Strategy<Value = Step> {
	let who = 1u64..10;
	prop_oneof![
		(who.clone(), 900u64..9_000).prop_map(|(who, bond)| Step::Register(who, bond)),
		(who.clone(), 0u64..5_000).prop_map(|(who, amount)| Step::BondMore(who, amount)),
		(who.clone(), 0u64..12_000).prop_map(|(who, amount)| Step::Unbond(who, amount)),
		who.clone().prop_map(Step::Withdraw),
		who.clone().prop_map(Step::Chill),
		who.clone().prop_map(Step::Stand),
		who.clone().prop_map(Step::Leave),
		who.clone().prop_map(Step::Purge),
		(who.clone(), 0u64..20).prop_map(|(who, slot)| Step::Equivocate(who, slot)),
		(0u32..6).prop_map(Step::Cancel),
		(who, 0u32..90).prop_map(|(who, blocks)| Step::Author(who, blocks)),
		(0u32..9, 0u32..9).prop_map(|(most, least)| Step::Count(most, least)),
		Just(Step::Session),
		Just(Step::Session),
		Just(Step::Era),
	]
}

/// Those with keys in the set that is planned.
fn keyed() -> Vec<u64> {
	let planned = Session::queued_keys().into_iter().map(|(who, _)| who);
	planned.filter(<Session as Sessions>::has_keys).collect()
}

fn take(step: Step) {
	let by = RuntimeOrigin::signed;
	// Most of these are refused at most times; what matters is what they leave.
	let _ = match step {
		Step::Register(who, bond) => register(who, bond),
		Step::BondMore(who, amount) => Validators::bond_more(by(who), amount),
		Step::Unbond(who, amount) => Validators::unbond(by(who), amount),
		Step::Withdraw(who) => Validators::withdraw_unbonded(by(who)),
		Step::Chill(who) => Validators::chill(by(who)),
		Step::Stand(who) => Validators::stand(by(who)),
		Step::Leave(who) => Validators::leave(by(who)),
		Step::Purge(who) => Validators::purge_keys(by(who)),
		Step::Equivocate(who, slot) => {
			// Only members of the running set can.
			if Session::validators().contains(&who) {
				let _ = equivocate(who, slot);
			}
			Ok(())
		}
		Step::Cancel(id) => Validators::cancel_slash(RuntimeOrigin::root(), id),
		Step::Author(who, blocks) => {
			author(who, blocks);
			Ok(())
		}
		Step::Count(most, least) => {
			ValidatorCount::set(most);
			MinCount::set(least);
			Ok(())
		}
		Step::Session => {
			next_session();
			Ok(())
		}
		Step::Era => {
			next_era();
			Ok(())
		}
	};
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(256))]

	#[test]
	fn more_stake_never_lowers_a_score((stake, burned) in backing(), more in 1u64..1 << 30) {
		prop_assert!(Validators::score(stake + more, burned) > Validators::score(stake, burned));
	}

	#[test]
	fn more_burn_never_lowers_a_score((stake, burned) in backing(), more in any::<u64>()) {
		let other = burned.saturating_add(more);
		prop_assert!(Validators::score(stake, other) >= Validators::score(stake, burned));
	}

	#[test]
	fn a_score_is_between_the_stake_and_twice_the_stake((stake, burned) in backing()) {
		prop_assert!((stake..=2 * stake).contains(&Validators::score(stake, burned)));
	}

	#[test]
	fn two_identities_have_no_more_than_one_with_all_of_theirs(
		(stake, burned) in (0u64..1 << 40, 0u64..1 << 40),
		(other_stake, other_burned) in (0u64..1 << 40, 0u64..1 << 40),
	) {
		let apart =
			Validators::score(stake, burned) + Validators::score(other_stake, other_burned);
		prop_assert!(apart <= Validators::score(stake + other_stake, burned + other_burned));
	}

	#[test]
	fn a_boost_costs_its_price((stake, burned) in (1u64..1 << 40, 0u64..1 << 40)) {
		// At a hundredth for each unit, what was burned is at least that part of what it added.
		prop_assert!(burned * 100 >= Validators::boost(stake, burned));
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn whatever_happens_there_are_validators_and_every_law_holds(
		steps in prop::collection::vec(step(), 1..60)
	) {
		ValidatorCount::set(4);
		MinCount::set(2);
		let mut chain = TestExt::default().validators(3);
		for who in 4..10 {
			chain = chain.with_keys(who, 20_000);
		}
		chain.build_and_execute(|| {
			for step in steps {
				take(step);
				Validators::do_try_state().expect("the invariants hold");
				assert!(!Session::validators().is_empty());
				assert!(!keyed().is_empty());
				let set = Validators::next_set();
				assert!(set.len() <= SET as usize, "{set:?}");
				let able = |who: &u64| <Session as Sessions>::has_keys(who);
				assert!(!set.is_empty() || !Session::validators().iter().any(able));
				assert!(set.iter().all(able));
			}
		});
	}
}
