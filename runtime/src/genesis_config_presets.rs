// SPDX-License-Identifier: Apache-2.0

//! The chains that can be started without a file.
//!
//! Both are for development and tests: their keys are public knowledge, and a root key exists.

use crate::{
	configs::tensornet::Treasury,
	currency::{EXISTENTIAL_DEPOSIT, UNIT},
	AccountId, BabeConfig, Balance, BalancesConfig, GovernanceConfig, RuntimeGenesisConfig,
	SessionConfig, SessionKeys, SudoConfig, BABE_GENESIS_EPOCH_CONFIG,
};
use alloc::{vec, vec::Vec};
use frame_support::{build_struct_json_patch, traits::Get};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each development account starts with.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// By what the periods of referenda are divided on development chains.
pub const DEVELOPMENT_PACE: u32 = 1_200;

/// A validator of a development chain: its stash and its session keys.
struct DevValidator {
	stash: Sr25519Keyring,
	babe: Sr25519Keyring,
	grandpa: Ed25519Keyring,
}

const ALICE: DevValidator = DevValidator {
	stash: Sr25519Keyring::AliceStash,
	babe: Sr25519Keyring::Alice,
	grandpa: Ed25519Keyring::Alice,
};
const BOB: DevValidator = DevValidator {
	stash: Sr25519Keyring::BobStash,
	babe: Sr25519Keyring::Bob,
	grandpa: Ed25519Keyring::Bob,
};
const CHARLIE: DevValidator = DevValidator {
	stash: Sr25519Keyring::CharlieStash,
	babe: Sr25519Keyring::Charlie,
	grandpa: Ed25519Keyring::Charlie,
};

impl DevValidator {
	/// Account, validator id and keys, as sessions want them.
	fn session(&self) -> (AccountId, AccountId, SessionKeys) {
		let stash = self.stash.to_account_id();
		let keys =
			SessionKeys { babe: self.babe.public().into(), grandpa: self.grandpa.public().into() };
		(stash.clone(), stash, keys)
	}
}

/// Alice to Ferdie and their stashes.
pub fn dev_accounts() -> Vec<AccountId> {
	Sr25519Keyring::well_known().map(Sr25519Keyring::to_account_id).collect()
}

fn genesis(validators: Vec<DevValidator>) -> serde_json::Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			// The treasury's account exists from the start: a share below the existential deposit
			// could not open it.
			balances: dev_accounts()
				.into_iter()
				.map(|account| (account, ENDOWMENT))
				.chain([(Treasury::get(), EXISTENTIAL_DEPOSIT)])
				.collect(),
		},
		babe: BabeConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
		session: SessionConfig { keys: validators.iter().map(DevValidator::session).collect() },
		sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
		// Weeks become minutes: a root referendum decides in 33 minutes at the most.
		governance: GovernanceConfig { pace: DEVELOPMENT_PACE, ..Default::default() },
	})
}

/// The preset as a JSON patch over the default genesis, or `None` for an unknown name.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_str() {
		DEV_RUNTIME_PRESET => genesis(vec![ALICE]),
		LOCAL_TESTNET_RUNTIME_PRESET => genesis(vec![ALICE, BOB, CHARLIE]),
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// The names that [`get_preset`] knows.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET), PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET)]
}
