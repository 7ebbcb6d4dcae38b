// SPDX-License-Identifier: Apache-2.0

//! `tensornet balance` and `tensornet transfer`.

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use std::fmt;
use tensornet_client::{calls, keys::parse_account, records, AccountId, Tna};

use crate::{
	output::{address, tna, Facts},
	signing::{transfer_effect, Signing},
	Context,
};

/// An account as an argument.
#[derive(Clone, Copy, Debug)]
pub struct Account(pub AccountId);

impl std::str::FromStr for Account {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		parse_account(text).map(Account).map_err(|error| {
			format!("{error:#}; tensornet keys inspect shows the address of a key")
		})
	}
}

/// Arguments of `tensornet balance`.
#[derive(Args)]
#[command(
	after_help = "Example:\n  tensornet balance 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
)]
pub struct BalanceArgs {
	/// SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	account: Account,
}

/// Arguments of `tensornet transfer`.
#[derive(Args)]
#[command(after_help = "Example:\n  tensornet transfer 5F… 12.5 --key ~/.tensornet-key --dry-run")]
pub struct TransferArgs {
	/// Who receives: SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	to: Account,
	/// How much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	#[command(flatten)]
	signing: Signing,
}

#[derive(Serialize)]
struct Balance {
	address: String,
	free: String,
	held: String,
	total: String,
	block: u64,
}

impl fmt::Display for Balance {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let facts = Facts::new()
			.line("account", &self.address)
			.line("free", format!("{} TNA", self.free))
			.line("held", format!("{} TNA (bonds, prices of live jobs, deposits)", self.held))
			.line("total", format!("{} TNA", self.total))
			.line("at block", self.block);
		write!(f, "{facts}")
	}
}

/// `tensornet balance`.
pub async fn show(arguments: BalanceArgs, context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let Account(account) = arguments.account;
	let funds = records::balance(&at, &account).await?;
	context.output.one(&Balance {
		address: address(&account),
		free: tna(funds.free),
		held: tna(funds.reserved),
		total: tna(funds.free.saturating_add(funds.reserved)),
		block: at.number(),
	})
}

/// `tensornet transfer`.
pub async fn transfer(arguments: TransferArgs, context: &Context) -> Result<()> {
	let (Account(to), Tna(amount)) = (arguments.to, arguments.amount);
	// A missing key is told before the chain is bothered.
	arguments.signing.signer()?;
	let chain = context.connect().await?;
	let effect = transfer_effect(&address(&to), amount);
	let sent = arguments.signing.send(&chain, &calls::transfer(to, amount), effect).await?;
	context.output.one(&sent)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn secrets_are_not_taken_for_accounts() {
		let error = "//Alice".parse::<Account>().unwrap_err();
		assert!(error.contains("not an SS58 address"), "{error}");
		assert!(error.contains("keys inspect"), "{error}");
	}
}
