// SPDX-License-Identifier: Apache-2.0

//! Signing keys.

use anyhow::{bail, ensure, Context, Result};
use std::{path::Path, str::FromStr};
use subxt_signer::{sr25519::Keypair, SecretUri};

use crate::AccountId;

/// An sr25519 key that signs transactions.
#[derive(Clone)]
pub struct Signer(pub(crate) Keypair);

impl Signer {
	/// From a secret URI: a mnemonic phrase, a `0x` seed, or a development path such as `//Alice`.
	pub fn from_uri(uri: &str) -> Result<Self> {
		// The words are not repeated: they may be a secret with a typing error in it.
		let expected =
			"not a key: expected a key file, a mnemonic phrase, a 0x seed or a path such as //Alice";
		let uri = uri.trim();
		ensure!(!uri.is_empty(), "{expected}, and found nothing");
		let uri = SecretUri::from_str(uri).context(expected)?;
		Ok(Self(Keypair::from_uri(&uri).context(expected)?))
	}

	/// From a file whose first line is a secret URI. A file that others may read is refused.
	pub fn from_file(path: &Path) -> Result<Self> {
		#[cfg(unix)]
		{
			use std::os::unix::fs::PermissionsExt;
			let mode = std::fs::metadata(path)
				.with_context(|| format!("cannot read key file {}", path.display()))?
				.permissions()
				.mode();
			if mode & 0o077 != 0 {
				bail!("key file {} may be read by others: run chmod 600 on it", path.display());
			}
		}
		let text = std::fs::read_to_string(path)
			.with_context(|| format!("cannot read key file {}", path.display()))?;
		Self::from_uri(text.lines().next().unwrap_or_default())
	}

	/// From an argument that is either a secret URI or the path of a key file.
	pub fn from_argument(argument: &str) -> Result<Self> {
		if Path::new(argument).is_file() {
			Self::from_file(Path::new(argument))
		} else {
			Self::from_uri(argument)
		}
	}

	/// The account that this key controls.
	pub fn account(&self) -> AccountId {
		self.0.public_key().0
	}
}

/// An account from an SS58 address or from `0x` and 64 hexadecimal digits. A secret URI is refused:
/// secrets do not belong where an address is asked for.
pub fn parse_account(text: &str) -> Result<AccountId> {
	if let Some(digits) = text.strip_prefix("0x") {
		let mut account = [0; 32];
		hex::decode_to_slice(digits, &mut account)
			.with_context(|| format!("'{text}' is not 32 bytes of hexadecimal"))?;
		return Ok(account);
	}
	subxt::utils::AccountId32::from_str(text)
		.map(|account| account.0)
		.map_err(|_| anyhow::anyhow!("'{text}' is not an SS58 address"))
}

/// The SS58 address of an account, with the generic prefix 42.
pub fn address(account: &AccountId) -> String {
	subxt::utils::AccountId32(*account).to_string()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn addresses_round_trip() {
		let alice = Signer::from_uri("//Alice").unwrap().account();
		assert_eq!(address(&alice), "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY");
		assert_eq!(parse_account(&address(&alice)).unwrap(), alice);
		assert_eq!(parse_account(&format!("0x{}", hex::encode(alice))).unwrap(), alice);
		assert!(parse_account("//Alice").is_err());
	}

	#[test]
	fn nothing_is_no_key() {
		for text in ["", " ", "0x12", "wrong words"] {
			let error = Signer::from_uri(text).err().map(|error| error.to_string());
			assert!(error.is_some_and(|error| error.starts_with("not a key")), "'{text}'");
		}
	}

	#[cfg(unix)]
	#[test]
	fn a_key_file_that_others_may_read_is_refused() {
		use std::os::unix::fs::PermissionsExt;
		let file = tempfile::NamedTempFile::new().unwrap();
		std::fs::write(file.path(), "//Bob\n").unwrap();
		std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
		assert!(Signer::from_file(file.path()).is_err());
		std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o600)).unwrap();
		let bob = Signer::from_uri("//Bob").unwrap().account();
		assert_eq!(Signer::from_file(file.path()).unwrap().account(), bob);
	}
}
