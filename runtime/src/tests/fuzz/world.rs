// SPDX-License-Identifier: Apache-2.0

//! Who acts, and what there is to act on: the accounts of a run, and the live state at the start of each
//! block, from which the arguments of calls are taken.

use super::work::Library;
use crate::{
	genesis_config_presets::market_maker, AccountId, Balance, BlockNumber, Governance, Hash,
	OriginCaller, Runtime, RuntimeCall,
};
use codec::{DecodeAll, Encode};
use frame_support::instances::Instance1;
use pallet_assets::AssetDetails;
use pallet_referenda::ReferendumInfo;
use pallet_tensornet_escrow::JobOf;
use pallet_tensornet_governance::ParameterInfo;
use pallet_tensornet_poc::Commitment;
use pallet_tensornet_staking::NodeOf;
use pallet_tensornet_validators::LedgerOf;
use sp_keyring::Sr25519Keyring;
use std::collections::BTreeMap;
use tensornet_protocol::{EraIndex, JobId};
use tensornet_tensor::arbitrary::Random;

use crate::configs::{parameters::RuntimeParameters, utility::ProxyType};

/// Accounts that begin with nothing.
const STRANGERS: u8 = 12;

/// A governed parameter: the beginning of its encoding, and the length of its value.
pub struct Parameter {
	start: [u8; 3],
	width: usize,
	/// Its name, as `Governance.parameters` gives it.
	name: Vec<u8>,
}

impl Parameter {
	/// Sets the parameter to a value, or back to its default, also where there is no such value.
	pub fn set(&self, value: Option<u128>) -> RuntimeParameters {
		let [group, number, _] = self.start;
		let mut bytes = vec![group, number, u8::from(value.is_some())];
		if let Some(value) = value {
			bytes.extend_from_slice(&value.to_le_bytes()[..self.width]);
		}
		RuntimeParameters::decode_all(&mut &bytes[..]).unwrap_or_else(|_| {
			RuntimeParameters::decode_all(&mut &[group, number, 0][..])
				.expect("it was found by decoding")
		})
	}

	/// Its unit and bounds.
	pub fn info<'a>(&self, all: &'a [ParameterInfo]) -> &'a ParameterInfo {
		all.iter().find(|info| info.name == self.name).expect("every parameter has bounds")
	}

	/// Every parameter of the runtime, found by what decodes. A type of the codec's own says nothing of
	/// the bounds; the names in its debug form do.
	fn all() -> Vec<Self> {
		let infos = Governance::parameters();
		let mut found = Vec::new();
		for group in 0..16u8 {
			for number in 0..32u8 {
				let start = [group, number, 1];
				let width = [16, 4, 1].into_iter().find(|width| {
					let mut bytes = start.to_vec();
					bytes.resize(3 + width, 0);
					RuntimeParameters::decode_all(&mut &bytes[..]).is_ok()
				});
				let Some(width) = width else { continue };
				let mut parameter = Self { start, width, name: Vec::new() };
				let told = format!("{:?}", parameter.set(None)).to_lowercase();
				let named: Vec<&ParameterInfo> = infos
					.iter()
					.filter(|info| {
						let name = String::from_utf8_lossy(&info.name).to_lowercase();
						let (module, item) = name.split_once('.').expect("module and item");
						told.starts_with(&format!("{module}("))
							&& told.contains(&format!("{item}({item}"))
					})
					.collect();
				let [info] = named[..] else { panic!("{told} is {} parameters", named.len()) };
				parameter.name = info.name.clone();
				found.push(parameter);
			}
		}
		assert_eq!(found.len(), infos.len(), "a parameter was not found");
		found
	}
}

/// A call that several accounts sign together.
pub struct Joint {
	/// All of them, sorted.
	pub signers: Vec<AccountId>,
	/// How many are needed.
	pub threshold: u16,
	/// The call.
	pub call: RuntimeCall,
}

/// The accounts of a run and what they remember.
pub struct World {
	/// Holds the root key. It does nothing else, or its fees might run out.
	pub root: AccountId,
	/// Everybody else.
	pub people: Vec<AccountId>,
	/// Those whose key is known.
	pub keys: BTreeMap<AccountId, Sr25519Keyring>,
	/// What is computed.
	pub library: Library,
	/// What governance may change.
	pub parameters: Vec<Parameter>,
	/// Preimages, noted or not.
	pub preimages: Vec<Vec<u8>>,
	/// Joint calls under way.
	pub joint: Vec<Joint>,
	/// Calls announced by proxies.
	pub announced: Vec<(AccountId, AccountId, RuntimeCall)>,
	/// Pure proxies: proxy, maker, type, number, height, extrinsic.
	pub pure: Vec<(AccountId, AccountId, ProxyType, u16, BlockNumber, u32)>,
}

