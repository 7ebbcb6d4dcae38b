// SPDX-License-Identifier: Apache-2.0

//! What the chain promises about its validators: who they are, what a fault costs them, and that there
//! are always some. Blocks are made as the node makes them, with real proofs of equivocation.

use super::*;
use crate::{
	configs::{
		parameters::dynamic_params::{emission, validators},
		session::{EpochDuration, SessionsPerEra, ValidatorUnbonding, REPORTABLE_SESSIONS},
	},
	genesis_config_presets::DEVELOPMENT_PACE,
	time::{EPOCH_DURATION_IN_SLOTS, ERAS_PER_DAY, SESSIONS_PER_ERA},
};
use codec::Decode;
use frame_support::traits::KeyOwnerProofSystem;
use pallet_tensornet_validators::{CurrentEra, Event, Fault, Points, Standing};
use sp_consensus_babe::{
	digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
	EquivocationProof, Slot, BABE_ENGINE_ID,
};
use sp_keyring::{
	Ed25519Keyring,
	Sr25519Keyring::{self, Charlie, Dave, DaveStash},
};
use sp_runtime::{Digest, DigestItem};
use tensornet_protocol::Bonded as _;

#[test]
fn who_validates_keeps_its_session_keys() {
	four_validators().execute_with(|| {
		let plain = RuntimeCall::Session(pallet_session::Call::purge_keys {});
		let refused =
			plain.dispatch(RuntimeOrigin::signed(Dave.to_account_id())).unwrap_err().error;
		assert_eq!(refused, frame_system::Error::<Runtime>::CallFiltered.into());
		let ours = RuntimeCall::Validators(pallet_tensornet_validators::Call::purge_keys {});
		let members = Session::validators();
		assert!(!members.is_empty());
		for member in members {
			let refused = ours.clone().dispatch(RuntimeOrigin::signed(member)).unwrap_err().error;
			assert_eq!(refused, pallet_tensornet_validators::Error::<Runtime>::Validates.into());
		}
	});
}

/// The local testnet with Dave as its fourth validator. An era is a session.
fn four_validators() -> TestExternalities {
	four_validators_at(DEVELOPMENT_PACE)
}

/// The same at another pace.
fn four_validators_at(pace: u32) -> TestExternalities {
	let mut patch = preset("local_testnet");
	patch["governance"]["pace"] = pace.into();
	let stash = DaveStash.to_account_id();
	let keys =
		SessionKeys { babe: Dave.public().into(), grandpa: Ed25519Keyring::Dave.public().into() };
	let add = |list: &mut serde_json::Value, item: serde_json::Value| {
		list.as_array_mut().expect("it is a list").push(item)
	};
	add(
		&mut patch["session"]["keys"],
		serde_json::to_value((stash.clone(), stash.clone(), keys)).unwrap(),
	);
	// A little more than the others: the order of the set is not that of the genesis.
	let bond = serde_json::to_value(VALIDATOR_BOND + UNIT).unwrap();
	add(
		&mut patch["validators"]["candidates"],
		serde_json::Value::Array(vec![serde_json::to_value(stash).unwrap(), bond]),
	);
	state_of(patch)
}

fn pre_digest(author: u32, slot: Slot) -> Digest {
	let digest =
		PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index: author, slot });
	Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())] }
}

/// The set that is in force in `slot`.
fn set_in(slot: Slot) -> Vec<AccountId> {
	let rotates =
		System::block_number() > 0 && slot >= Babe::current_epoch_start() + EpochDuration::get();
	if rotates {
		Session::queued_keys().into_iter().map(|(validator, _)| validator).collect()
	} else {
		Session::validators()
	}
}

/// Makes the block of `slot`, in which `during` happens. Its author is in turn one of the set that is
/// not `absent`. Returns who.
fn make_block(slot: Slot, absent: &[AccountId], during: impl FnOnce()) -> AccountId {
	let set = set_in(slot);
	let present: Vec<_> = (0u32..).zip(&set).filter(|(_, who)| !absent.contains(who)).collect();
	let (author, who) = present[*slot as usize % present.len()];
	let header = Header::new(
		System::block_number() + 1,
		Default::default(),
		Default::default(),
		Default::default(),
		pre_digest(author, slot),
	);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now: *slot * time::MILLISECS_PER_BLOCK };
	let inherent = UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(now));
	assert_ok!(Executive::apply_extrinsic(inherent).expect("the inherent is valid"));
	during();
	Executive::finalize_block();
	who.clone()
}

