// SPDX-License-Identifier: Apache-2.0

//! What must be true after every block, whatever was in it. Each law is worked out anew from what all
//! pallets store together; what one pallet promises of its own storage is in its `do_try_state`, which
//! is asked too.

use crate::{
	configs::{system::RuntimeBlockWeights, tensornet::MAX_SUPPLY},
	AccountId, Balance, Runtime, RuntimeEvent, RuntimeHoldReason, Session, System, Tna,
};
use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, DispatchInfo, DispatchResultWithPostInfo},
	instances::{Instance1, Instance2},
	weights::Weight,
};
use pallet_referenda::ReferendumInfo;
use std::collections::{BTreeMap, BTreeSet};
use tensornet_protocol::{Bonded as _, Slash};

/// `Err` says which law is broken, and how.
pub type Verdict = Result<(), String>;

/// `Err` with `told` unless `holds`.
pub fn ensure(holds: bool, told: impl FnOnce() -> String) -> Verdict {
	if holds {
		Ok(())
	} else {
		Err(told())
	}
}

/// Amounts by account.
type Sums = BTreeMap<AccountId, Balance>;

fn add(sums: &mut Sums, who: AccountId, amount: Balance) {
	if amount > 0 {
		*sums.entry(who).or_default() += amount;
	}
}

/// What was at stake when the block began, to hold its slashes against.
#[derive(Default)]
pub struct Stakes {
	nodes: Sums,
	validators: Sums,
}

impl Stakes {
	/// What is at stake now.
	pub fn now() -> Self {
		Self {
			nodes: pallet_tensornet_staking::Nodes::<Runtime>::iter()
				.map(|(stash, node)| (stash, node.on_hold()))
				.collect(),
			validators: pallet_tensornet_validators::Ledgers::<Runtime>::iter()
				.map(|(stash, ledger)| (stash, ledger.held()))
				.collect(),
		}
	}
}

/// Every law of the state, in the order in which a broken one explains the others best. `pure` names the
/// accounts that made pure proxies, and those proxies.
pub fn state(pure: &BTreeSet<AccountId>) -> Verdict {
	issuance_is_genesis_and_emission_less_burns()?;
	holds_are_what_records_say()?;
	reserves_are_what_records_say(pure)?;
	escrow_is_conserved()?;
	assets_are_at_most_their_supply()?;
	somebody_makes_blocks()?;
	pallets_keep_their_own_laws()
}

/// Every law of a block: of its weight, and of what it reported.
pub fn block(before: &Stakes, events: &[RuntimeEvent]) -> Verdict {
	blocks_keep_their_limits()?;
	slashes_are_at_most_the_stake(before, events)?;
	settlements_pay_out_what_was_held(events)
}

/// What a call says it used is at most what it was charged for. Returns what it used.
pub fn weight_used_is_at_most_charged(
	answer: &DispatchResultWithPostInfo,
	info: &DispatchInfo,
) -> Result<Weight, String> {
	let post = match answer {
		Ok(post) => post,
		Err(failed) => &failed.post_info,
	};
	let used = post.actual_weight.unwrap_or(info.call_weight);
	ensure(used.all_lte(info.call_weight), || {
		format!("a call was charged {:?} and says that it used {used:?}", info.call_weight)
	})?;
	Ok(used)
}

/// Issued TNA is what existed at genesis and what was emitted, less what was burned; it is what the
/// accounts have, and below the cap.
pub fn issuance_is_genesis_and_emission_less_burns() -> Verdict {
	let supply = Tna::supply();
	let (burned, emitted) = (supply.burned_in_all(), supply.emitted_in_all());
	ensure(supply.issued + burned == supply.genesis + emitted, || {
		format!(
			"issued {} is not genesis {} + emitted {emitted} - burned {burned}",
			supply.issued, supply.genesis
		)
	})?;
	let owned: Balance = frame_system::Account::<Runtime>::iter_values()
		.map(|account| account.data.free + account.data.reserved)
		.sum();
	ensure(supply.issued == owned, || {
		format!("issued {} is not what accounts own, {owned}", supply.issued)
	})?;
	ensure(supply.issued <= MAX_SUPPLY, || format!("issued {} is above the cap", supply.issued))
}