impl World {
	/// The world of a run.
	pub fn new(random: &mut Random) -> Self {
		let keys: BTreeMap<AccountId, Sr25519Keyring> =
			Sr25519Keyring::well_known().map(|key| (key.to_account_id(), key)).collect();
		let root = Sr25519Keyring::Alice.to_account_id();
		let mut people: Vec<AccountId> = Sr25519Keyring::well_known()
			.map(Sr25519Keyring::to_account_id)
			.filter(|who| *who != root)
			.collect();
		people.push(market_maker());
		people.extend((1..=STRANGERS).map(|number| AccountId::new([number; 32])));
		Self {
			root,
			people,
			keys,
			library: Library::new(random),
			parameters: Parameter::all(),
			preimages: Vec::new(),
			joint: Vec::new(),
			announced: Vec::new(),
			pure: Vec::new(),
		}
	}
}

/// The state at the start of a block.
pub struct View {
	/// The block.
	pub now: BlockNumber,
	/// The era.
	pub era: EraIndex,
	/// Live jobs.
	pub jobs: Vec<(JobId, JobOf<Runtime>)>,
	/// Undecided commitments.
	pub commitments: Vec<(JobId, Commitment<Runtime>)>,
	/// Registered programs.
	pub programs: Vec<(Hash, AccountId)>,
	/// Nodes, by stash.
	pub nodes: Vec<(AccountId, NodeOf<Runtime>)>,
	/// Node and delegator.
	pub delegations: Vec<(AccountId, AccountId)>,
	/// Eras in which nodes worked.
	pub worked: Vec<(EraIndex, AccountId)>,
	/// Bonds of validators, by stash.
	pub ledgers: Vec<(AccountId, LedgerOf<Runtime>)>,
	/// Blocks that wait to be paid for.
	pub points: Vec<(EraIndex, AccountId)>,
	/// Numbers of the validators' slashes that wait.
	pub slashes: Vec<u32>,
	/// Node and number of its slashes that wait.
	pub node_slashes: Vec<(AccountId, u32)>,
	/// Registrars and applicants.
	pub registrars: Vec<AccountId>,
	/// Subject and registrar.
	pub attestations: Vec<(AccountId, AccountId)>,
	/// Sanctioned accounts.
	pub sanctioned: Vec<AccountId>,
	/// Members of the consensus chain.
	pub members: Vec<AccountId>,
	/// Referenda under way: number and track.
	pub ongoing: Vec<(u32, u16)>,
	/// Ended referenda.
	pub ended: Vec<u32>,
	/// Votes: who, on which track.
	pub voters: Vec<(AccountId, u16)>,
	/// Scheduled tasks: block, place, name.
	pub tasks: Vec<(BlockNumber, u32, Option<[u8; 32]>)>,
	/// Account and delegate.
	pub proxies: Vec<(AccountId, AccountId, ProxyType, BlockNumber)>,
	/// Assets, by number.
	pub assets: Vec<(u32, AssetDetails<Balance, AccountId, Balance>)>,
	/// Asset and holder.
	pub holders: Vec<(u32, AccountId)>,
	/// Asset, owner, delegate.
	pub approvals: Vec<(u32, AccountId, AccountId)>,
	/// Numbers of the treasury's spends.
	pub spends: Vec<u32>,
	/// Whether safe mode is on.
	pub safe_mode: bool,
	/// Paused calls.
	pub paused: Vec<pallet_tx_pause::RuntimeCallNameOf<Runtime>>,
	/// Accounts whose funds vest.
	pub vesting: Vec<AccountId>,
	/// Whitelisted calls.
	pub whitelisted: Vec<Hash>,
	/// Bounds of all parameters.
	pub bounds: Vec<ParameterInfo>,
}

