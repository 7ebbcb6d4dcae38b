// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and compliance.

use crate as pallet_tensornet_compliance;
use crate::{Country, Event};
use frame_support::{assert_ok, derive_impl, parameter_types, traits::ConstU32};
use frame_system::EnsureRoot;
use sp_io::TestExternalities;
use sp_runtime::{traits::Convert, BuildStorage, DispatchResult};
use tensornet_protocol::{Hash, Role};

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Compliance: pallet_tensornet_compliance,
	}
);

/// The existential deposit.
pub const ED: u64 = 10;
/// What a registrar puts down.
pub const DEPOSIT: u64 = 500;
/// What registrars start with.
pub const FUNDS: u64 = 1_000;
/// How long an attestation may count.
pub const VALIDITY: u64 = 100;
/// The treasury's account; it exists from genesis.
pub const TREASURY: u64 = 99;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountData = pallet_balances::AccountData<u64>;
}

parameter_types! {
	pub const ExistentialDeposit: u64 = ED;
	pub const RegistrarDeposit: u64 = DEPOSIT;
	pub const MaxValidity: u64 = VALIDITY;
	pub const Treasury: u64 = TREASURY;
	pub static RequiredLevel: u8 = 0;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ExistentialDeposit;
	type RuntimeHoldReason = RuntimeHoldReason;
}

/// Requires [`RequiredLevel`] of nodes and nothing of others.
pub struct Required;
impl Convert<Role, u8> for Required {
	fn convert(role: Role) -> u8 {
		if role == Role::Node {
			RequiredLevel::get()
		} else {
			0
		}
	}
}

impl crate::Config for Test {
	type Currency = Balances;
	type MaxAttestations = ConstU32<2>;
	type MaxValidity = MaxValidity;
	type RegistrarDeposit = RegistrarDeposit;
	type RegistrarOrigin = EnsureRoot<u64>;
	type Required = Required;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Treasury = Treasury;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

pub fn new_test_ext() -> TestExternalities {
	let mut balances: Vec<_> = (1..=9).map(|who| (who, FUNDS)).collect();
	balances.push((TREASURY, ED));
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext: TestExternalities = config.build_storage().expect("it is sound").into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs a test and checks every invariant after it.
pub fn execute(test: impl FnOnce()) {
	RequiredLevel::set(0);
	new_test_ext().execute_with(|| {
		test();
		assert_ok!(Compliance::do_try_state());
	});
}

pub fn signed(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// Makes an appointed registrar.
pub fn registrar(who: u64) {
	assert_ok!(Compliance::apply(signed(who)));
	assert_ok!(Compliance::appoint(RuntimeOrigin::root(), who));
}

pub fn attest(registrar: u64, subject: u64, level: u8, expires_at: u64) -> DispatchResult {
	let country = Country(*b"CH");
	Compliance::attest(signed(registrar), subject, level, country, expires_at, Hash::zero())
}

/// The events of this pallet, oldest first.
pub fn events() -> Vec<Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Compliance(event) => Some(event),
			_ => None,
		})
		.collect()
}