/// For each reason of ours, what is on hold of every account is what the records behind it add up to.
pub fn holds_are_what_records_say() -> Verdict {
	let mut expected: BTreeMap<(AccountId, Vec<u8>), Balance> = BTreeMap::new();
	let mut expect = |who: AccountId, reason: RuntimeHoldReason, amount: Balance| {
		if amount > 0 {
			*expected.entry((who, reason.encode())).or_default() += amount;
		}
	};
	{
		use pallet_tensornet_staking::{Delegations, HoldReason, Nodes};
		for (stash, node) in Nodes::<Runtime>::iter() {
			expect(stash, HoldReason::Bond.into(), node.on_hold());
		}
		for (_, who, delegation) in Delegations::<Runtime>::iter() {
			expect(who, HoldReason::Delegation.into(), delegation.held);
		}
	}
	{
		use pallet_tensornet_escrow::{HoldReason, Jobs};
		for job in Jobs::<Runtime>::iter_values() {
			expect(job.requester.clone(), HoldReason::Job.into(), job.max_price);
			expect(job.requester, HoldReason::Deposit.into(), job.deposit);
		}
	}
	for record in pallet_tensornet_poc::Programs::<Runtime>::iter_values() {
		let reason = pallet_tensornet_poc::HoldReason::ProgramDeposit;
		expect(record.author, reason.into(), record.deposit);
	}
	for (stash, ledger) in pallet_tensornet_validators::Ledgers::<Runtime>::iter() {
		let reason = pallet_tensornet_validators::HoldReason::ValidatorBond;
		expect(stash, reason.into(), ledger.held());
	}
	for (who, registrar) in pallet_tensornet_compliance::Registrars::<Runtime>::iter() {
		let reason = pallet_tensornet_compliance::HoldReason::Registrar;
		expect(who, reason.into(), registrar.deposit);
	}
	for (who, member) in pallet_tensornet_consensus_chain::Members::<Runtime>::iter() {
		let reason = pallet_tensornet_consensus_chain::HoldReason::Membership;
		expect(who, reason.into(), member.deposit);
	}
	for (who, holds) in pallet_balances::Holds::<Runtime>::iter() {
		for hold in holds {
			let ours = !matches!(
				hold.id,
				RuntimeHoldReason::Preimage(_)
					| RuntimeHoldReason::Session(_)
					| RuntimeHoldReason::SafeMode(_)
			);
			if !ours {
				continue;
			}
			let recorded = expected.remove(&(who.clone(), hold.id.encode())).unwrap_or_default();
			ensure(recorded == hold.amount, || {
				format!(
					"{who} has {} on hold as {:?}, records say {recorded}",
					hold.amount, hold.id
				)
			})?;
		}
	}
	ensure(expected.is_empty(), || format!("recorded and not on hold: {expected:?}"))
}

/// What is reserved of every account is what is on hold, and the deposits that the SDK's pallets reserve.
///
/// The deposit of a pure proxy is recorded as the proxy's and reserved of whoever made it, for good where
/// the proxy drops its own delegates: of those, `pure`, only the holds are known for certain.
pub fn reserves_are_what_records_say(pure: &BTreeSet<AccountId>) -> Verdict {
	let mut reserved = Sums::new();
	for (who, holds) in pallet_balances::Holds::<Runtime>::iter() {
		for hold in holds {
			add(&mut reserved, who.clone(), hold.amount);
		}
	}
	for (who, (_, deposit)) in pallet_proxy::Proxies::<Runtime>::iter() {
		add(&mut reserved, who, deposit);
	}
	for (who, (_, deposit)) in pallet_proxy::Announcements::<Runtime>::iter() {
		add(&mut reserved, who, deposit);
	}
	for multisig in pallet_multisig::Multisigs::<Runtime>::iter_values() {
		add(&mut reserved, multisig.depositor, multisig.deposit);
	}
	for info in pallet_referenda::ReferendumInfoFor::<Runtime>::iter_values() {
		let deposits = match info {
			ReferendumInfo::Ongoing(status) => {
				[Some(status.submission_deposit), status.decision_deposit]
			}
			ReferendumInfo::Approved(_, one, other)
			| ReferendumInfo::Rejected(_, one, other)
			| ReferendumInfo::Cancelled(_, one, other)
			| ReferendumInfo::TimedOut(_, one, other) => [one, other],
			ReferendumInfo::Killed(_) => [None, None],
		};
		for deposit in deposits.into_iter().flatten() {
			add(&mut reserved, deposit.who, deposit.amount);
		}
	}
	asset_deposits(&mut reserved);
	for (who, account) in frame_system::Account::<Runtime>::iter() {
		let recorded = reserved.remove(&who).unwrap_or_default();
		ensure(account.data.reserved == recorded || pure.contains(&who), || {
			format!("{who} has {} reserved, records say {recorded}", account.data.reserved)
		})?;
	}
	reserved.retain(|who, _| !pure.contains(who));
	ensure(reserved.is_empty(), || format!("recorded of nobody: {reserved:?}"))
}

