// SPDX-License-Identifier: Apache-2.0

//! What must be true of a table before a chain is made of it.

use super::{Holder, Purpose, Tokenomics, Validator, RESERVE, TREASURY};
use sp_core::{crypto::Ss58Codec, ed25519, sr25519};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use std::collections::BTreeSet;
use tensornet_runtime::{
	configs::tensornet::{Treasury, EMISSION_RESERVE, MAX_SUPPLY},
	currency::UNIT,
	time::DAYS,
	AccountId, Balance,
};

/// The longest a vesting schedule may last, all its parts together.
const MAX_DAYS: u64 = 20 * 365;

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), String> {
	if holds {
		Ok(())
	} else {
		Err(message())
	}
}

/// The account that an address names.
pub(super) fn account(address: &str) -> Result<AccountId, String> {
	if address == TREASURY {
		use frame_support::traits::Get;
		return Ok(Treasury::get());
	}
	AccountId::from_ss58check(address)
		.map_err(|_| format!("{address} is no address: give one in SS58, `treasury` or `reserve`"))
}

pub(super) fn babe_key(address: &str) -> Result<sr25519::Public, String> {
	sr25519::Public::from_ss58check(address)
		.map_err(|_| format!("{address} is no address of an sr25519 key"))
}

pub(super) fn grandpa_key(address: &str) -> Result<ed25519::Public, String> {
	ed25519::Public::from_ss58check(address)
		.map_err(|_| format!("{address} is no address of an ed25519 key"))
}

impl Tokenomics {
	pub(super) fn check(&self) -> Result<(), String> {
		self.check_sums()?;
		self.check_accounts()?;
		self.holder.iter().try_for_each(check_vesting)?;
		self.check_validators()
	}

	fn check_sums(&self) -> Result<(), String> {
		let cap = Balance::from(self.cap).saturating_mul(UNIT);
		require(cap == MAX_SUPPLY, || {
			format!("the cap is {} TNA, but the runtime's is {}", self.cap, MAX_SUPPLY / UNIT)
		})?;
		let percent: u64 = self.share.values().fold(0, |sum, part| sum.saturating_add(*part));
		require(percent == 100, || format!("the parts are {percent} % of the cap, not 100 %"))?;
		for holder in &self.holder {
			require(self.share.contains_key(&holder.part), || {
				format!("{} belongs to `{}`, which is no part", holder.name, holder.part)
			})?;
			require(holder.tna > 0, || format!("{} holds nothing: leave it out", holder.name))?;
			require(holder.is_reserve() == (holder.part == "nodes"), || {
				format!("{}: the part `nodes` is the reserve, and nothing else is", holder.name)
			})?;
		}
		for (part, percent) in &self.share {
			let holds = self
				.holder
				.iter()
				.filter(|holder| holder.part == *part)
				.fold(0u128, |sum, holder| sum.saturating_add(holder.tna.into()));
			let due = u128::from(self.cap).saturating_mul((*percent).into()) / 100;
			require(holds == due, || {
				format!("the holders of `{part}` have {holds} TNA, but {percent} % is {due}")
			})?;
		}
		let reserve = Balance::from(self.reserved()).saturating_mul(UNIT);
		require(reserve == EMISSION_RESERVE, || {
			format!(
				"the reserve is {} TNA, but the runtime emits up to {}",
				self.reserved(),
				EMISSION_RESERVE / UNIT
			)
		})?;
		let all = Balance::from(self.minted()).saturating_mul(UNIT).saturating_add(reserve);
		require(all <= MAX_SUPPLY, || {
			format!("genesis and reserve are {} TNA together, above the cap", all / UNIT)
		})
	}

	fn check_accounts(&self) -> Result<(), String> {
		let mut seen = BTreeSet::new();
		for holder in self.holders() {
			let account =
				account(&holder.account).map_err(|error| format!("{}: {error}", holder.name))?;
			require(seen.insert(account), || {
				format!("{} holds twice: give each account one row", holder.account)
			})?;
		}
		require(seen.contains(&account(TREASURY)?), || {
			"the treasury holds nothing: its account must exist from the start".into()
		})
	}

	fn check_validators(&self) -> Result<(), String> {
		require(!self.validator.is_empty(), || "a chain needs at least one validator".into())?;
		let mut keys = BTreeSet::new();
		for validator in &self.validator {
			let Validator { stash, babe, grandpa, bond } = validator;
			let holder = self
				.holders()
				.find(|holder| holder.account == *stash)
				.ok_or_else(|| format!("validator {stash} holds nothing: give it a row"))?;
			// What it stakes is held; a TNA is left for its account to live on.
			require(*bond < holder.tna, || {
				format!("{} stakes {bond} TNA, but holds {}", holder.name, holder.tna)
			})?;
			for key in [babe_key(babe)?.0, grandpa_key(grandpa)?.0] {
				require(keys.insert(key), || {
					format!("{}: a session key is used twice", holder.name)
				})?;
			}
		}
		let stashes: BTreeSet<_> = self.validator.iter().map(|one| &one.stash).collect();
		require(stashes.len() == self.validator.len(), || {
			"a stash validates twice: give each validator its own".into()
		})
	}

	/// Checks that a chain for `purpose` may have these accounts.
	pub(super) fn check_purpose(&self, purpose: Purpose) -> Result<(), String> {
		if purpose == Purpose::Staging {
			return Ok(());
		}
		let known: BTreeSet<[u8; 32]> = Sr25519Keyring::iter()
			.map(|key| key.public().0)
			.chain(Ed25519Keyring::iter().map(|key| key.public().0))
			.collect();
		let mut addresses = self.holders().map(|holder| &holder.account).collect::<Vec<_>>();
		for validator in &self.validator {
			addresses.extend([&validator.stash, &validator.babe, &validator.grandpa]);
		}
		for address in addresses {
			let bytes: [u8; 32] = account(address)?.into();
			require(!known.contains(&bytes), || {
				format!("the key of {address} is public knowledge: a main network needs another")
			})?;
		}
		Ok(())
	}
}

fn check_vesting(holder: &Holder) -> Result<(), String> {
	let Some(vesting) = holder.vesting else { return Ok(()) };
	let name = &holder.name;
	require(holder.account != RESERVE && holder.account != TREASURY, || {
		format!("{name} cannot vest: only accounts with a key do")
	})?;
	require(vesting.tna > 0 && vesting.days > 0, || {
		format!("{name}: a schedule needs an amount and at least one day")
	})?;
	require(vesting.tna <= holder.tna, || {
		format!("{name} vests {} TNA, but holds {}", vesting.tna, holder.tna)
	})?;
	let days = u64::from(vesting.start_days)
		.saturating_add(vesting.cliff_days.into())
		.saturating_add(vesting.days.into());
	require(days <= MAX_DAYS && days.saturating_mul(DAYS.into()) <= u32::MAX.into(), || {
		format!("{name} vests for {days} days: at most {MAX_DAYS} are allowed")
	})
}
