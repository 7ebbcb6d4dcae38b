// SPDX-License-Identifier: Apache-2.0

//! The calls of TensorNet's pallets. Arguments are encoded here in the order the calls declare them;
//! pallet and call numbers are looked up by name in the chain's metadata when the call is signed.
//!
//! Calls of the compute market are in this file; [`staking`], [`governance`] and [`compliance`] have
//! their own.

pub mod compliance;
pub mod governance;
pub mod staking;

use codec::Encode;
use subxt::{
	ext::{
		scale_encode::{EncodeAsFields, Error as EncodeError, FieldIter},
		scale_type_resolver::TypeResolver,
	},
	transactions::Payload,
};
use tensornet_commitment::Opening;
use tensornet_protocol::{arbitration::ElementProof, Capability, JobId, JobRequest};

use crate::{AccountId, Root};

/// A call: which one, and its encoded arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
	pallet: &'static str,
	name: &'static str,
	arguments: Arguments,
}

/// Encoded arguments of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments(Vec<u8>);

impl EncodeAsFields for Arguments {
	fn encode_as_fields_to<R: TypeResolver>(
		&self,
		_fields: &mut dyn FieldIter<'_, R::TypeId>,
		_types: &R,
		out: &mut Vec<u8>,
	) -> Result<(), EncodeError> {
		out.extend_from_slice(&self.0);
		Ok(())
	}
}

impl Payload for Call {
	type CallData = Arguments;

	fn pallet_name(&self) -> &str {
		self.pallet
	}

	fn call_name(&self) -> &str {
		self.name
	}

	fn call_data(&self) -> &Arguments {
		&self.arguments
	}
}

impl Call {
	fn new(pallet: &'static str, name: &'static str, arguments: impl Encode) -> Self {
		Self { pallet, name, arguments: Arguments(arguments.encode()) }
	}

	/// `Pallet.call`.
	pub fn label(&self) -> String {
		format!("{}.{}", self.pallet, self.name)
	}

	/// The pallet's name.
	pub fn pallet(&self) -> &'static str {
		self.pallet
	}

	/// The call's name within its pallet.
	pub fn name(&self) -> &'static str {
		self.name
	}
}

/// Arguments that are encoded already.
struct Raw(Vec<u8>);

impl Encode for Raw {
	fn encode_to<T: codec::Output + ?Sized>(&self, out: &mut T) {
		out.write(&self.0);
	}
}

/// A `MultiAddress::Id`.
#[derive(Encode)]
enum Address {
	#[codec(index = 0)]
	Id(AccountId),
}

/// Sends TNA to another account and keeps the sender's account alive.
pub fn transfer(to: AccountId, amount: u128) -> Call {
	Call::new("Balances", "transfer_keep_alive", (Address::Id(to), codec::Compact(amount)))
}

/// Burns the caller's own TNA for good.
pub fn burn(amount: u128) -> Call {
	Call::new("Tna", "burn", amount)
}

/// Registers the caller as the stash of a GPU node.
pub fn register_node(
	operator: AccountId,
	ask: u128,
	capability: Capability,
	endpoint: &str,
	bond: u128,
) -> Call {
	let arguments = (operator, ask, capability, endpoint.as_bytes().to_vec(), bond);
	Call::new("ComputeStaking", "register_node", arguments)
}

/// Changes what a node offers; `None` leaves a field as it is.
pub fn update_node(
	ask: Option<u128>,
	endpoint: Option<&str>,
	capability: Option<Capability>,
) -> Call {
	let endpoint = endpoint.map(|url| url.as_bytes().to_vec());
	Call::new("ComputeStaking", "update_node", (ask, endpoint, capability))
}

/// Offers a node for jobs, or pauses it.
pub fn set_online(online: bool) -> Call {
	Call::new("ComputeStaking", "set_online", online)
}

/// Adds to the bond of the caller's node.
pub fn bond_more(amount: u128) -> Call {
	Call::new("ComputeStaking", "bond_more", amount)
}

/// Starts to take a part of the bond of the caller's node out.
pub fn unbond(amount: u128) -> Call {
	Call::new("ComputeStaking", "unbond", amount)
}

/// Frees everything that has unbonded.
pub fn withdraw_unbonded() -> Call {
	Call::new("ComputeStaking", "withdraw_unbonded", ())
}

/// Replaces the operator key of the caller's node.
pub fn rotate_operator(operator: AccountId) -> Call {
	Call::new("ComputeStaking", "rotate_operator", operator)
}

/// Gives a sign of life for nodes of which the caller is stash, operator or monitor.
pub fn heartbeat(nodes: &[AccountId]) -> Call {
	Call::new("ComputeStaking", "heartbeat", nodes)
}

/// Ends the caller's node: its whole bond unbonds.
pub fn deregister_node() -> Call {
	Call::new("ComputeStaking", "deregister_node", ())
}

/// Registers a program; `hint` is the base URL of its constants.
pub fn register_program(bytes: Vec<u8>, hint: &str) -> Call {
	Call::new("Poc", "register_program", (bytes, hint.as_bytes().to_vec()))
}

/// Removes a program of the caller that no job needs.
pub fn unregister_program(program: Root) -> Call {
	Call::new("Poc", "unregister_program", program)
}

/// Posts a job.
pub fn submit_job(request: JobRequest<u128, u32>) -> Call {
	Call::new("Escrow", "submit_job", request)
}

/// Withdraws a job that no node has yet.
pub fn cancel_job(job: JobId) -> Call {
	Call::new("Escrow", "cancel_job", job)
}

/// Commits to a result under a seal.
pub fn commit(job: JobId, seal: Root) -> Call {
	Call::new("Poc", "commit", (job, seal))
}

/// Opens a seal.
pub fn reveal(
	job: JobId,
	trace_root: Root,
	salt: Root,
	outputs: Vec<Root>,
	manifest: Opening,
) -> Call {
	Call::new("Poc", "reveal", (job, trace_root, salt, outputs, manifest))
}

/// Answers an audit with one proof for each drawn element.
pub fn answer_audit(job: JobId, proofs: Vec<ElementProof>) -> Call {
	Call::new("Poc", "answer_audit", (job, proofs))
}

/// Proves that one element of a node's trace is wrong.
pub fn prove_fraud(job: JobId, proof: ElementProof) -> Call {
	Call::new("Poc", "prove_fraud", (job, proof))
}
