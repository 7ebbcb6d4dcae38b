// SPDX-License-Identifier: Apache-2.0

//! A running chain takes a new runtime.

use crate::support::{free_port, Node};
use codec::Encode;
use serde_json::json;
use sp_keyring::Sr25519Keyring::Alice;
use sp_runtime::generic::Era;
use std::{str::FromStr, time::Duration};
use tempfile::tempdir;
use tensornet_runtime::{
	Hash, RuntimeCall, Signature, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION,
};

const PATIENCE: Duration = Duration::from_secs(90);

/// This build's runtime, which calls itself one version newer.
fn next_runtime() -> Vec<u8> {
	let wasm = tensornet_runtime::WASM_BINARY.expect("the runtime was built to WASM");
	let mut wasm = sp_maybe_compressed_blob::decompress(wasm, 64 << 20).unwrap().into_owned();
	// The version is a section of its own: its name, then both names of the runtime, the authoring
	// version and the spec version.
	let name = b"\x0fruntime_version";
	let section = wasm
		.windows(name.len())
		.position(|window| window == name)
		.expect("the version is embedded");
	let names = (VERSION.spec_name.clone(), VERSION.impl_name.clone()).encoded_size();
	let at = section + name.len() + names + VERSION.authoring_version.encoded_size();
	let field = &mut wasm[at..at + 4];
	assert_eq!(field, VERSION.spec_version.encode());
	field.copy_from_slice(&(VERSION.spec_version + 1).encode());
	// Uncompressed it is more than fits into a block.
	sp_maybe_compressed_blob::compress_strongly(&wasm, 64 << 20).expect("it can be compressed")
}

fn signed_by_alice(call: RuntimeCall, genesis: Hash) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_asset_conversion_tx_payment::ChargeAssetTxPayment::from(0, None),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let implied = (
		(),
		(),
		VERSION.spec_version,
		VERSION.transaction_version,
		genesis,
		genesis,
		(),
		(),
		(),
		None,
		(),
	);
	let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implied);
	let signature = payload.using_encoded(|bytes| Alice.sign(bytes));
	UncheckedExtrinsic::new_signed(
		call,
		Alice.to_account_id().into(),
		Signature::Sr25519(signature),
		extension,
	)
}

fn spec_version(node: &Node) -> u64 {
	node.call("state_getRuntimeVersion", json!([]))
		.ok()
		.and_then(|version| version["specVersion"].as_u64())
		.unwrap_or(0)
}

#[test]
fn set_code_replaces_the_runtime_and_blocks_go_on() {
	let directory = tempdir().unwrap();
	let port = free_port().to_string();
	let arguments = ["--dev", "--tmp", "--port", &port].map(str::to_owned);
	let mut node = Node::start(directory.path(), "upgraded", &arguments);
	node.wait("the first finalized block", PATIENCE, |node| node.finalized() >= 1);
	assert_eq!(spec_version(&node), u64::from(VERSION.spec_version));

	let genesis = node.call("chain_getBlockHash", json!([0])).unwrap();
	let genesis = Hash::from_str(genesis.as_str().unwrap()).unwrap();
	let set_code = RuntimeCall::System(frame_system::Call::set_code { code: next_runtime() });
	let as_root = RuntimeCall::Sudo(pallet_sudo::Call::sudo_unchecked_weight {
		call: Box::new(set_code),
		weight: Default::default(),
	});
	let transaction = sp_core::bytes::to_hex(&signed_by_alice(as_root, genesis).encode(), false);
	node.call("author_submitExtrinsic", json!([transaction])).expect("the transaction is valid");

	node.wait("the new runtime", PATIENCE, |node| {
		spec_version(node) == u64::from(VERSION.spec_version) + 1
	});
	let height = node.finalized();
	node.wait("blocks of the new runtime", PATIENCE, |node| node.finalized() >= height + 2);
}
