// SPDX-License-Identifier: Apache-2.0

//! Blocks and transactions as the node makes them, through the runtime's own pipeline: hooks, inherents,
//! the whole transaction extension with fees and weights, dispatch.
//!
//! What is left out: the state root of each block, which would take longer than the block, and the
//! signature of most transactions. One in [`SIGNED`] goes through `Executive::apply_extrinsic` with a
//! real one.

use super::laws;
use crate::{
	configs::{markets::AssetKind, session::EpochDuration, system::RuntimeBlockWeights},
	time::MILLISECS_PER_BLOCK,
	AccountId, AllPalletsWithSystem, Babe, Executive, Hash, Header, Runtime, RuntimeCall,
	RuntimeOrigin, Session, Signature, SignedPayload, System, TxExtension, UncheckedExtrinsic,
};
use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, DispatchResultWithPostInfo, GetDispatchInfo},
	traits::{Get, OnFinalize, OnIdle},
	weights::Weight,
};
use pallet_tensornet_validators::Ledgers;
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryPlainPreDigest, SecondaryVRFPreDigest},
	Slot, BABE_ENGINE_ID,
};
use sp_core::{crypto::VrfSecret, sr25519::vrf::VrfSignature};
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::{CheckedExtrinsic, Era, ExtrinsicFormat},
	traits::{
		Applyable, DispatchTransaction, Dispatchable, ExtensionPostDispatchWeightHandler,
		Header as _, TransactionExtension,
	},
	transaction_validity::{TransactionSource, TransactionValidityError},
	Digest, DigestItem, DispatchError,
};
use std::time::{Duration, Instant};
use tensornet_tensor::arbitrary::Random;

/// Of so many transactions with a known key one is signed and verified.
pub const SIGNED: u64 = 64;

/// Bytes of a transaction beside its call, about.
const ENVELOPE: usize = 140;

/// What became of a transaction.
pub enum Fate {
	/// It did not get into the block.
	Refused,
	/// It was executed.
	Done {
		/// What its call answered.
		result: Result<(), DispatchError>,
		/// How long the call took.
		took: Duration,
		/// What the call was charged for.
		charged: Weight,
		/// What it says it used.
		used: Weight,
	},
}

/// What the author of the block of `slot` signs for the beacon: its place in the set and its VRF output.
fn vrf(slot: Slot, authority_index: u32) -> Option<VrfSignature> {
	use pallet_babe::{Authorities, EpochIndex, GenesisSlot, NextRandomness, Randomness};
	let place = authority_index as usize;
	let (author, randomness, index) = if rotates_in(slot) {
		let index = sp_consensus_babe::epoch_index(slot, GenesisSlot::<Runtime>::get(), epoch());
		let keys = Session::queued_keys().into_iter().nth(place)?.1;
		(keys.babe, NextRandomness::<Runtime>::get(), index)
	} else {
		let author = Authorities::<Runtime>::get().get(place)?.0.clone();
		(author, Randomness::<Runtime>::get(), EpochIndex::<Runtime>::get())
	};
	let public = sp_core::sr25519::Public::from(author);
	let key = Sr25519Keyring::well_known().find(|key| key.public() == public)?;
	let data = sp_consensus_babe::make_vrf_sign_data(&randomness, slot, index);
	Some(key.pair().vrf_sign(&data))
}

/// Slots of an epoch.
pub fn epoch() -> u64 {
	EpochDuration::get()
}

/// Whether the block of `slot` begins a session.
fn rotates_in(slot: Slot) -> bool {
	System::block_number() > 0 && slot >= Babe::current_epoch_start() + epoch()
}

/// The set that is in force in `slot`.
fn set_in(slot: Slot) -> Vec<AccountId> {
	if rotates_in(slot) {
		Session::queued_keys().into_iter().map(|(validator, _)| validator).collect()
	} else {
		Session::validators()
	}
}

