// SPDX-License-Identifier: Apache-2.0

//! What rule promises: who decides what, how, and what no decision can do.

use super::*;
use crate::{
	configs::{
		governance::{AlwaysOpen, SubmissionDeposit},
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

/// The votes in favour of a referendum under way, in plancks at a conviction of one, and the TNA behind
/// them.
fn tally(index: u32) -> (Balance, Balance) {
	let Some(pallet_referenda::ReferendumInfo::Ongoing(status)) =
		pallet_referenda::ReferendumInfoFor::<Runtime>::get(index)
	else {
		panic!("the referendum is over");
	};
	(status.tally.ayes, status.tally.support)
}

/// Lets `who` vote with nine tenths of all that it owned when it owned `everything`, and checks that
/// all of it counts although less is free.
fn votes_with_what_is_held(who: Sr25519Keyring, everything: Balance) {
	let account = who.to_account_id();
	let voting = everything / 10 * 9;
	assert!(Balances::free_balance(&account) < voting, "most of it is held");
	let index = propose(CharlieStash, Origin::ProtocolParameters, burn_share(20));
	vote(who, index, true, voting);
	assert_eq!(tally(index), (voting, voting));
	assert_noop!(
		ConvictionVoting::vote(
			RuntimeOrigin::signed(account),
			index,
			AccountVote::Standard {
				vote: Vote { aye: true, conviction: Conviction::Locked1x },
				balance: everything + 1,
			}
		),
		pallet_conviction_voting::Error::<Runtime>::InsufficientFunds
	);
}

fn register_node(stash: Sr25519Keyring, operator: Sr25519Keyring, bond: Balance) {
	assert_ok!(ComputeStaking::register_node(
		RuntimeOrigin::signed(stash.to_account_id()),
		operator.to_account_id(),
		MICRO,
		tensornet_protocol::Capability { memory_mib: 1, giga_macs: 1 },
		Default::default(),
		bond
	));
}

#[test]
fn what_is_staked_votes() {
	development().execute_with(|| {
		register_node(Alice, Bob, ENDOWMENT / 2);
		votes_with_what_is_held(Alice, ENDOWMENT);
	});
}

#[test]
fn what_backs_a_node_votes() {
	development().execute_with(|| {
		register_node(BobStash, Bob, 10_000 * UNIT);
		let alice = RuntimeOrigin::signed(Alice.to_account_id());
		assert_ok!(ComputeStaking::delegate(alice, BobStash.to_account_id(), ENDOWMENT / 2));
		votes_with_what_is_held(Alice, ENDOWMENT);
	});
}

#[test]
fn what_is_in_escrow_votes() {
	development().execute_with(|| {
		let program = super::economy::register_program(Bob);
		let call = super::economy::submit_call(program, ENDOWMENT / 2);
		assert_ok!(call.dispatch(RuntimeOrigin::signed(Alice.to_account_id())));
		votes_with_what_is_held(Alice, ENDOWMENT);
	});
}

#[test]
fn what_vests_votes() {
	development().execute_with(|| {
		let who = Sr25519Keyring::Two;
		assert_ok!(Vesting::vested_transfer(
			RuntimeOrigin::signed(Alice.to_account_id()),
			who.to_account_id().into(),
			pallet_vesting::VestingInfo::new(ENDOWMENT / 2, UNIT, 1_000),
		));
		let index = propose(CharlieStash, Origin::ProtocolParameters, burn_share(20));
		vote(who, index, true, ENDOWMENT / 2);
		assert_eq!(tally(index), (ENDOWMENT / 2, ENDOWMENT / 2));
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
		use pallet_tensornet_staking::Call as Staking;
		let filtered = || frame_system::Error::<Runtime>::CallFiltered;
		for business in [
			transfer(),
			RuntimeCall::ComputeStaking(Staking::set_online { online: true }),
			RuntimeCall::ComputeStaking(Staking::delegate {
				node: Bob.to_account_id(),
				amount: UNIT,
			}),
			super::economy::submit_call(Hash::zero(), UNIT),
			RuntimeCall::Vesting(pallet_vesting::Call::vested_transfer {
				target: Bob.to_account_id().into(),
				schedule: pallet_vesting::VestingInfo::new(UNIT, UNIT, 1),
			}),
		] {
			assert_noop!(business.clone().dispatch(alice()), filtered());
			let batch =
				RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![business] });
			let refused = batch.dispatch(alice()).map_err(|refused| refused.error);
			assert_eq!(refused, Err(filtered().into()), "nor in a batch");
		}
		let node = || Bob.to_account_id();
		let open = [
			RuntimeCall::ComputeStaking(Staking::withdraw_unbonded {}),
			RuntimeCall::ComputeStaking(Staking::unbond { amount: 1 }),
			RuntimeCall::ComputeStaking(Staking::deregister_node {}),
			RuntimeCall::ComputeStaking(Staking::set_online { online: false }),
			RuntimeCall::ComputeStaking(Staking::undelegate { node: node(), amount: 1 }),
			RuntimeCall::ComputeStaking(Staking::withdraw_undelegated { node: node() }),
			RuntimeCall::ComputeStaking(Staking::claim_delegation { node: node() }),
			RuntimeCall::ComputeStaking(Staking::claim_rewards { node: node(), era: 0 }),
			RuntimeCall::Validators(pallet_tensornet_validators::Call::withdraw_unbonded {}),
			RuntimeCall::Escrow(pallet_tensornet_escrow::Call::cancel_job { job: 0 }),
			RuntimeCall::Poc(pallet_tensornet_poc::Call::commit { job: 0, seal: Hash::zero() }),
			RuntimeCall::Poc(pallet_tensornet_poc::Call::unregister_program {
				program: Hash::zero(),
			}),
			RuntimeCall::Vesting(pallet_vesting::Call::vest {}),
			RuntimeCall::Compliance(pallet_tensornet_compliance::Call::resign {}),
			burn_share(20),
		];
		for call in open {
			assert!(AlwaysOpen::contains(&call), "{call:?}");
			// There is nothing to withdraw: what matters is that the chain looked.
			let refused = call.dispatch(alice()).unwrap_err().error;
			assert_ne!(refused, filtered().into());
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
		let pause =
			|pallet, call| TxPause::pause(Origin::Emergency.into(), call_name(pallet, call));
		assert_ok!(pause("Escrow", "submit_job"));
		let submit = super::economy::submit_call(Hash::zero(), UNIT);
		assert_noop!(
			submit.dispatch(RuntimeOrigin::signed(Alice.to_account_id())),
			frame_system::Error::<Runtime>::CallFiltered
		);
		for (pallet, call) in [
			("ComputeStaking", "withdraw_unbonded"),
			("ComputeStaking", "unbond"),
			("ComputeStaking", "undelegate"),
			("Validators", "withdraw_unbonded"),
			("Escrow", "cancel_job"),
			("Poc", "prove_fraud"),
			("Poc", "answer_audit"),
			("Referenda", "submit"),
			("ConvictionVoting", "vote"),
			("TxPause", "unpause"),
		] {
			assert_noop!(pause(pallet, call), pallet_tx_pause::Error::<Runtime>::Unpausable);
		}
	});
}

/// Every call of this runtime is either open always or business, and this is all of the business. A pallet
/// or a call that was renamed would change sides unnoticed otherwise.
#[test]
fn new_business_is_all_that_the_brakes_stop() {
	use frame_support::traits::GetCallMetadata;
	// Of these pallets, which are the SDK's own, everything is but a way out.
	let markets = ["Balances", "Assets", "PoolAssets", "AssetConversion"];
	let (mut business, mut ways_out) = (Vec::new(), Vec::new());
	for pallet in RuntimeCall::get_module_names() {
		for call in RuntimeCall::get_call_names(pallet) {
			let open = AlwaysOpen::contains(&call_name(pallet, call));
			match (markets.contains(pallet), open) {
				(false, false) => business.push(format!("{pallet}.{call}")),
				(true, true) => ways_out.push(format!("{pallet}.{call}")),
				_ => {}
			}
		}
	}
	business.sort();
	ways_out.sort();
	assert_eq!(
		business,
		[
			"ComputeStaking.bond_more",
			"ComputeStaking.delegate",
			"ComputeStaking.redelegate",
			"ComputeStaking.register_node",
			"ConsensusChain.join",
			"ConsensusChain.set_sponsor",
			"Escrow.submit_job",
			"Poc.register_program",
			"Tna.burn",
			"Vesting.vested_transfer",
		]
	);
	assert_eq!(
		ways_out,
		["AssetConversion.remove_liquidity", "Assets.cancel_approval", "Assets.refund"]
	);
}

#[test]
fn the_emergency_power_lets_a_referendum_of_the_fast_track_do_what_root_does() {
	development().execute_with(|| {
		let call = RuntimeCall::Compliance(pallet_tensornet_compliance::Call::sanction {
			who: Bob.to_account_id(),
			reason: Hash::zero(),
		});
		let hash = <BlakeTwo256 as sp_runtime::traits::Hash>::hash_of(&call);
		let dispatch = || {
			Whitelist::dispatch_whitelisted_call_with_preimage(
				Origin::WhitelistedCaller.into(),
				Box::new(call.clone()),
			)
		};
		assert_noop!(
			Whitelist::whitelist_call(Origin::WhitelistedCaller.into(), hash),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_ok!(Whitelist::whitelist_call(Origin::Emergency.into(), hash));
		let may_enter =
			|| Compliance::may_enter(Bob.to_account_id(), tensornet_protocol::Role::Node);
		assert!(may_enter());
		assert_ok!(dispatch());
		assert!(!may_enter());
		// Good for once: without a new word of the emergency power the same call only waits.
		assert_ok!(Compliance::lift(root(), Bob.to_account_id()));
		assert_ok!(dispatch());
		assert!(may_enter());
	});
}

#[test]
fn an_approved_payment_of_the_treasury_is_paid_on_anybodys_word() {
	development().execute_with(|| {
		let amount = 10_000 * UNIT;
		assert_ok!(Balances::transfer_keep_alive(
			RuntimeOrigin::signed(Alice.to_account_id()),
			TreasuryAccount::get().into(),
			2 * amount,
		));
		assert_ok!(Treasury::spend(
			Origin::SmallSpender.into(),
			Box::new(()),
			amount,
			Box::new(Bob.to_account_id()),
			None
		));
		assert_ok!(Treasury::payout(RuntimeOrigin::signed(CharlieStash.to_account_id()), 0));
		assert_eq!(Balances::free_balance(Bob.to_account_id()), ENDOWMENT + amount);
		assert_eq!(Balances::free_balance(TreasuryAccount::get()), amount + EXISTENTIAL_DEPOSIT);
	});
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