fn next_slot() -> Slot {
	Babe::current_slot() + 1
}

/// Makes the first block of the next session.
fn next_session(absent: &[AccountId]) -> AccountId {
	make_block(Babe::current_epoch_start() + EpochDuration::get(), absent, || ())
}

/// Makes `count` blocks in as many slots.
fn blocks(count: u32, absent: &[AccountId]) {
	for _ in 0..count {
		make_block(next_slot(), absent, || ());
	}
}

fn running() -> Vec<AccountId> {
	let mut set = Session::validators();
	set.sort();
	set
}

fn accounts(of: &[Sr25519Keyring]) -> Vec<AccountId> {
	let mut accounts: Vec<_> = of.iter().map(|one| one.to_account_id()).collect();
	accounts.sort();
	accounts
}

fn set_slash_delay(eras: u32) {
	assert_ok!(Governance::set_parameter(
		root(),
		RuntimeParameters::Validators(validators::Parameters::SlashDelay(
			validators::SlashDelay,
			Some(eras)
		))
	));
}

/// Two headers that `who`, the set's number `index`, signed for one slot.
fn equivocation(who: Sr25519Keyring, index: u32, slot: Slot) -> EquivocationProof<Header> {
	let signed = |state: u8| {
		let mut header = Header::new(
			System::block_number(),
			Default::default(),
			Hash::repeat_byte(state),
			System::parent_hash(),
			pre_digest(index, slot),
		);
		let seal = DigestItem::babe_seal(who.sign(header.hash().as_ref()).into());
		header.digest_mut().push(seal);
		header
	};
	EquivocationProof {
		slot,
		offender: who.public().into(),
		first_header: signed(1),
		second_header: signed(2),
	}
}

fn bonded(who: &AccountId) -> Balance {
	Validators::ledger(who.clone()).map_or(0, |ledger| ledger.held())
}

#[test]
fn genesis_has_the_validators_of_the_preset_with_their_bonds() {
	four_validators().execute_with(|| {
		let all = accounts(&[AliceStash, BobStash, CharlieStash, DaveStash]);
		assert_eq!(running(), all);
		assert_eq!(pallet_babe::Authorities::<Runtime>::get().len(), 4);
		for who in &all {
			assert!(bonded(who) >= VALIDATOR_BOND);
			assert_eq!(Validators::ledger(who.clone()).unwrap().standing, Standing::Candidate);
		}
		assert_eq!(Validators::next_set()[0], DaveStash.to_account_id());
		assert_eq!(CurrentEra::<Runtime>::get().validators, 4);
	});
}

#[test]
fn who_equivocates_is_disabled_at_once_leaves_the_set_and_is_slashed_after_the_delay() {
	four_validators().execute_with(|| {
		set_slash_delay(ERAS_PER_DAY);
		let (offender, reporter) = (BobStash.to_account_id(), Charlie.to_account_id());
		blocks(3, &[]);
		let before = Balances::free_balance(&reporter);
		let issuance = Balances::total_issuance();
		make_block(next_slot(), core::slice::from_ref(&offender), || {
			let slot = Babe::current_slot();
			let index = Session::validator_id_to_index(&offender).unwrap();
			let key = (sp_consensus_babe::KEY_TYPE, Bob.public());
			let owner = Historical::prove(key).expect("the key is the offender's");
			let report = || {
				Babe::report_equivocation(
					RuntimeOrigin::signed(reporter.clone()),
					Box::new(equivocation(Bob, index, slot)),
					owner.clone(),
				)
			};
			assert_ok!(report());
			assert_eq!(Session::disabled_validators(), vec![index]);
			assert!(report().is_err(), "one offence is reported once");
		});
		let slash = Validators::pending_slashes().remove(0).1;
		// Three quarters, squared: one of four offended.
		assert_eq!(slash.amount, Perbill::from_rational(9u32, 16) * VALIDATOR_BOND);
		assert_eq!((slash.validator, slash.reporter), (offender.clone(), Some(reporter.clone())));
		let absent = [offender.clone()];
		// The next set was planned before; the one after it is without the offender.
		next_session(&absent);
		assert_eq!(Session::disabled_validators().len(), 1);
		next_session(&absent);
		assert_eq!(running(), accounts(&[AliceStash, CharlieStash, DaveStash]));
		assert_eq!(pallet_babe::Authorities::<Runtime>::get().len(), 3);
		assert!(Session::disabled_validators().is_empty());
		assert_eq!(bonded(&offender), VALIDATOR_BOND, "the slash can still be cancelled");
		while CurrentEra::<Runtime>::get().index < slash.due {
			next_session(&absent);
		}
		assert_eq!(bonded(&offender), VALIDATOR_BOND - slash.amount);
		let paid = Balances::free_balance(&reporter) - before;
		assert_eq!(paid, slash.amount / 10);
		assert_eq!(issuance - Balances::total_issuance(), slash.amount - paid);
		assert_eq!(running().len(), 3);
	});
}