/// Who makes the block of `slot`: nobody that is disabled, and nobody that is absent if others are there.
fn author(slot: Slot, absent: Option<&AccountId>) -> u32 {
	let validators = Session::validators();
	let mut shut: Vec<AccountId> = Session::disabled_validators()
		.into_iter()
		.filter_map(|index| validators.get(index as usize).cloned())
		.collect();
	let set = set_in(slot);
	// Who equivocated is disabled anew when sessions change.
	shut.extend(
		set.iter()
			.filter(|who| Ledgers::<Runtime>::get(*who).is_some_and(|ledger| ledger.equivocated()))
			.cloned(),
	);
	let able: Vec<(u32, &AccountId)> =
		(0u32..).zip(&set).filter(|(_, who)| !shut.contains(who)).collect();
	let present: Vec<_> = able.iter().filter(|(_, who)| Some(*who) != absent).collect();
	let turn = *slot as usize;
	match (present.is_empty(), able.is_empty()) {
		(false, _) => present[turn % present.len()].0,
		(true, false) => able[turn % able.len()].0,
		// The pallet never disables all of a set: the one in the longest jail is enabled again.
		(true, true) => (turn % set.len().max(1)) as u32,
	}
}

/// Opens the next block, `skip` slots later than it could be. Where it is `busy` its author feeds the
/// beacon; without that a block is made in a third of the time.
pub fn begin_block(seed: u64, skip: u64, absent: Option<&AccountId>, busy: bool) {
	let number = System::block_number();
	let slot = if number == 0 { 1.into() } else { Babe::current_slot() + 1 + skip };
	let authority_index = author(slot, absent);
	let pre = match busy.then(|| vrf(slot, authority_index)).flatten() {
		Some(vrf_signature) => {
			PreDigest::SecondaryVRF(SecondaryVRFPreDigest { authority_index, slot, vrf_signature })
		}
		None => PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index, slot }),
	};
	let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre.encode())] };
	let parent = Hash::from(sp_io::hashing::blake2_256(&(seed, number).encode()));
	let header = Header::new(number + 1, Hash::default(), Hash::default(), parent, digest);
	Executive::initialize_block(&header);
	let now = pallet_timestamp::Call::set { now: *slot * MILLISECS_PER_BLOCK };
	let inherent = UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(now));
	let applied = Executive::apply_extrinsic(inherent).expect("the inherent is valid");
	applied.expect("the inherent succeeds");
	Executive::inherents_applied();
}

/// Closes the block as `Executive::finalize_block` does, without the state root.
pub fn finish_block() -> laws::Verdict {
	let number = System::block_number();
	System::note_finished_extrinsics();
	let most = RuntimeBlockWeights::get().max_block;
	let left = most.saturating_sub(System::block_weight().total());
	if left.all_gt(Weight::zero()) {
		let used = AllPalletsWithSystem::on_idle(number, left);
		laws::ensure(used.all_lte(left), || format!("idle hooks used {used:?} of {left:?}"))?;
		System::register_extra_weight_unchecked(used, DispatchClass::Mandatory);
	}
	AllPalletsWithSystem::on_finalize(number);
	frame_system::InherentsApplied::<Runtime>::kill();
	let kept: u32 = <Runtime as frame_system::Config>::BlockHashCount::get();
	if let Some(old) = number.checked_sub(kept + 1).filter(|old| *old > 0) {
		frame_system::BlockHash::<Runtime>::remove(old);
	}
	Ok(())
}

/// What a transaction of `who` carries beside its call.
fn extension(nonce: u32, asset: Option<AssetKind>) -> TxExtension {
	(
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(nonce),
		frame_system::CheckWeight::new(),
		pallet_asset_conversion_tx_payment::ChargeAssetTxPayment::from(0, asset),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	)
}

