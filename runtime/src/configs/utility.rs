// SPDX-License-Identifier: Apache-2.0

//! Conveniences of accounts: batches, proxies, multisigs, and the root key of development chains.

use crate::{
	currency::deposit, Balance, Balances, OriginCaller, Runtime, RuntimeCall, RuntimeEvent, System,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	parameter_types,
	traits::{ConstU32, InstanceFilter},
};
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

impl pallet_utility::Config for Runtime {
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// One entry of 88 bytes: the key is 32 + 32, the value 24.
	pub const MultisigDepositBase: Balance = deposit(1, 88);
	/// One more account.
	pub const MultisigDepositFactor: Balance = deposit(0, 32);
	/// One entry of 8 bytes: the deposit itself.
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	/// One more delegate: account, type and delay.
	pub const ProxyDepositFactor: Balance = deposit(0, 37);
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	/// One more announcement: account, call hash and height.
	pub const AnnouncementDepositFactor: Balance = deposit(0, 68);
}

impl pallet_multisig::Config for Runtime {
	type BlockNumberProvider = System;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
}

/// What a proxy may do in the name of the account it stands for.
///
/// All but [`ProxyType::Any`] list what is allowed, so that a pallet added later is out of reach
/// until somebody decides otherwise.
#[derive(
	Copy,
	Clone,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	Debug,
	MaxEncodedLen,
	TypeInfo,
	Default,
)]
pub enum ProxyType {
	/// Everything.
	#[codec(index = 0)]
	#[default]
	Any,
	/// Everything that cannot move funds to somebody else.
	#[codec(index = 1)]
	NonTransfer,
	/// Reject announced calls of other proxies.
	#[codec(index = 2)]
	CancelProxy,
	/// Set and clear the session keys of a validator.
	#[codec(index = 3)]
	SessionKeys,
	/// Run the GPU node of a stash: prices, endpoint, operator key, online and offline. The bond stays
	/// where it is.
	#[codec(index = 4)]
	NodeManagement,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			ProxyType::Any => true,
			ProxyType::NonTransfer => matches!(
				call,
				RuntimeCall::System(_)
					| RuntimeCall::Session(_)
					| RuntimeCall::Utility(_)
					| RuntimeCall::Multisig(_)
					| RuntimeCall::Proxy(_)
					| RuntimeCall::ComputeStaking(_)
					| RuntimeCall::Validators(_)
					| RuntimeCall::Poc(_)
					| RuntimeCall::Escrow(pallet_tensornet_escrow::Call::cancel_job { .. })
					// Not naming a sponsor: it is for good, and somebody else's gain.
					| RuntimeCall::ConsensusChain(
						pallet_tensornet_consensus_chain::Call::leave {}
							| pallet_tensornet_consensus_chain::Call::clear { .. }
							| pallet_tensornet_consensus_chain::Call::pass_on { .. }
					)
			),
			ProxyType::CancelProxy => matches!(
				call,
				RuntimeCall::Proxy(pallet_proxy::Call::reject_announcement { .. })
					| RuntimeCall::Utility(_)
					| RuntimeCall::Multisig(_)
			),
			ProxyType::SessionKeys => {
				matches!(call, RuntimeCall::Session(_) | RuntimeCall::Utility(_))
			}
			ProxyType::NodeManagement => matches!(
				call,
				RuntimeCall::ComputeStaking(
					pallet_tensornet_staking::Call::update_node { .. }
						| pallet_tensornet_staking::Call::rotate_operator { .. }
						| pallet_tensornet_staking::Call::set_online { .. }
						| pallet_tensornet_staking::Call::set_monitor { .. }
						| pallet_tensornet_staking::Call::heartbeat { .. }
				) | RuntimeCall::Utility(_)
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(ProxyType::Any, _) => true,
			(
				ProxyType::NonTransfer,
				ProxyType::CancelProxy | ProxyType::SessionKeys | ProxyType::NodeManagement,
			) => true,
			(mine, theirs) => mine == theirs,
		}
	}
}

impl pallet_proxy::Config for Runtime {
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
	type CallHasher = BlakeTwo256;
	type Currency = Balances;
	type MaxPending = ConstU32<32>;
	type MaxProxies = ConstU32<32>;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type ProxyType = ProxyType;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}
