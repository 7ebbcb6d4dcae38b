// SPDX-License-Identifier: Apache-2.0

//! # Chain specifications of TensorNet
//!
//! A specification names a chain, its properties and its genesis. The genesis of a development chain
//! is a preset of the runtime; that of a real one is made of a table, [`tokenomics`]. Nothing is said
//! twice.
//!
//! ```no_run
//! let spec = tensornet_chain_spec::development()?;
//! assert_eq!(spec.id(), "tensornet_dev");
//! # Ok::<(), String>(())
//! ```

pub mod tokenomics;

use crate::tokenomics::{Purpose, Tokenomics};
use sc_chain_spec::{ChainSpecBuilder, ChainType, GenericChainSpec, Properties};

/// A specification of a TensorNet chain, without extensions.
pub type ChainSpec = GenericChainSpec;

/// Separates the network protocols of TensorNet chains from those of others.
pub const PROTOCOL_ID: &str = "tensornet";

/// The symbol, decimals and address format that wallets read.
pub fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "TNA".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}

/// One validator, Alice, who is also root. Every key is public knowledge.
///
/// # Errors
///
/// When this build has no runtime WASM: build without `SKIP_WASM_BUILD`.
pub fn development() -> Result<ChainSpec, String> {
	preset("TensorNet Development", "tensornet_dev", ChainType::Development, presets::DEVELOPMENT)
}

/// Three validators, Alice, Bob and Charlie, on one machine. Every key is public knowledge.
///
/// # Errors
///
/// When this build has no runtime WASM: build without `SKIP_WASM_BUILD`.
pub fn local_testnet() -> Result<ChainSpec, String> {
	preset(
		"TensorNet Local Testnet",
		"tensornet_local_testnet",
		ChainType::Local,
		presets::LOCAL_TESTNET,
	)
}

/// A chain whose first TNA is held by those whom `table` names, without a root key.
///
/// # Errors
///
/// When a main network would have an account whose key is public knowledge, and when this build has
/// no runtime WASM.
pub fn from_table(table: &Tokenomics, purpose: Purpose) -> Result<ChainSpec, String> {
	let (name, id, chain) = match purpose {
		Purpose::Staging => {
			("TensorNet Staging", "tensornet_staging", ChainType::Custom("Staging".into()))
		}
		Purpose::Main => ("TensorNet", "tensornet", ChainType::Live),
	};
	let genesis = table.genesis(purpose)?;
	Ok(builder(name, id, chain)?.with_genesis_config_patch(genesis).build())
}

/// The names under which the runtime keeps its genesis presets.
mod presets {
	pub const DEVELOPMENT: &str = "development";
	pub const LOCAL_TESTNET: &str = "local_testnet";
}

fn preset(name: &str, id: &str, chain: ChainType, genesis: &str) -> Result<ChainSpec, String> {
	Ok(builder(name, id, chain)?.with_genesis_config_preset_name(genesis).build())
}

fn builder(name: &str, id: &str, chain: ChainType) -> Result<ChainSpecBuilder, String> {
	let wasm = tensornet_runtime::WASM_BINARY.ok_or(
		"this build has no runtime WASM: build again without SKIP_WASM_BUILD, \
		 after scripts/setup.sh has added the WASM target",
	)?;
	Ok(ChainSpec::builder(wasm, None)
		.with_name(name)
		.with_id(id)
		.with_chain_type(chain)
		.with_protocol_id(PROTOCOL_ID)
		.with_properties(properties()))
}