/// Adds the deposits that owners and holders of assets and of pools' shares have made.
fn asset_deposits(reserved: &mut Sums) {
	use pallet_assets::{Account, Approvals, Asset, ExistenceReason, Metadata};
	macro_rules! add_all {
		($instance:ty) => {{
			let mut owners = BTreeMap::new();
			for (id, asset) in Asset::<Runtime, $instance>::iter() {
				add(reserved, asset.owner.clone(), asset.deposit);
				owners.insert(id, asset.owner);
			}
			for (id, metadata) in Metadata::<Runtime, $instance>::iter() {
				if let Some(owner) = owners.get(&id) {
					add(reserved, owner.clone(), metadata.deposit);
				}
			}
			for (_, who, account) in Account::<Runtime, $instance>::iter() {
				match account.reason {
					ExistenceReason::DepositHeld(amount) => add(reserved, who, amount),
					ExistenceReason::DepositFrom(payer, amount) => add(reserved, payer, amount),
					_ => (),
				}
			}
			for ((_, owner, _), approval) in Approvals::<Runtime, $instance>::iter() {
				add(reserved, owner, approval.deposit);
			}
		}};
	}
	add_all!(Instance1);
	add_all!(Instance2);
}

/// What is in escrow is what live jobs may cost, and ended ones account for all that was held.
pub fn escrow_is_conserved() -> Verdict {
	use pallet_tensornet_escrow::{Escrowed, HoldReason, Jobs, Outcomes};
	let live: Balance = Jobs::<Runtime>::iter_values().map(|job| job.max_price).sum();
	let escrowed = Escrowed::<Runtime>::get();
	ensure(live == escrowed, || format!("{escrowed} is in escrow, live jobs may cost {live}"))?;
	let reason = RuntimeHoldReason::from(HoldReason::Job);
	let held: Balance = pallet_balances::Holds::<Runtime>::iter_values()
		.flat_map(|holds| holds.into_iter())
		.filter(|hold| hold.id == reason)
		.map(|hold| hold.amount)
		.sum();
	ensure(held == escrowed, || format!("{escrowed} is in escrow, {held} is on hold for jobs"))?;
	for (job, outcome) in Outcomes::<Runtime>::iter() {
		let total = outcome.receipt.total();
		ensure(total == outcome.held, || {
			format!("job {job} had {} in escrow and accounts for {total}", outcome.held)
		})?;
		ensure(!Jobs::<Runtime>::contains_key(job), || format!("job {job} lives and has ended"))?;
	}
	Ok(())
}

/// Accounts hold at most the supply of each asset, and of each pool's shares. Less, where the SDK's pallet
/// removed an account with what it held: on request (`refund`), or when the asset is destroyed.
pub fn assets_are_at_most_their_supply() -> Verdict {
	use pallet_assets::{Account, Asset};
	macro_rules! check {
		($instance:ty) => {{
			let mut held: BTreeMap<u32, Balance> = BTreeMap::new();
			for (id, _, account) in Account::<Runtime, $instance>::iter() {
				*held.entry(id).or_default() += account.balance;
			}
			for (id, asset) in Asset::<Runtime, $instance>::iter() {
				let found = held.remove(&id).unwrap_or_default();
				ensure(found <= asset.supply, || {
					format!("of asset {id} there are {}, accounts hold {found}", asset.supply)
				})?;
			}
			ensure(held.is_empty(), || format!("held of no asset: {held:?}"))?;
		}};
	}
	check!(Instance1);
	check!(Instance2);
	Ok(())
}

/// There is always a set of validators, and whoever has a session has authority.
pub fn somebody_makes_blocks() -> Verdict {
	let validators = Session::validators().len();
	let babe = pallet_babe::Authorities::<Runtime>::get().len();
	let grandpa = crate::Grandpa::grandpa_authorities().len();
	ensure(validators > 0, || "the chain has no validators".into())?;
	ensure(babe == validators, || format!("{validators} validators, {babe} authors"))?;
	ensure(grandpa <= crate::configs::session::MAX_VALIDATORS as usize && grandpa > 0, || {
		format!("{grandpa} accounts vote for finality")
	})
}

/// Every pallet of ours finds its own storage whole.
pub fn pallets_keep_their_own_laws() -> Verdict {
	let asked = [
		("Tna", crate::Tna::do_try_state()),
		("ComputeStaking", crate::ComputeStaking::do_try_state()),
		("Escrow", crate::Escrow::do_try_state()),
		("Poc", crate::Poc::do_try_state()),
		("Validators", crate::Validators::do_try_state()),
		("Compliance", crate::Compliance::do_try_state()),
		("ConsensusChain", crate::ConsensusChain::do_try_state()),
		("Governance", crate::Governance::do_try_state()),
	];
	for (pallet, answer) in asked {
		answer.map_err(|error| format!("try_state of {pallet}: {error:?}"))?;
	}
	Ok(())
}

