// SPDX-License-Identifier: Apache-2.0

//! `tensornet keys`: make and look at signing keys.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde::Serialize;
use std::{
	fmt,
	io::Write,
	path::{Path, PathBuf},
};
use subxt_signer::bip39::Mnemonic;
use tensornet_client::{keys::parse_account, AccountId, Signer};

use crate::{
	output::{address, Facts},
	Context,
};

/// Make and look at signing keys.
#[derive(Subcommand)]
pub enum Command {
	/// Make a new key: a mnemonic phrase and the address it controls.
	///
	/// With --file the phrase is written to a new file that only you may read, and is not shown.
	#[command(after_help = "Example:\n  tensornet keys generate --file ~/.tensornet-key")]
	Generate {
		/// Write the phrase to this new file instead of showing it.
		#[arg(long, value_name = "FILE")]
		file: Option<PathBuf>,
		/// Length of the phrase.
		#[arg(long, default_value = "12", value_parser = ["12", "24"], value_name = "WORDS")]
		words: String,
	},
	/// The address of a key, or the account behind an address.
	#[command(
		after_help = "Examples:\n  tensornet keys inspect ~/.tensornet-key\n  tensornet keys inspect //Alice"
	)]
	Inspect {
		/// A key file, a mnemonic phrase, a 0x seed, a path such as //Alice, or an SS58 address.
		#[arg(value_name = "FILE|SECRET|ADDRESS")]
		key: String,
	},
}

/// A key, with its secret only where it was asked for.
#[derive(Serialize)]
struct Key {
	address: String,
	public_key: String,
	#[serde(skip_serializing_if = "Option::is_none")]
	phrase: Option<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	file: Option<String>,
}

impl Key {
	fn new(account: &AccountId) -> Self {
		Self {
			address: address(account),
			public_key: format!("0x{}", hex::encode(account)),
			phrase: None,
			file: None,
		}
	}
}

impl fmt::Display for Key {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let facts = Facts::new()
			.line("address", &self.address)
			.line("public key", &self.public_key)
			.maybe("phrase", self.phrase.as_ref())
			.maybe("key file", self.file.as_ref());
		write!(f, "{facts}")?;
		if self.phrase.is_some() {
			writeln!(f, "Write the phrase down: whoever has it owns the account.")?;
		}
		Ok(())
	}
}

/// Runs a command of this group.
pub fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Generate { file, words } => generate(file, &words, context),
		Command::Inspect { key } => {
			let account = match parse_account(&key) {
				Ok(account) => account,
				Err(_) => Signer::from_argument(&key)
					.with_context(|| "not an address, a key file or a secret".to_owned())?
					.account(),
			};
			context.output.one(&Key::new(&account))
		}
	}
}

fn generate(file: Option<PathBuf>, words: &str, context: &Context) -> Result<()> {
	let phrase = new_phrase(if words == "24" { 32 } else { 16 })?;
	let mut key = Key::new(&Signer::from_uri(&phrase)?.account());
	match file {
		Some(path) => {
			write_secret(&path, &phrase)?;
			key.file = Some(path.display().to_string());
		}
		None => key.phrase = Some(phrase),
	}
	context.output.one(&key)
}

/// A mnemonic phrase from fresh entropy of the operating system.
fn new_phrase(entropy_bytes: usize) -> Result<String> {
	let mut entropy = vec![0; entropy_bytes];
	getrandom::fill(&mut entropy)
		.map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
	Ok(Mnemonic::from_entropy(&entropy)?.to_string())
}

/// Writes a secret to a file that does not exist yet and that only its owner may read.
fn write_secret(path: &Path, secret: &str) -> Result<()> {
	let mut options = std::fs::OpenOptions::new();
	options.write(true).create_new(true);
	#[cfg(unix)]
	{
		use std::os::unix::fs::OpenOptionsExt;
		options.mode(0o600);
	}
	let mut file = options.open(path).with_context(|| {
		format!("cannot create {}: choose a new file in a folder that exists", path.display())
	})?;
	writeln!(file, "{secret}")?;
	file.sync_all()?;
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn phrases_differ_and_give_keys() {
		let (one, two) = (new_phrase(16).unwrap(), new_phrase(32).unwrap());
		assert_eq!(one.split(' ').count(), 12);
		assert_eq!(two.split(' ').count(), 24);
		let account = |phrase: &str| Signer::from_uri(phrase).unwrap().account();
		assert_ne!(account(&one), account(&two));
	}

	#[test]
	fn a_key_file_is_never_overwritten() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("key");
		write_secret(&path, "//Alice").unwrap();
		assert!(write_secret(&path, "//Bob").is_err());
		let signer = Signer::from_file(&path).unwrap();
		assert_eq!(signer.account(), Signer::from_uri("//Alice").unwrap().account());
	}
}