/// Two prevotes of one round that `who` signed for different blocks.
fn double_vote(who: Ed25519Keyring) -> sp_consensus_grandpa::EquivocationProof<Hash, BlockNumber> {
	let (set, round, prevote) = (Grandpa::current_set_id(), 7u64, 0u8);
	let vote = |block: u8| {
		let target = (Hash::repeat_byte(block), 1u32);
		let signature = who.sign(&(prevote, target, round, set).encode());
		(target, signature)
	};
	// The types of votes are of a crate that the runtime does not depend on: this is their encoding.
	let proof = (set, prevote, round, who.public(), vote(1), vote(2)).encode();
	Decode::decode(&mut &proof[..]).expect("it is an equivocation proof")
}

#[test]
fn who_votes_twice_for_finality_is_punished_as_well() {
	four_validators().execute_with(|| {
		blocks(2, &[]);
		let offender = CharlieStash.to_account_id();
		make_block(next_slot(), core::slice::from_ref(&offender), || {
			let key = (sp_consensus_grandpa::KEY_TYPE, Ed25519Keyring::Charlie.public());
			let owner = Historical::prove(key).expect("the key is the offender's");
			assert_ok!(Grandpa::report_equivocation(
				RuntimeOrigin::signed(Alice.to_account_id()),
				Box::new(double_vote(Ed25519Keyring::Charlie)),
				owner
			));
		});
		let slash = Validators::pending_slashes().remove(0).1;
		assert_eq!((slash.validator, slash.fault), (offender.clone(), Fault::Equivocation));
		assert_eq!(Session::disabled_validators().len(), 1);
		next_session(core::slice::from_ref(&offender));
		next_session(core::slice::from_ref(&offender));
		assert!(!Session::validators().contains(&offender));
	});
}

#[test]
fn an_appeal_cancels_a_slash_and_nobody_else_does() {
	four_validators().execute_with(|| {
		blocks(2, &[]);
		let offender = BobStash.to_account_id();
		make_block(next_slot(), core::slice::from_ref(&offender), || {
			let index = Session::validator_id_to_index(&offender).unwrap();
			let owner = Historical::prove((sp_consensus_babe::KEY_TYPE, Bob.public())).unwrap();
			let proof = Box::new(equivocation(Bob, index, Babe::current_slot()));
			assert_ok!(Babe::report_equivocation(
				RuntimeOrigin::signed(Alice.to_account_id()),
				proof,
				owner
			));
			use pallet_tensornet_governance::Origin;
			let refused = sp_runtime::DispatchError::BadOrigin;
			assert_noop!(Validators::cancel_slash(Origin::Emergency.into(), 0), refused);
			assert_noop!(
				Validators::cancel_slash(RuntimeOrigin::signed(offender.clone()), 0),
				sp_runtime::DispatchError::BadOrigin
			);
			assert_ok!(Validators::cancel_slash(Origin::SlashAppeal.into(), 0));
			assert_ok!(Validators::stand(RuntimeOrigin::signed(offender.clone())));
		});
		assert!(Validators::pending_slashes().is_empty());
	});
}

