// SPDX-License-Identifier: Apache-2.0

//! Nodes and their backers, validators, registrars, members of the consensus chain: whoever has
//! something at stake or is known for something.

use super::{Ideas, Plan};
use crate::{currency::MICRO, AccountId, Balance, Hash, Historical, Runtime, SessionKeys, System};
use codec::{Decode, Encode};
use frame_support::traits::KeyOwnerProofSystem;
use pallet_tensornet_compliance::Country;
use pallet_tensornet_governance::Origin as Power;
use sp_consensus_babe::{
	digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest},
	EquivocationProof, BABE_ENGINE_ID,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{traits::Header as _, Digest, DigestItem};
use tensornet_protocol::Capability;

type Compliance = pallet_tensornet_compliance::Call<Runtime>;
type Chain = pallet_tensornet_consensus_chain::Call<Runtime>;
type Staking = pallet_tensornet_staking::Call<Runtime>;
type Tna = pallet_tensornet_tna::Call<Runtime>;
type Validators = pallet_tensornet_validators::Call<Runtime>;

impl Ideas<'_> {
	/// A call about nodes and delegation.
	pub(super) fn compute_staking(&mut self) -> Plan {
		if self.view.nodes.is_empty() || self.chance(24) {
			return self.register_node();
		}
		let (stash, node) = self.random.pick(&self.view.nodes).clone();
		match self.random.below(64) {
			0..=2 => self.register_node(),
			3..=5 => Plan::by(stash, Staking::bond_more { amount: self.bond() }),
			6..=8 => {
				let amount = self.near(node.bond);
				Plan::by(stash, Staking::unbond { amount })
			}
			9..=10 => Plan::by(self.unbonding_node(stash), Staking::withdraw_unbonded {}),
			11..=14 => {
				let ask = Some(self.ask());
				let capability = self.chance(3).then(|| self.capability());
				let endpoint = self.chance(3).then(Default::default);
				Plan::by(stash, Staking::update_node { ask, endpoint, capability })
			}
			15 => {
				let operator = self.somebody();
				Plan::by(stash, Staking::rotate_operator { operator })
			}
			16..=23 => {
				let online = !self.chance(6);
				let caller = if self.chance(3) { node.operator } else { stash };
				Plan::by(caller, Staking::set_online { online })
			}
			24 => Plan::by(stash, Staking::deregister_node {}),
			25..=32 => {
				let amount = self.usual();
				Plan::by(self.anyone(), Staking::delegate { node: stash, amount })
			}
			33..=36 => {
				let (node, who) = self.delegation(stash);
				let amount = self.usual();
				Plan::by(who, Staking::undelegate { node, amount })
			}
			37..=38 => {
				let (node, who) = self.delegation(stash);
				Plan::by(who, Staking::withdraw_undelegated { node })
			}
			39..=41 => {
				let (from, who) = self.delegation(stash.clone());
				let amount = self.usual();
				Plan::by(who, Staking::redelegate { from, to: stash, amount })
			}
			42..=43 => {
				let (node, delegator) = self.delegation(stash);
				Plan::by(self.anyone(), Staking::settle { node, delegator })
			}
			44..=46 => {
				let commission = self.part();
				Plan::by(stash, Staking::set_commission { commission })
			}
			47..=51 => self.claim_rewards(stash),
			52..=54 => {
				let (node, who) = self.delegation(stash);
				Plan::by(who, Staking::claim_delegation { node })
			}
			55..=56 => {
				let node = self.slashed_node(stash).0;
				Plan::by(self.anyone(), Staking::enact_slash { node })
			}
			57 => {
				let (node, id) = self.slashed_node(stash);
				self.with_power(Power::SlashAppeal, Staking::cancel_slash { node, id })
			}
			58..=61 => {
				let caller = node.monitor.unwrap_or(node.operator);
				let mut nodes = vec![stash];
				if self.chance(4) {
					nodes.push(self.anyone());
				}
				let nodes = nodes.try_into().expect("two of them");
				Plan::by(caller, Staking::heartbeat { nodes })
			}
			_ => {
				let monitor = (!self.chance(3)).then(|| self.anyone());
				Plan::by(stash, Staking::set_monitor { monitor })
			}
		}
	}

	fn register_node(&mut self) -> Plan {
		let who = self.anyone();
		let operator = match self.random.below(8) {
			0..=4 => who.clone(),
			5..=6 => self.somebody(),
			_ => AccountId::new([200 + self.random.below(50) as u8; 32]),
		};
		// Operators act too, and need fees.
		if !self.world.people.contains(&operator) {
			self.world.people.push(operator.clone());
		}
		let (ask, capability, bond) = (self.ask(), self.capability(), self.bond());
		let endpoint = Default::default();
		Plan::by(who, Staking::register_node { operator, ask, capability, endpoint, bond })
	}

	/// From the floor to what makes the smallest program cost some TNA.
	fn ask(&mut self) -> Balance {
		match self.random.below(8) {
			0 => 0,
			1 => Balance::MAX,
			_ => MICRO * 10u128.pow(self.random.below(12) as u32),
		}
	}

	fn capability(&mut self) -> Capability {
		let giga_macs = *self.random.pick(&[0, 1, 1_000, 2_000, 20_000, u32::MAX]);
		let memory_mib = *self.random.pick(&[0, 1, 1_024, 65_536]);
		Capability { memory_mib, giga_macs }
	}

	/// An amount of up to `all`, or just above.
	fn near(&mut self, all: Balance) -> Balance {
		match self.random.below(8) {
			0 => all,
			1 => all.saturating_add(1),
			2 => 0,
			_ => all / u128::from(2 + self.random.below(30)),
		}
	}

	/// A node that unbonds something, or else `otherwise`.
	fn unbonding_node(&mut self, otherwise: AccountId) -> AccountId {
		let now = self.view.now;
		let unlocked: Vec<&AccountId> = self
			.view
			.nodes
			.iter()
			.filter(|(_, node)| node.unbonding.iter().any(|chunk| chunk.unlock_at <= now))
			.map(|(stash, _)| stash)
			.collect();
		self.one_of(&unlocked).map_or(otherwise, |stash| (*stash).clone())
	}

	/// A delegation: the node and who delegated.
	fn delegation(&mut self, otherwise: AccountId) -> (AccountId, AccountId) {
		match self.one_of(&self.view.delegations).cloned() {
			Some(delegation) => delegation,
			None => (otherwise, self.anyone()),
		}
	}

	/// A node with a decided slash, and the number of that.
	fn slashed_node(&mut self, otherwise: AccountId) -> (AccountId, u32) {
		self.one_of(&self.view.node_slashes).cloned().unwrap_or((otherwise, 0))
	}

	fn claim_rewards(&mut self, otherwise: AccountId) -> Plan {
		let era = self.view.era;
		let ended: Vec<_> = self.view.worked.iter().filter(|(worked, _)| *worked < era).collect();
		let oldest = ended.iter().map(|(worked, _)| *worked).min();
		let ready: Vec<_> =
			ended.into_iter().filter(|(worked, _)| Some(*worked) == oldest).collect();
		let (era, node) = match self.one_of(&ready) {
			Some((era, node)) => (*era, node.clone()),
			None => (self.random.below(u64::from(era) + 2) as u32, otherwise),
		};
		Plan::by(self.anyone(), Staking::claim_rewards { node, era })
	}

	/// A call about who makes the blocks.
	pub(super) fn validators(&mut self) -> Plan {
		let ledger = self.one_of(&self.view.ledgers).cloned();
		let Some((stash, ledger)) = ledger else { return self.register_candidate() };
		match self.random.below(40) {
			0..=8 => self.register_candidate(),
			9..=11 => Plan::by(stash, Validators::bond_more { amount: self.bond() }),
			12..=15 => {
				let amount = self.near(ledger.bond);
				Plan::by(stash, Validators::unbond { amount })
			}
			16..=17 => {
				let now = self.view.now;
				let unlocked: Vec<_> = self
					.view
					.ledgers
					.iter()
					.filter(|(_, one)| one.unbonding.iter().any(|chunk| chunk.unlock_at <= now))
					.map(|(who, _)| who.clone())
					.collect();
				let who = self.one_of(&unlocked).cloned().unwrap_or(stash);
				Plan::by(who, Validators::withdraw_unbonded {})
			}
			18..=19 => Plan::by(stash, Validators::chill {}),
			20..=26 => Plan::by(stash, Validators::stand {}),
			27 => Plan::by(stash, Validators::leave {}),
			28..=36 => {
				let era = self.view.era;
				let paid: Vec<_> =
					self.view.points.iter().filter(|(worked, _)| *worked < era).collect();
				let (era, validator) = match self.one_of(&paid) {
					Some((era, who)) => (*era, who.clone()),
					None => (self.random.below(u64::from(era) + 2) as u32, stash),
				};
				Plan::by(self.anyone(), Validators::claim_validator_rewards { validator, era })
			}
			37 => {
				let id = self.one_of(&self.view.slashes).copied().unwrap_or_default();
				self.with_power(Power::SlashAppeal, Validators::cancel_slash { id })
			}
			_ => {
				let amount = self.usual();
				Plan::by(self.anyone(), Tna::burn { amount })
			}
		}
	}

	fn register_candidate(&mut self) -> Plan {
		let who = self.anyone();
		let keyed = pallet_session::NextKeys::<Runtime>::contains_key(&who);
		if !keyed && !self.chance(8) {
			return self.set_keys(who);
		}
		let bond = self.bond().saturating_mul(10);
		Plan::by(who, Validators::register_candidate { bond })
	}

	fn set_keys(&mut self, who: AccountId) -> Plan {
		let place = Sr25519Keyring::well_known().position(|key| key.to_account_id() == who);
		// Those of the genesis: a stash has the keys of the account that it is named after.
		let number = place.map_or(0, |place| (place + 6) % 12);
		let babe = Sr25519Keyring::well_known().nth(number).expect("there are twelve");
		let grandpa = Ed25519Keyring::well_known().nth(number).expect("there are twelve");
		let keys = SessionKeys { babe: babe.public().into(), grandpa: grandpa.public().into() };
		let statement = sp_core::proof_of_possession::statement_of_ownership(&who.encode());
		let mut proof = (babe.sign(&statement), grandpa.sign(&statement)).encode();
		if self.chance(16) {
			proof[0] ^= 1;
		}
		Plan::by(who, pallet_session::Call::<Runtime>::set_keys { keys, proof })
	}

	/// A call about session keys and faults.
	pub(super) fn sessions(&mut self) -> Plan {
		match self.random.below(24) {
			0..=8 => {
				let who = self.anyone();
				self.set_keys(who)
			}
			9 => {
				Plan::by(self.anyone(), pallet_tensornet_validators::Call::<Runtime>::purge_keys {})
			}
			10..=11 => self.equivocation().unwrap_or_else(|| self.validators()),
			12 => self.double_vote().unwrap_or_else(|| self.validators()),
			_ => self.validators(),
		}
	}

	/// Whether the owner of a session key makes this block. A block in which its own author is disabled is
	/// none: BABE refuses it, so that nobody can include the proof of its own fault.
	fn is_author(key_type: sp_core::crypto::KeyTypeId, key: &[u8]) -> bool {
		let owner = crate::Session::key_owner(key_type, key);
		owner.is_none() || owner == crate::Authorship::author()
	}

	/// A member of the running set with its place.
	fn offender(&mut self) -> Option<(u32, Sr25519Keyring)> {
		let authorities = pallet_babe::Authorities::<Runtime>::get();
		let place = self.random.below(authorities.len() as u64) as usize;
		let public = sp_core::sr25519::Public::from(authorities[place].0.clone());
		let key = Sr25519Keyring::well_known().find(|key| key.public() == public)?;
		let authors = Self::is_author(sp_consensus_babe::KEY_TYPE, public.as_ref());
		(!authors).then_some((place as u32, key))
	}

	/// Proves that an author made two blocks in one slot.
	fn equivocation(&mut self) -> Option<Plan> {
		let (authority_index, key) = self.offender()?;
		let slot = crate::Babe::current_slot();
		let signed = |state: u8| {
			let digest =
				PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index, slot });
			let mut header = crate::Header::new(
				System::block_number(),
				Hash::default(),
				Hash::repeat_byte(state),
				System::parent_hash(),
				Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, digest.encode())] },
			);
			let seal = DigestItem::babe_seal(key.sign(header.hash().as_ref()).into());
			header.digest_mut().push(seal);
			header
		};
		let proof = Box::new(EquivocationProof {
			slot,
			offender: key.public().into(),
			first_header: signed(1),
			second_header: if self.chance(8) { signed(1) } else { signed(2) },
		});
		let key_owner_proof = Historical::prove((sp_consensus_babe::KEY_TYPE, key.public()))?;
		let unsigned = self.chance(2);
		let call = if unsigned {
			pallet_babe::Call::<Runtime>::report_equivocation_unsigned {
				equivocation_proof: proof,
				key_owner_proof,
			}
		} else {
			pallet_babe::Call::<Runtime>::report_equivocation {
				equivocation_proof: proof,
				key_owner_proof,
			}
		};
		let signer = (!unsigned).then(|| self.anyone());
		Some(Plan { signer, call: call.into(), asset: None })
	}

	/// Proves that somebody voted for two blocks in one round of finality.
	fn double_vote(&mut self) -> Option<Plan> {
		let voters = crate::Grandpa::grandpa_authorities();
		let (voter, _) = self.one_of(&voters)?;
		let public = sp_core::ed25519::Public::from(voter.clone());
		let who = Ed25519Keyring::well_known().find(|key| key.public() == public)?;
		if Self::is_author(sp_consensus_grandpa::KEY_TYPE, public.as_ref()) {
			return None;
		}
		let (set, round, prevote) =
			(crate::Grandpa::current_set_id(), 1 + self.random.below(9), 0u8);
		let vote = |block: u8| {
			let target = (Hash::repeat_byte(block), 1u32);
			(target, who.sign(&(prevote, target, round, set).encode()))
		};
		// The types of votes are of a crate that the runtime does not depend on: this is their encoding.
		let proof = (set, prevote, round, who.public(), vote(1), vote(2)).encode();
		let equivocation_proof = Box::new(Decode::decode(&mut &proof[..]).ok()?);
		let key_owner_proof = Historical::prove((sp_consensus_grandpa::KEY_TYPE, who.public()))?;
		let unsigned = self.chance(2);
		let call = if unsigned {
			pallet_grandpa::Call::<Runtime>::report_equivocation_unsigned {
				equivocation_proof,
				key_owner_proof,
			}
		} else {
			pallet_grandpa::Call::<Runtime>::report_equivocation {
				equivocation_proof,
				key_owner_proof,
			}
		};
		let signer = (!unsigned).then(|| self.anyone());
		Some(Plan { signer, call: call.into(), asset: None })
	}

	/// A call about who is known to whom.
	pub(super) fn compliance(&mut self) -> Plan {
		let registrar = self.one_of(&self.view.registrars).cloned();
		let registrar = registrar.unwrap_or_else(|| self.anyone());
		match self.random.below(32) {
			0..=5 => Plan::by(self.anyone(), Compliance::apply {}),
			6 => Plan::by(registrar, Compliance::resign {}),
			7..=11 => self.with_power(Power::Registrars, Compliance::appoint { registrar }),
			12 => {
				let keep = self.part();
				self.with_power(Power::Registrars, Compliance::dismiss { registrar, keep })
			}
			13..=23 => {
				let call = Compliance::attest {
					subject: self.anyone(),
					level: self.random.below(6) as u8,
					country: Country(*self.random.pick(&[*b"CH", *b"DE", *b"JP", *b"x1"])),
					expires_at: self.soon(),
					commitment: Hash::repeat_byte(self.random.draw() as u8),
				};
				Plan::by(registrar, call)
			}
			24..=26 => {
				let all = &self.view.attestations;
				let (subject, by) = match self.one_of(all).cloned() {
					Some(attestation) => attestation,
					None => (self.anyone(), registrar),
				};
				let caller = if self.chance(2) { subject.clone() } else { by.clone() };
				Plan::by(caller, Compliance::revoke { subject, registrar: by })
			}
			27..=28 if self.view.sanctioned.len() < 3 => {
				let call = Compliance::sanction { who: self.anyone(), reason: Hash::zero() };
				self.with_power(Power::Registrars, call)
			}
			_ => {
				let who = self.one_of(&self.view.sanctioned).cloned();
				let who = who.unwrap_or_else(|| self.anyone());
				self.with_power(Power::Registrars, Compliance::lift { who })
			}
		}
	}

	/// A call about who brought whom.
	pub(super) fn consensus_chain(&mut self) -> Plan {
		let member = self.one_of(&self.view.members).cloned();
		let member = member.unwrap_or_else(|| self.anyone());
		let who = self.anyone();
		match self.random.below(16) {
			0..=5 => Plan::by(who, Chain::join {}),
			6..=11 => Plan::by(who, Chain::set_sponsor { sponsor: member }),
			12 => Plan::by(member, Chain::leave {}),
			13 => {
				let contributor = self.somebody();
				Plan::by(self.anyone(), Chain::pass_on { contributor })
			}
			_ => {
				let who = self.somebody();
				Plan::by(self.anyone(), Chain::clear { who })
			}
		}
	}
}