/// No class of calls fills more of a block than it may, and no block is fuller than blocks may be. The
/// session pallet counts the start of a session as a whole block, so that no call is in one; operational
/// calls have a reserve of their own beyond a full block.
pub fn blocks_keep_their_limits() -> Verdict {
	let limits = RuntimeBlockWeights::get();
	let used = System::block_weight();
	for class in [DispatchClass::Normal, DispatchClass::Operational] {
		if let Some(most) = limits.get(class).max_total {
			let found = used.get(class);
			ensure(found.all_lte(most), || format!("{class:?} calls weigh {found:?} of {most:?}"))?;
		}
	}
	let rotated = pallet_babe::EpochStart::<Runtime>::get().1 == System::block_number();
	let most = limits.max_block.saturating_mul(1 + u64::from(rotated));
	let weighs = used.total().saturating_sub(*used.get(DispatchClass::Operational));
	ensure(weighs.all_lte(most), || format!("a block weighs {weighs:?} of {most:?}: {used:?}"))
}

fn parts_are_the_whole(slash: &Slash<Balance>) -> Verdict {
	let parts = slash.burned + slash.to_reporter + slash.to_requester;
	ensure(parts == slash.total, || format!("the parts of a slash are {parts}: {slash:?}"))
}

/// No slash takes more than was at stake, and its parts are the whole. What was bonded within the block
/// was at stake too.
pub fn slashes_are_at_most_the_stake(before: &Stakes, events: &[RuntimeEvent]) -> Verdict {
	use pallet_tensornet_staking::Event as Nodes;
	use pallet_tensornet_validators::Event as Validators;
	let (mut nodes, mut validators) = (before.nodes.clone(), before.validators.clone());
	let take = |of: &mut Sums, who: &AccountId, amount: Balance| {
		let stake = of.entry(who.clone()).or_default();
		ensure(amount <= *stake, || format!("{who} loses {amount} of {stake}"))?;
		*stake -= amount;
		Ok::<(), String>(())
	};
	for event in events {
		match event {
			RuntimeEvent::ComputeStaking(Nodes::NodeRegistered { stash, bond, .. }) => {
				add(&mut nodes, stash.clone(), *bond)
			}
			RuntimeEvent::ComputeStaking(Nodes::Bonded { stash, amount, .. }) => {
				add(&mut nodes, stash.clone(), *amount)
			}
			RuntimeEvent::ComputeStaking(Nodes::NodeSlashed { stash, slash, .. }) => {
				parts_are_the_whole(slash)?;
				take(&mut nodes, stash, slash.total)?;
			}
			RuntimeEvent::ComputeStaking(Nodes::SlashDecided { stash, slash, .. }) => {
				parts_are_the_whole(slash)?;
				let stake = nodes.get(stash).copied().unwrap_or_default();
				ensure(slash.total <= stake, || {
					format!("{} is to be taken of the {stake} of {stash}", slash.total)
				})?;
			}
			RuntimeEvent::Validators(Validators::CandidateRegistered { stash, bond }) => {
				add(&mut validators, stash.clone(), *bond)
			}
			RuntimeEvent::Validators(Validators::Bonded { stash, amount, .. }) => {
				add(&mut validators, stash.clone(), *amount)
			}
			RuntimeEvent::Validators(Validators::SlashEnacted { validator, taken, .. }) => {
				let parts = taken.burned + taken.to_reporter;
				ensure(parts == taken.total, || format!("the parts are {parts}: {taken:?}"))?;
				take(&mut validators, validator, taken.total)?;
			}
			_ => (),
		}
	}
	Ok(())
}

/// A settled job pays, burns, shares and refunds what was held for it, to the last planck.
pub fn settlements_pay_out_what_was_held(events: &[RuntimeEvent]) -> Verdict {
	use pallet_tensornet_escrow::{Event, Outcomes};
	for event in events {
		let RuntimeEvent::Escrow(Event::JobSettled {
			job,
			paid,
			burned,
			treasury_share,
			author_share,
			lineage_share,
			refunded,
			..
		}) = event
		else {
			continue;
		};
		let told = paid + burned + treasury_share + author_share + lineage_share + refunded;
		let held = Outcomes::<Runtime>::get(job).map(|outcome| outcome.held);
		ensure(held == Some(told), || format!("job {job} had {held:?} and reports {told}"))?;
	}
	Ok(())
}