#[test]
fn who_is_silent_for_an_era_loses_a_thousandth_and_its_place() {
	// Long enough that everybody is expected to author: six sessions of 33 slots.
	four_validators_at(6).execute_with(|| {
		set_slash_delay(ERAS_PER_DAY);
		let silent = CharlieStash.to_account_id();
		let absent = [silent.clone()];
		blocks(SessionsPerEra::get() * EpochDuration::get() as u32, &absent);
		assert_eq!(CurrentEra::<Runtime>::get().index, 0);
		next_session(&absent);
		let slash = Validators::pending_slashes().remove(0).1;
		assert_eq!((slash.validator, slash.fault), (silent.clone(), Fault::Silence));
		assert_eq!(slash.amount, VALIDATOR_BOND / 1_000);
		next_session(&absent);
		next_session(&absent);
		assert_eq!(running(), accounts(&[AliceStash, BobStash, DaveStash]));
		while CurrentEra::<Runtime>::get().index < slash.due {
			next_session(&absent);
		}
		assert_eq!(bonded(&silent), VALIDATOR_BOND - VALIDATOR_BOND / 1_000);
		assert_ok!(Validators::stand(RuntimeOrigin::signed(silent)));
		for _ in 0..=SessionsPerEra::get() {
			next_session(&[]);
		}
		assert_eq!(running().len(), 4);
	});
}

#[test]
fn a_chain_without_willing_candidates_goes_on() {
	four_validators().execute_with(|| {
		let all = running();
		make_block(next_slot(), &[], || {
			for who in &all {
				assert_ok!(Validators::leave(RuntimeOrigin::signed(who.clone())));
			}
		});
		for _ in 0..5 {
			next_session(&[]);
			assert_eq!(running(), all);
		}
		assert!(Validators::era().kept);
		assert_eq!(pallet_babe::Authorities::<Runtime>::get().len(), 4);
	});
}

#[test]
fn a_development_chain_keeps_its_only_validator() {
	preset_state("development").execute_with(|| {
		for _ in 0..5 {
			next_session(&[]);
			blocks(2, &[]);
			assert_eq!(Session::validators(), vec![AliceStash.to_account_id()]);
		}
		assert!(!Validators::era().kept);
	});
}

#[test]
fn the_first_block_of_an_era_is_its_authors_in_the_new_set() {
	four_validators().execute_with(|| {
		blocks(1, &[]);
		let first = Session::validators();
		next_session(&[]);
		let author = next_session(&[]);
		assert_ne!(Session::validators(), first, "the order is another one");
		let era = CurrentEra::<Runtime>::get().index;
		assert_eq!(Points::<Runtime>::get(era, &author), 1);
		assert_eq!(Points::<Runtime>::iter_prefix(era).count(), 1);
	});
}

#[test]
fn a_validator_is_paid_out_of_the_eras_budget() {
	four_validators().execute_with(|| {
		blocks(8, &[]);
		next_session(&[]);
		let who = AliceStash.to_account_id();
		let [(era, amount)] = Validators::claimable(who.clone())[..] else {
			panic!("it authored in one era");
		};
		assert!(amount > 0);
		let (before, issuance) = (Balances::free_balance(&who), Balances::total_issuance());
		assert_ok!(Validators::claim_validator_rewards(
			RuntimeOrigin::signed(Bob.to_account_id()),
			who.clone(),
			era
		));
		assert_eq!(Balances::free_balance(&who) - before, amount);
		assert_eq!(Balances::total_issuance() - issuance, amount);
	});
}

#[test]
fn a_newcomer_with_keys_and_the_largest_bond_is_elected() {
	preset_state("local_testnet").execute_with(|| {
		let who = DaveStash.to_account_id();
		make_block(1.into(), &[], || {
			let origin = RuntimeOrigin::signed(who.clone());
			let bond = 2 * VALIDATOR_BOND;
			assert_noop!(
				Validators::register_candidate(origin.clone(), bond),
				pallet_tensornet_validators::Error::<Runtime>::NoKeys
			);
			let keys = SessionKeys {
				babe: Dave.public().into(),
				grandpa: Ed25519Keyring::Dave.public().into(),
			};
			assert_ok!(<Session as pallet_session::SessionInterface>::set_keys(&who, keys));
			assert_ok!(Validators::register_candidate(origin, bond));
			assert_eq!(Validators::next_set()[0], who);
		});
		next_session(&[]);
		next_session(&[]);
		assert_eq!(Session::validators()[0], who);
		System::assert_has_event(
			Event::<Runtime>::EraStarted { era: 2, session: 2, validators: 4 }.into(),
		);
	});
}

