// SPDX-License-Identifier: Apache-2.0

//! What rule promises: who decides what, how, and what no decision can do.

use super::*;
use crate::{
	configs::{
		governance::{AlwaysOpen, NeverPaused, SubmissionDeposit},
		parameters::dynamic_params::{proof, stake},
	},
	governance::tracks::Tracks,
};
use frame_support::{
	traits::{Contains, OnFinalize, OnIdle, OnInitialize, StorePreimage},
	weights::Weight,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::TracksInfo;
use pallet_tensornet_governance::{Error, Origin, ParameterInfo};
use sp_runtime::Permill;

fn pass_blocks(count: u32) {
	for _ in 0..count {
		let block = System::block_number();
		Scheduler::on_finalize(block);
		System::set_block_number(block + 1);
		Scheduler::on_initialize(block + 1);
		Referenda::on_initialize(block + 1);
		Scheduler::on_idle(block + 1, Weight::MAX);
	}
}

fn burn_share(percent: u32) -> RuntimeCall {
	RuntimeCall::Governance(pallet_tensornet_governance::Call::set_parameter {
		key_value: RuntimeParameters::Shares(shares::Parameters::JobBurn(
			shares::JobBurn,
			Some(Permill::from_percent(percent)),
		)),
	})
}

/// Submits `call` to the track of `power`, pays the deposit, and returns its number.
fn propose(who: Sr25519Keyring, power: impl Into<OriginCaller>, call: RuntimeCall) -> u32 {
	let index = pallet_referenda::ReferendumCount::<Runtime>::get();
	let proposal = Preimage::bound(call).expect("it can be stored");
	let origin = RuntimeOrigin::signed(who.to_account_id());
	assert_ok!(Referenda::submit(
		origin.clone(),
		Box::new(power.into()),
		proposal,
		frame_support::traits::schedule::DispatchTime::After(1)
	));
	assert_ok!(Referenda::place_decision_deposit(origin, index));
	index
}

fn vote(who: Sr25519Keyring, index: u32, aye: bool, balance: Balance) {
	assert_ok!(ConvictionVoting::vote(
		RuntimeOrigin::signed(who.to_account_id()),
		index,
		AccountVote::Standard { vote: Vote { aye, conviction: Conviction::Locked1x }, balance }
	));
}

use sp_keyring::Sr25519Keyring;

#[test]
fn a_referendum_changes_the_burn_share() {
	development().execute_with(|| {
		let index = propose(Alice, Origin::ProtocolParameters, burn_share(20));
		vote(Alice, index, true, ENDOWMENT / 2);
		vote(Bob, index, true, ENDOWMENT / 2);
		pass_blocks(400);
		assert_eq!(shares::JobBurn::get(), Permill::from_percent(20));
	});
}

#[test]
fn a_referendum_that_is_voted_down_changes_nothing() {
	development().execute_with(|| {
		let index = propose(Alice, Origin::ProtocolParameters, burn_share(20));
		vote(Alice, index, true, ENDOWMENT / 4);
		vote(Bob, index, false, ENDOWMENT / 2);
		pass_blocks(600);
		assert_eq!(shares::JobBurn::get(), Permill::from_percent(10));
	});
}

#[test]
fn an_approved_value_outside_its_bounds_is_still_refused() {
	development().execute_with(|| {
		let index = propose(Alice, frame_system::RawOrigin::Root, burn_share(31));
		vote(Alice, index, true, ENDOWMENT / 2);
		vote(Bob, index, true, ENDOWMENT);
		vote(BobStash, index, true, ENDOWMENT);
		vote(CharlieStash, index, true, ENDOWMENT);
		vote(AliceStash, index, true, ENDOWMENT);
		pass_blocks(1_000);
		assert_eq!(shares::JobBurn::get(), Permill::from_percent(10));
		assert!(matches!(
			pallet_referenda::ReferendumInfoFor::<Runtime>::get(index),
			Some(pallet_referenda::ReferendumInfo::Approved(..))
		));
	});
}

#[test]
fn what_is_staked_votes() {
	development().execute_with(|| {
		let node = Alice.to_account_id();
		let everything = Balances::free_balance(&node);
		assert_ok!(ComputeStaking::register_node(
			RuntimeOrigin::signed(node.clone()),
			Bob.to_account_id(),
			MICRO,
			tensornet_protocol::Capability { memory_mib: 1, giga_macs: 1 },
			Default::default(),
			everything / 2
		));
		let index = propose(CharlieStash, Origin::ProtocolParameters, burn_share(20));
		// Far more than is free.
		vote(Alice, index, true, everything * 9 / 10);
		assert!(Balances::reserved_balance(&node) >= everything / 2);
	});
}

#[test]
fn each_track_gives_one_power() {
	development().execute_with(|| {
		let powers: [(OriginCaller, u16, &str); 8] = [
			(frame_system::RawOrigin::Root.into(), 0, "root"),
			(Origin::WhitelistedCaller.into(), 1, "whitelisted_caller"),
			(Origin::ProtocolParameters.into(), 10, "parameters"),
			(Origin::SmallSpender.into(), 20, "small_spender"),
			(Origin::BigSpender.into(), 21, "big_spender"),
			(Origin::SlashAppeal.into(), 30, "slash_appeal"),
			(Origin::Registrars.into(), 40, "registrars"),
			(Origin::Emergency.into(), 50, "emergency"),
		];
		assert_eq!(Tracks::tracks().count(), powers.len());
		assert_ok!(Tracks::check_integrity());
		for (power, id, name) in powers {
			assert_eq!(Tracks::track_for(&power), Ok(id));
			let info = Tracks::info(id).expect("the track exists");
			let shown: Vec<u8> = info.name.iter().copied().take_while(|byte| *byte != 0).collect();
			assert_eq!(String::from_utf8(shown).unwrap(), name);
		}
		assert_eq!(Tracks::track_for(&Origin::Bounded.into()), Err(()));
		let signed = frame_system::RawOrigin::Signed(Alice.to_account_id());
		assert_eq!(Tracks::track_for(&signed.into()), Err(()));
	});
}

#[test]
fn development_chains_decide_in_minutes_and_others_in_weeks() {
	let longest = || Tracks::tracks().map(|track| track.info.decision_period).max();
	development().execute_with(|| assert_eq!(longest(), Some(28 * time::DAYS / 1_200)));
	TestExternalities::default().execute_with(|| assert_eq!(longest(), Some(28 * time::DAYS)));
}

#[test]
fn a_spender_takes_no_more_than_its_track_allows() {
	development().execute_with(|| {
		let spend = |power: Origin, amount| {
			Treasury::spend(power.into(), Box::new(()), amount, Box::new(Bob.to_account_id()), None)
		};
		assert_ok!(spend(Origin::SmallSpender, 10_000 * UNIT));
		assert!(spend(Origin::SmallSpender, 10_000 * UNIT + 1).is_err());
		assert_ok!(spend(Origin::BigSpender, 1_000_000 * UNIT));
		assert!(spend(Origin::BigSpender, 1_000_000 * UNIT + 1).is_err());
		assert!(spend(Origin::ProtocolParameters, 1).is_err());
	});
}

#[test]
fn the_treasury_of_the_market_and_of_governance_is_one() {
	assert_eq!(Treasury::account_id(), TreasuryAccount::get());
}

#[test]
fn in_safe_mode_business_stops_and_withdrawals_go_on() {
	development().execute_with(|| {
		let alice = || RuntimeOrigin::signed(Alice.to_account_id());
		let transfer = || {
			RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
				dest: Bob.to_account_id().into(),
				value: UNIT,
			})
		};
		assert_noop!(
			SafeMode::force_enter(Origin::SmallSpender.into()),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(SafeMode::force_enter(Origin::Emergency.into()));
		assert_noop!(transfer().dispatch(alice()), frame_system::Error::<Runtime>::CallFiltered);
		use pallet_tensornet_staking::Call as Staking;
		let open = [
			RuntimeCall::ComputeStaking(Staking::withdraw_unbonded {}),
			RuntimeCall::ComputeStaking(Staking::unbond { amount: 1 }),
			RuntimeCall::ComputeStaking(Staking::deregister_node {}),
			RuntimeCall::Escrow(pallet_tensornet_escrow::Call::cancel_job { job: 0 }),
			RuntimeCall::Poc(pallet_tensornet_poc::Call::commit { job: 0, seal: Hash::zero() }),
			burn_share(20),
		];
		for call in open {
			assert!(AlwaysOpen::contains(&call), "{call:?}");
			let refused = call.dispatch(alice()).unwrap_err().error;
			assert_ne!(refused, frame_system::Error::<Runtime>::CallFiltered.into());
		}
		assert_ok!(SafeMode::force_exit(Origin::Emergency.into()));
		assert_ok!(transfer().dispatch(alice()));
	});
}

