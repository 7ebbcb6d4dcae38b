// SPDX-License-Identifier: Apache-2.0

//! The calls of those who back nodes, of candidates and validators, and of members of the consensus
//! chain. Amounts are in the smallest unit of TNA.

use codec::Encode;

use super::Call;
use crate::AccountId;

/// Backs a node with so much more of the caller's TNA.
pub fn delegate(node: AccountId, amount: u128) -> Call {
	Call::new("ComputeStaking", "delegate", (node, amount))
}

/// Starts to take so much of a delegation out.
pub fn undelegate(node: AccountId, amount: u128) -> Call {
	Call::new("ComputeStaking", "undelegate", (node, amount))
}

/// Moves so much of a delegation to another node.
pub fn redelegate(from: AccountId, to: AccountId, amount: u128) -> Call {
	Call::new("ComputeStaking", "redelegate", (from, to, amount))
}

/// Frees everything undelegated from a node that is unlocked.
pub fn withdraw_undelegated(node: AccountId) -> Call {
	Call::new("ComputeStaking", "withdraw_undelegated", node)
}

/// Sets so many millionths as what the caller's node keeps of its delegators' rewards.
pub fn set_commission(parts: u32) -> Call {
	Call::new("ComputeStaking", "set_commission", parts)
}

/// Mints what a node earned in an ended era, for itself and for its delegators.
pub fn claim_node_rewards(node: AccountId, era: u32) -> Call {
	Call::new("ComputeStaking", "claim_rewards", (node, era))
}

/// Pays the caller what its delegation to a node earned.
pub fn claim_delegation(node: AccountId) -> Call {
	Call::new("ComputeStaking", "claim_delegation", node)
}

/// Cancels a decided slash of a node.
pub fn cancel_node_slash(node: AccountId, slash: u32) -> Call {
	Call::new("ComputeStaking", "cancel_slash", (node, slash))
}

/// Bonds so much and stands for election.
pub fn register_candidate(bond: u128) -> Call {
	Call::new("Validators", "register_candidate", bond)
}

/// Adds to the bond of a candidate.
pub fn validator_bond_more(amount: u128) -> Call {
	Call::new("Validators", "bond_more", amount)
}

/// Starts to take a part of a candidate's bond out.
pub fn validator_unbond(amount: u128) -> Call {
	Call::new("Validators", "unbond", amount)
}

/// Frees what has unbonded of a candidate's bond.
pub fn validator_withdraw() -> Call {
	Call::new("Validators", "withdraw_unbonded", ())
}

/// Does not stand for election any more, and keeps the bond.
pub fn validator_chill() -> Call {
	Call::new("Validators", "chill", ())
}

/// Stands for election again.
pub fn validator_stand() -> Call {
	Call::new("Validators", "stand", ())
}

/// Stops standing and unbonds everything.
pub fn validator_leave() -> Call {
	Call::new("Validators", "leave", ())
}

/// Mints what a validator earned in an ended era.
pub fn claim_validator_rewards(validator: AccountId, era: u32) -> Call {
	Call::new("Validators", "claim_validator_rewards", (validator, era))
}

/// Cancels a slash of a validator that waits.
pub fn cancel_validator_slash(slash: u32) -> Call {
	Call::new("Validators", "cancel_slash", slash)
}

/// Makes a node's session keys the caller's, with the proof that the node has them.
pub fn set_session_keys(keys: &[u8], proof: &[u8]) -> Call {
	let mut arguments = keys.to_vec();
	proof.encode_to(&mut arguments);
	Call::new("Session", "set_keys", super::Raw(arguments))
}

/// Joins the consensus chain without a sponsor.
pub fn join_consensus_chain() -> Call {
	Call::new("ConsensusChain", "join", ())
}

/// Names the caller's sponsor for good, and joins with it.
pub fn set_sponsor(sponsor: AccountId) -> Call {
	Call::new("ConsensusChain", "set_sponsor", sponsor)
}

/// Leaves the consensus chain.
pub fn leave_consensus_chain() -> Call {
	Call::new("ConsensusChain", "leave", ())
}