#[test]
fn a_bond_stays_within_reach_longer_than_a_fault_can_be_reported() {
	// Who unbonds when its era is planned may equivocate in the last slot of that era.
	let era = EPOCH_DURATION_IN_SLOTS * u64::from(SESSIONS_PER_ERA + 2);
	let reported = EPOCH_DURATION_IN_SLOTS * u64::from(REPORTABLE_SESSIONS);
	assert!(u64::from(ValidatorUnbonding::get()) > reported + era);
}

#[test]
fn eras_last_six_hours_and_a_minute_on_development_chains() {
	TestExternalities::default().execute_with(|| {
		assert_eq!(SessionsPerEra::get() * time::EPOCH_DURATION_IN_BLOCKS, 6 * time::HOURS);
		assert_eq!(EpochDuration::get(), EPOCH_DURATION_IN_SLOTS);
	});
	development().execute_with(|| {
		const { assert!(DEVELOPMENT_PACE > SESSIONS_PER_ERA) };
		assert_eq!((SessionsPerEra::get(), EpochDuration::get()), (1, time::MINUTES.into()));
	});
	// What the node reads of the genesis is what the runtime counts by.
	preset_state("development").execute_with(|| {
		use sp_consensus_babe::runtime_decl_for_babe_api::BabeApiV2;
		let configuration = <Runtime as BabeApiV2<Block>>::configuration();
		assert_eq!(configuration.epoch_length, EpochDuration::get());
		next_session(&[]);
		assert_eq!(<Runtime as BabeApiV2<Block>>::current_epoch().duration, EpochDuration::get());
	});
}

/// docs/economy.md has the figures, decision 0010 why the rate is what it is.
#[test]
fn a_seat_that_is_bought_with_jobs_to_oneself_costs_more_than_it_earns() {
	preset_state("development").execute_with(|| {
		next_session(&[]);
		next_session(&[]);
		// No later era releases as much as the first one.
		let budget = Tna::budget(0).expect("the first era is over").validators;
		let earned = budget / Balance::from(validators::Count::get());
		// The least bond that stands, doubled.
		let stake = validators::MinBond::get();
		let burned = validators::BurnPerStake::get() * stake;
		assert_eq!(Validators::score(stake, burned), 2 * stake);
		let price = burned * 1_000_000 / Balance::from(shares::JobBurn::get().deconstruct());
		let rebate = emission::BurnRebate::get() * burned;
		let cost = burned - rebate + shares::JobTreasury::get() * price;
		assert_eq!((cost, earned / (UNIT / 100)), (160 * UNIT, 8_219));
		assert!(cost > earned);
	});
}

#[test]
fn feigned_stake_costs_more_than_borrowed_stake_whatever_is_set() {
	development().execute_with(|| {
		let all = Governance::parameters();
		let find = |name: &str| all.iter().find(|info| info.name == name.as_bytes()).expect(name);
		let whole = 1_000_000;
		let lost = whole - find("emission.BurnRebate").most;
		let an_era = find("validators.BurnPerStake").least * lost;
		let a_year = an_era * u128::from(time::ERAS_PER_YEAR) / whole;
		assert_eq!(a_year, 146_000, "in millionths of the stake");
	});
}

#[test]
fn a_report_is_charged_for_all_that_it_may_convict() {
	use pallet_babe::WeightInfo as _;
	use pallet_tensornet_validators::WeightInfo as _;
	type Report = <Runtime as pallet_babe::Config>::WeightInfo;
	type Ours = <Runtime as pallet_tensornet_validators::Config>::WeightInfo;
	for validators in [1, 100, 300] {
		assert!(Report::report_equivocation(validators, 0).all_gte(Ours::on_offence(validators)));
	}
}