impl View {
	/// Reads the state.
	pub fn read() -> Self {
		let (mut ongoing, mut ended) = (Vec::new(), Vec::new());
		for (index, info) in pallet_referenda::ReferendumInfoFor::<Runtime>::iter() {
			match info {
				ReferendumInfo::Ongoing(status) => ongoing.push((index, status.track)),
				ReferendumInfo::Killed(_) => (),
				_ => ended.push(index),
			}
		}
		let mut tasks = Vec::new();
		for (when, agenda) in pallet_scheduler::Agenda::<Runtime>::iter() {
			for (place, task) in (0u32..).zip(agenda) {
				if task.is_some() {
					tasks.push((when, place, None));
				}
			}
		}
		for (name, (when, place)) in pallet_scheduler::Lookup::<Runtime>::iter() {
			tasks.push((when, place, Some(name)));
		}
		Self {
			now: crate::System::block_number(),
			era: pallet_tensornet_validators::CurrentEra::<Runtime>::get().index,
			jobs: pallet_tensornet_escrow::Jobs::<Runtime>::iter().collect(),
			commitments: pallet_tensornet_poc::Commitments::<Runtime>::iter().collect(),
			programs: pallet_tensornet_poc::Programs::<Runtime>::iter()
				.map(|(id, record)| (id, record.author))
				.collect(),
			nodes: pallet_tensornet_staking::Nodes::<Runtime>::iter().collect(),
			delegations: pallet_tensornet_staking::Delegations::<Runtime>::iter_keys().collect(),
			worked: pallet_tensornet_staking::EraBurn::<Runtime>::iter()
				.filter(|(_, _, work)| !work.claimed)
				.map(|(era, node, _)| (era, node))
				.collect(),
			ledgers: pallet_tensornet_validators::Ledgers::<Runtime>::iter().collect(),
			points: pallet_tensornet_validators::Points::<Runtime>::iter_keys().collect(),
			slashes: pallet_tensornet_validators::Slashes::<Runtime>::iter_keys().collect(),
			node_slashes: pallet_tensornet_staking::PendingSlashes::<Runtime>::iter()
				.flat_map(|(node, all)| all.into_iter().map(move |one| (node.clone(), one.id)))
				.collect(),
			registrars: pallet_tensornet_compliance::Registrars::<Runtime>::iter_keys().collect(),
			attestations: pallet_tensornet_compliance::Attestations::<Runtime>::iter()
				.flat_map(|(who, all)| all.into_iter().map(move |one| (who.clone(), one.registrar)))
				.collect(),
			sanctioned: pallet_tensornet_compliance::Sanctions::<Runtime>::iter_keys().collect(),
			members: pallet_tensornet_consensus_chain::Members::<Runtime>::iter_keys().collect(),
			ongoing,
			ended,
			voters: pallet_conviction_voting::VotingFor::<Runtime>::iter_keys().collect(),
			tasks,
			proxies: pallet_proxy::Proxies::<Runtime>::iter()
				.flat_map(|(who, (all, _))| {
					all.into_iter()
						.map(move |one| (who.clone(), one.delegate, one.proxy_type, one.delay))
				})
				.collect(),
			assets: pallet_assets::Asset::<Runtime, Instance1>::iter().collect(),
			holders: pallet_assets::Account::<Runtime, Instance1>::iter_keys().collect(),
			approvals: pallet_assets::Approvals::<Runtime, Instance1>::iter_keys().collect(),
			spends: pallet_treasury::Spends::<Runtime>::iter_keys().collect(),
			safe_mode: crate::SafeMode::is_entered(),
			paused: pallet_tx_pause::PausedCalls::<Runtime>::iter_keys().collect(),
			vesting: pallet_vesting::Vesting::<Runtime>::iter_keys().collect(),
			whitelisted: pallet_whitelist::WhitelistedCall::<Runtime>::iter_keys().collect(),
			bounds: Governance::parameters(),
		}
	}

	/// The operator of a node.
	pub fn operator(&self, stash: &AccountId) -> Option<AccountId> {
		self.nodes.iter().find(|(who, _)| who == stash).map(|(_, node)| node.operator.clone())
	}
}

/// How the encoding of an origin is found by its power.
pub fn power(origin: pallet_tensornet_governance::Origin) -> OriginCaller {
	OriginCaller::Governance(origin)
}

/// The hash under which a preimage is noted.
pub fn preimage_hash(bytes: &[u8]) -> Hash {
	sp_io::hashing::blake2_256(bytes).into()
}

/// The hash of a call.
pub fn call_hash(call: &RuntimeCall) -> Hash {
	sp_io::hashing::blake2_256(&call.encode()).into()
}
