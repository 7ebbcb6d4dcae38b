// SPDX-License-Identifier: Apache-2.0

//! The chains that can be started without a file.
//!
//! Both are for development and tests: their keys are public knowledge, and a root key exists.

use crate::{
	configs::{
		markets::{AssetId, AssetKind},
		tensornet::Treasury,
	},
	currency::{EXISTENTIAL_DEPOSIT, UNIT},
	AccountId, AssetConversionConfig, AssetsConfig, BabeConfig, Balance, BalancesConfig,
	GovernanceConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, SudoConfig,
	ValidatorsConfig, BABE_GENESIS_EPOCH_CONFIG,
};
use alloc::{vec, vec::Vec};
use frame_support::{build_struct_json_patch, traits::Get};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each development account starts with, beside the bond of those that validate.
pub const ENDOWMENT: Balance = 1_000_000 * UNIT;

/// The test asset of development chains: a dollar that nobody owes, with six decimals.
pub const TEST_ASSET: AssetId = 1;

/// One test dollar in the asset's smallest unit.
pub const TEST_DOLLAR: Balance = 1_000_000;

/// What the market maker of development chains starts with, in TNA.
pub const MARKET_MAKER_ENDOWMENT: Balance = 200_000 * UNIT;

/// What the pool of TNA and test dollars opens with: a TNA is worth two dollars.
pub const POOL: (Balance, Balance) = (100_000 * UNIT, 200_000 * TEST_DOLLAR);

/// What each validator of a development chain has bonded from the start.
pub const VALIDATOR_BOND: Balance = 100_000 * UNIT;

/// By what the periods of referenda and the length of sessions and eras are divided on development chains:
/// an era is a minute. It releases what an era of any chain does.
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

/// The account that owns the test asset and the liquidity of its pool. Its key is public knowledge.
pub fn market_maker() -> AccountId {
	Sr25519Keyring::One.to_account_id()
}

fn genesis(validators: Vec<DevValidator>) -> serde_json::Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			// The treasury's account exists from the start: a share below the existential deposit
			// could not open it.
			balances: dev_accounts()
				.into_iter()
				.map(|account| {
					let bonded = validators.iter().any(|one| one.stash.to_account_id() == account);
					let bond = if bonded { VALIDATOR_BOND } else { 0 };
					(account, ENDOWMENT + bond)
				})
				.chain([
					(Treasury::get(), EXISTENTIAL_DEPOSIT),
					(market_maker(), MARKET_MAKER_ENDOWMENT),
				])
				.collect(),
		},
		assets: AssetsConfig {
			assets: vec![(TEST_ASSET, market_maker(), true, TEST_DOLLAR / 100)],
			metadata: vec![(TEST_ASSET, b"Test Dollar".to_vec(), b"TUSD".to_vec(), 6)],
			accounts: vec![(TEST_ASSET, market_maker(), 1_000_000 * TEST_DOLLAR)],
		},
		asset_conversion: AssetConversionConfig {
			pools: vec![(
				AssetKind::Native,
				AssetKind::WithId(TEST_ASSET),
				market_maker(),
				POOL.0,
				POOL.1,
			)],
		},
		babe: BabeConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
		session: SessionConfig { keys: validators.iter().map(DevValidator::session).collect() },
		validators: ValidatorsConfig {
			candidates: validators
				.iter()
				.map(|validator| (validator.stash.to_account_id(), VALIDATOR_BOND))
				.collect(),
		},
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