#[test]
fn nobody_buys_a_stop_of_the_chain() {
	development().execute_with(|| {
		assert!(SafeMode::enter(RuntimeOrigin::signed(Alice.to_account_id())).is_err());
	});
}

#[test]
fn a_call_can_be_paused_but_no_way_out_and_no_vote() {
	development().execute_with(|| {
		let name = |pallet: &str, call: &str| {
			(
				pallet.as_bytes().to_vec().try_into().expect("it is short"),
				call.as_bytes().to_vec().try_into().expect("it is short"),
			)
		};
		assert_ok!(TxPause::pause(Origin::Emergency.into(), name("Escrow", "submit_job")));
		for (pallet, call) in [
			("ComputeStaking", "withdraw_unbonded"),
			("ComputeStaking", "unbond"),
			("Escrow", "cancel_job"),
			("Poc", "prove_fraud"),
			("Poc", "answer_audit"),
			("Referenda", "submit"),
			("ConvictionVoting", "vote"),
			("TxPause", "unpause"),
		] {
			assert!(NeverPaused::contains(&name(pallet, call)), "{pallet}.{call}");
			assert!(TxPause::pause(Origin::Emergency.into(), name(pallet, call)).is_err());
		}
	});
}

#[test]
fn every_name_that_is_never_paused_is_a_pallet_of_this_runtime() {
	use frame_support::traits::GetCallMetadata;
	for pallet in RuntimeCall::get_module_names() {
		for call in RuntimeCall::get_call_names(pallet) {
			// Asks for each call there is; a renamed pallet would fall to the wildcard.
			let name = (
				pallet.as_bytes().to_vec().try_into().expect("it is short"),
				call.as_bytes().to_vec().try_into().expect("it is short"),
			);
			let market = matches!(
				*pallet,
				"Balances"
					| "Tna" | "ComputeStaking"
					| "Escrow" | "Poc"
					| "Assets" | "PoolAssets"
					| "AssetConversion"
					| "ConsensusChain"
			);
			assert!(market || NeverPaused::contains(&name), "{pallet}.{call}");
		}
	}
}

