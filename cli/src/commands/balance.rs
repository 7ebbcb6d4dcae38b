// SPDX-License-Identifier: Apache-2.0

//! `tensornet balance`, `transfer`, `burn` and `supply`.

use anyhow::{ensure, Result};
use clap::Args;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};
use tensornet_client::{
	calls,
	funds::{self, BURN_CAUSES},
	keys::parse_account,
	AccountId, Chain, Signer, Tna,
};

use crate::{
	output::{address, tna, tna_text, Facts},
	signing::{transfer_effect, Effect, Signing},
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

/// Arguments of `tensornet burn`.
#[derive(Args)]
#[command(
	after_help = "Nobody gets what is burned, and nothing brings it back: try --dry-run first.\n\nExample:\n  tensornet burn 12.5 --key ~/.tensornet-key --dry-run"
)]
pub struct BurnArgs {
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
	/// What `held` is made of.
	holds: Vec<Hold>,
	total: String,
	block: u64,
}

/// A part of what is held.
#[derive(Serialize)]
struct Hold {
	/// Who holds it and why, as `Pallet.Reason`.
	reason: String,
	amount: String,
}

impl Hold {
	/// The reason in words, where it is one of ours.
	fn words(&self) -> &str {
		match self.reason.as_str() {
			"ComputeStaking.Bond" => "bond of a node",
			"ComputeStaking.Delegation" => "backing of nodes",
			"Validators.ValidatorBond" => "bond of a validator",
			"ConsensusChain.Membership" => "deposit of a member",
			"Compliance.Registrar" => "deposit of a registrar",
			"Preimage.Preimage" => "deposits of preimages",
			"Escrow.Job" => "prices of live jobs",
			"Escrow.Deposit" => "deposits of live jobs",
			"Poc.ProgramDeposit" => "deposits of programs",
			other => other,
		}
	}
}

impl fmt::Display for Balance {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut facts = Facts::new()
			.line("account", &self.address)
			.line("free", format!("{} TNA", self.free))
			.line("held", format!("{} TNA", self.held));
		for hold in &self.holds {
			facts = facts.line(&format!("  {}", hold.words()), format!("{} TNA", hold.amount));
		}
		let facts = facts.line("total", format!("{} TNA", self.total)).line("at block", self.block);
		write!(f, "{facts}")
	}
}

#[derive(Serialize)]
struct Supply {
	/// All TNA that exists.
	issued: String,
	/// The most that may ever exist.
	cap: String,
	/// What existed at genesis.
	genesis: String,
	/// All that was burned since genesis, by cause.
	burned: BTreeMap<String, String>,
	burned_total: String,
	/// All that was minted since genesis, by what it rewards.
	emitted: BTreeMap<String, String>,
	emitted_total: String,
	/// What no era has released of the reserve yet.
	reserve: String,
	/// The running era.
	era: u32,
	/// What jobs burned in it so far.
	era_burn: String,
	/// What it would mint for nodes and those who back them if it ended now.
	next_nodes: String,
	/// What it would mint for validators.
	next_validators: String,
	block: u64,
}

impl fmt::Display for Supply {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let amount = |amount: &String| format!("{amount} TNA");
		let mut facts = Facts::new()
			.line("issued", amount(&self.issued))
			.line("cap", amount(&self.cap))
			.line("at genesis", amount(&self.genesis))
			.line("burned", amount(&self.burned_total));
		for (cause, burned) in &self.burned {
			facts = facts.line(&format!("  {cause}"), amount(burned));
		}
		facts = facts.line("minted", amount(&self.emitted_total));
		for (reason, minted) in &self.emitted {
			facts = facts.line(&format!("  {reason}"), amount(minted));
		}
		let facts = facts
			.line("reserve", amount(&self.reserve))
			.line("era", self.era)
			.line("  burned in it", amount(&self.era_burn))
			.line("  for nodes", amount(&self.next_nodes))
			.line("  for validators", amount(&self.next_validators));
		write!(f, "{}", facts.line("at block", self.block))
	}
}

/// `tensornet supply`.
pub async fn supply(context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let burned = funds::burned(&at).await?;
	let causes = BURN_CAUSES.iter().map(|cause| cause.to_lowercase());
	let supply = funds::supply(&at).await?;
	context.output.one(&Supply {
		issued: tna(supply.issued),
		cap: tna(supply.cap),
		genesis: tna(supply.genesis),
		burned: causes.zip(burned.map(tna)).collect(),
		burned_total: tna(burned.iter().sum()),
		emitted: supply.emitted().map(|(reason, sum)| (reason.to_lowercase(), tna(sum))).collect(),
		emitted_total: tna(supply.emitted().map(|(_, sum)| sum).sum()),
		reserve: tna(supply.reserve),
		era: supply.era,
		era_burn: tna(supply.era_burn),
		next_nodes: tna(supply.next.nodes),
		next_validators: tna(supply.next.validators),
		block: at.number(),
	})
}

/// `tensornet balance`.
pub async fn show(arguments: BalanceArgs, context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let Account(account) = arguments.account;
	let funds = funds::balance(&at, &account).await?;
	let holds = funds::holds(&at, &account).await?;
	let holds = holds.into_iter().map(|(reason, amount)| Hold { reason, amount: tna(amount) });
	context.output.one(&Balance {
		address: address(&account),
		free: tna(funds.free),
		held: tna(funds.reserved),
		holds: holds.collect(),
		total: tna(funds.free.saturating_add(funds.reserved)),
		block: at.number(),
	})
}

/// `tensornet transfer`.
pub async fn transfer(arguments: TransferArgs, context: &Context) -> Result<()> {
	let (Account(to), Tna(amount)) = (arguments.to, arguments.amount);
	let signer = arguments.signing.signer()?;
	let chain = context.connect().await?;
	has(&chain, &signer, amount).await?;
	let effect = transfer_effect(&address(&to), amount);
	let call = calls::transfer(to, amount);
	let sent = arguments.signing.send(context, &chain, &call, effect).await?;
	context.output.one(&sent)
}

/// `tensornet burn`.
pub async fn burn(arguments: BurnArgs, context: &Context) -> Result<()> {
	let Tna(amount) = arguments.amount;
	ensure!(amount > 0, "nothing to burn: name an amount above zero");
	let signer = arguments.signing.signer()?;
	let chain = context.connect().await?;
	has(&chain, &signer, amount).await?;
	let effect = Effect::from(format!("burn {} for good", tna_text(amount))).paying(amount);
	let sent = arguments.signing.send(context, &chain, &calls::burn(amount), effect).await?;
	context.output.one(&sent)
}

/// Fails if a key does not own an amount, before a fee is paid for nothing.
async fn has(chain: &Chain, signer: &Signer, amount: u128) -> Result<()> {
	let funds = funds::balance(&chain.best().await?, &signer.account()).await?.free;
	ensure!(
		funds > amount,
		"{} has {} free, less than {} and a fee",
		address(&signer.account()),
		tna_text(funds),
		tna_text(amount)
	);
	Ok(())
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