/// Puts a transaction of `who` into the block, whose fee is paid in TNA or in `asset`. `key` is the
/// account's key where it is known.
pub fn apply_signed(
	who: &AccountId,
	key: Option<Sr25519Keyring>,
	call: &RuntimeCall,
	asset: Option<AssetKind>,
	random: &mut Random,
) -> Result<Fate, String> {
	let right = System::account_nonce(who);
	let nonce = if random.once_in(512) { right.wrapping_add(1) } else { right };
	let extension = extension(nonce, asset);
	if let Some(key) = key.filter(|_| random.once_in(SIGNED)) {
		return Ok(apply_verified(key, call, extension));
	}
	let length = call.encoded_size() + ENVELOPE;
	let mut info = call.get_dispatch_info();
	info.extension_weight = extension.weight(call);
	let prepared = in_transaction(|| {
		let origin = RuntimeOrigin::signed(who.clone());
		extension.validate_and_prepare(origin, call, &info, length, 0)
	});
	let (pre, origin) = match prepared {
		Ok(prepared) => prepared,
		Err(_) => return Ok(Fate::Refused),
	};
	let started = Instant::now();
	let mut answer = call.clone().dispatch(origin);
	let took = started.elapsed();
	let used = laws::weight_used_is_at_most_charged(&answer, &info)?;
	let result = answer.as_ref().map(|_| ()).map_err(|failed| failed.error);
	let post = match &mut answer {
		Ok(post) => post,
		Err(failed) => &mut failed.post_info,
	};
	post.set_extension_weight(&info);
	let charged = info.call_weight;
	<TxExtension as TransactionExtension<RuntimeCall>>::post_dispatch(
		pre, &info, post, length, &result,
	)
	.map_err(|error| format!("the fee could not be settled: {error:?}"))?;
	System::note_applied_extrinsic(&answer, info);
	Ok(Fate::Done { result, took, charged, used })
}

/// The same through the whole of the executive, signature and encoding included.
fn apply_verified(key: Sr25519Keyring, call: &RuntimeCall, extension: TxExtension) -> Fate {
	let charged = call.get_dispatch_info().call_weight;
	let payload = match SignedPayload::new(call.clone(), extension.clone()) {
		Ok(payload) => payload,
		Err(_) => return Fate::Refused,
	};
	let signature = Signature::Sr25519(payload.using_encoded(|bytes| key.sign(bytes)));
	let transaction = UncheckedExtrinsic::new_signed(
		call.clone(),
		key.to_account_id().into(),
		signature,
		extension,
	);
	let started = Instant::now();
	match in_transaction(|| Executive::apply_extrinsic(transaction)) {
		Ok(result) => Fate::Done { result, took: started.elapsed(), charged, used: charged },
		Err(_) => Fate::Refused,
	}
}

/// Puts a transaction into the block that nobody signed.
pub fn apply_unsigned(call: &RuntimeCall) -> Result<Fate, String> {
	let info = call.get_dispatch_info();
	if info.class == DispatchClass::Mandatory {
		return Ok(Fate::Refused);
	}
	let length = call.encoded_size() + 8;
	let extrinsic: CheckedExtrinsic<AccountId, RuntimeCall, TxExtension> =
		CheckedExtrinsic { format: ExtrinsicFormat::Bare, function: call.clone() };
	let valid =
		in_transaction(|| extrinsic.validate::<Runtime>(TransactionSource::Local, &info, length));
	if valid.is_err() {
		return Ok(Fate::Refused);
	}
	let started = Instant::now();
	let answer: DispatchResultWithPostInfo =
		match in_transaction(|| extrinsic.apply::<Runtime>(&info, length)) {
			Ok(answer) => answer,
			Err(_) => return Ok(Fate::Refused),
		};
	let took = started.elapsed();
	let charged = info.call_weight;
	let used = laws::weight_used_is_at_most_charged(&answer, &info)?;
	let result = answer.as_ref().map(|_| ()).map_err(|failed| failed.error);
	System::note_applied_extrinsic(&answer, info);
	Ok(Fate::Done { result, took, charged, used })
}

/// Undoes what a transaction did that does not get into the block, as a block's author does.
fn in_transaction<R>(
	run: impl FnOnce() -> Result<R, TransactionValidityError>,
) -> Result<R, TransactionValidityError> {
	sp_io::storage::start_transaction();
	let result = run();
	match &result {
		Ok(_) => sp_io::storage::commit_transaction(),
		Err(_) => sp_io::storage::rollback_transaction(),
	}
	result
}
