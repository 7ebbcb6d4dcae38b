// SPDX-License-Identifier: Apache-2.0

//! A runtime with two parameters.

use crate as pallet_tensornet_governance;
use crate::{EnsureBounded, Error, Measure, Origin, Pace, ParameterBounds, ParameterInfo, Unit};
use frame_support::{
	assert_err, assert_noop, assert_ok, derive_impl,
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	traits::{EnsureOriginWithArg, Get},
};
use frame_system::{EnsureRoot, EnsureSigned};
use sp_io::TestExternalities;
use sp_runtime::{traits::BadOrigin, BuildStorage, DispatchError};

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Parameters: pallet_parameters,
		Governance: pallet_tensornet_governance,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
}

#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Test>)]
pub mod dynamic_params {
	use super::*;

	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod market {
		#[codec(index = 0)]
		pub static Floor: u128 = 5;
		#[codec(index = 1)]
		pub static Window: u32 = 20;
	}
}
use dynamic_params::market;

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		floor(Some(6))
	}
}

impl pallet_parameters::Config for Test {
	type AdminOrigin = EnsureBounded<RuntimeOrigin>;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type WeightInfo = ();
}

pub struct Bounds;
impl ParameterBounds<RuntimeParameters> for Bounds {
	fn allows(key_value: &RuntimeParameters) -> bool {
		let RuntimeParameters::Market(parameter) = key_value;
		match parameter {
			market::Parameters::Floor(_, value) => value.is_none_or(|v| (2..=9).contains(&v)),
			market::Parameters::Window(_, value) => value.is_none_or(|v| (10..=30).contains(&v)),
		}
	}

	fn all() -> Vec<ParameterInfo> {
		vec![ParameterInfo {
			name: b"market.Floor".to_vec(),
			unit: Unit::Plancks,
			current: market::Floor::get().measure(),
			least: 2,
			most: 9,
		}]
	}
}

impl crate::Config for Test {
	type Bounds = Bounds;
	type ParameterOrigin = EnsureRoot<u64>;
}

fn floor(value: Option<u128>) -> RuntimeParameters {
	RuntimeParameters::Market(market::Parameters::Floor(market::Floor, value))
}

fn new_test_ext(pace: u32) -> TestExternalities {
	let config = RuntimeGenesisConfig {
		governance: crate::GenesisConfig { pace, ..Default::default() },
		..Default::default()
	};
	config.build_storage().expect("the configuration is sound").into()
}

fn execute(test: impl FnOnce()) {
	new_test_ext(1).execute_with(|| {
		System::set_block_number(1);
		test();
		assert_ok!(Governance::do_try_state());
	});
}

#[test]
fn a_value_within_its_bounds_is_set_and_can_be_reset() {
	execute(|| {
		for value in [2, 9] {
			assert_ok!(Governance::set_parameter(RuntimeOrigin::root(), floor(Some(value))));
			assert_eq!(market::Floor::get(), value);
		}
		assert_eq!(Governance::parameters()[0].current, 9);
		assert_ok!(Governance::set_parameter(RuntimeOrigin::root(), floor(None)));
		assert_eq!(market::Floor::get(), 5);
	});
}

#[test]
fn a_value_outside_its_bounds_is_refused_whoever_asks() {
	execute(|| {
		for value in [0, 1, 10, u128::MAX] {
			assert_noop!(
				Governance::set_parameter(RuntimeOrigin::root(), floor(Some(value))),
				Error::<Test>::OutOfBounds
			);
		}
	});
}

#[test]
fn nobody_goes_round_the_bounds() {
	execute(|| {
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::signed(1), RuntimeOrigin::none()] {
			assert_noop!(Parameters::set_parameter(origin, floor(Some(3))), BadOrigin);
		}
		for origin in [Origin::ProtocolParameters, Origin::Emergency, Origin::WhitelistedCaller] {
			assert_noop!(Parameters::set_parameter(origin.into(), floor(Some(3))), BadOrigin);
		}
	});
}

#[test]
fn only_the_parameter_origin_sets() {
	execute(|| {
		let setting = |origin| Governance::set_parameter(origin, floor(Some(3)));
		assert_err!(setting(RuntimeOrigin::signed(1)), DispatchError::BadOrigin);
		assert_err!(setting(RuntimeOrigin::none()), DispatchError::BadOrigin);
		assert_err!(setting(Origin::SmallSpender.into()), DispatchError::BadOrigin);
		assert_eq!(market::Floor::get(), 5);
	});
}

#[test]
fn the_bounded_origin_is_none_of_the_systems() {
	let any = EnsureBounded::<RuntimeOrigin>::ensure_origin(Origin::Bounded.into(), &());
	assert_ok!(any);
	assert!(
		<EnsureSigned<u64> as frame_support::traits::EnsureOrigin<RuntimeOrigin>>::ensure_origin(
			Origin::Bounded.into()
		)
		.is_err()
	);
}

#[test]
fn the_pace_is_that_of_the_genesis() {
	new_test_ext(600).execute_with(|| assert_eq!(Pace::<Test>::get(), 600));
}

#[test]
#[should_panic(expected = "at least 1")]
fn a_pace_of_zero_is_no_genesis() {
	new_test_ext(0);
}

#[test]
fn corrupted_state_is_found() {
	new_test_ext(1).execute_with(|| {
		Pace::<Test>::put(0);
		assert!(Governance::do_try_state().is_err());
		Pace::<Test>::put(1);
		assert_ok!(Governance::do_try_state());
		assert_ok!(Parameters::set_parameter(Origin::Bounded.into(), floor(Some(100))));
		assert!(Governance::do_try_state().is_err());
	});
}