#[test]
fn the_view_of_parameters_names_each_with_value_and_bounds() {
	development().execute_with(|| {
		let all = Governance::parameters();
		let find = |name: &str| -> ParameterInfo {
			all.iter().find(|info| info.name == name.as_bytes()).cloned().expect(name)
		};
		assert_eq!(all.len(), 48);
		let burn = find("shares.JobBurn");
		assert_eq!((burn.current, burn.least, burn.most), (100_000, 10_000, 300_000));
		assert_eq!(find("stake.MinBond").current, stake::MinBond::get());
		assert_eq!(find("proof.AuditSamples").most, 8);
	});
}

#[test]
fn within_the_bounds_no_law_can_be_broken() {
	development().execute_with(|| {
		let all = Governance::parameters();
		let most =
			|name: &str| all.iter().find(|info| info.name == name.as_bytes()).expect(name).most;
		let whole = 1_000_000;
		let fee = most("shares.JobBurn") * most("shares.LineageOfBurn") / whole;
		let job =
			most("shares.JobBurn") + most("shares.JobTreasury") + most("shares.JobAuthor") + fee;
		assert!(job <= whole * 65 / 100, "a node keeps at least 35 %");
		assert!(most("shares.FeeBurn") + most("shares.FeeTreasury") <= whole);
		assert!(most("stake.SlashToReporter") + most("stake.SlashToRequester") < whole);
		let windows =
			most("proof.RevealWindow") + most("proof.AuditWindow") + most("proof.ChallengeWindow");
		let windows = windows + most("stake.SlashDelay");
		let unbonding: u32 = <Runtime as pallet_tensornet_staking::Config>::UnbondingPeriod::get();
		assert!(windows < unbonding.into());
		let least_counted = all.iter().find(|info| info.name == b"stake.MaxWeightBond").unwrap();
		for tier in ["stake.MinBond", "stake.MidTierBond", "stake.HighTierBond"] {
			assert!(most(tier) <= least_counted.least);
		}
	});
}

#[test]
fn no_origin_of_governance_is_the_key_to_another_one() {
	development().execute_with(|| {
		let setting = |origin: RuntimeOrigin| burn_share(20).dispatch(origin);
		for power in [
			Origin::WhitelistedCaller,
			Origin::SmallSpender,
			Origin::BigSpender,
			Origin::SlashAppeal,
			Origin::Registrars,
			Origin::Emergency,
		] {
			assert!(setting(power.into()).is_err());
		}
		assert_ok!(setting(Origin::ProtocolParameters.into()));
		assert_eq!(
			Governance::set_parameter(
				root(),
				RuntimeParameters::Proof(proof::Parameters::AuditProbability(
					proof::AuditProbability,
					Some(Permill::zero())
				))
			),
			Err(Error::<Runtime>::OutOfBounds.into())
		);
	});
}

#[test]
fn a_runtime_upgrade_goes_through_a_referendum() {
	development().execute_with(|| {
		let code = vec![7; 100];
		let hash = sp_core::H256(sp_io::hashing::blake2_256(&code));
		let call = RuntimeCall::System(frame_system::Call::authorize_upgrade { code_hash: hash });
		let index = propose(Alice, frame_system::RawOrigin::Root, call);
		for who in [Alice, Bob, AliceStash, BobStash, CharlieStash] {
			vote(who, index, true, ENDOWMENT / 2);
		}
		assert!(System::authorized_upgrade().is_none());
		pass_blocks(1_000);
		assert!(System::authorized_upgrade().is_some());
	});
}

#[test]
fn a_submission_needs_its_deposit() {
	development().execute_with(|| {
		let who = Alice.to_account_id();
		let before = Balances::free_balance(&who);
		propose(Alice, Origin::ProtocolParameters, burn_share(20));
		let track = Tracks::info(10).unwrap();
		assert_eq!(
			Balances::free_balance(&who),
			before - SubmissionDeposit::get() - track.decision_deposit
		);
	});
}
