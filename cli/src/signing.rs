// SPDX-License-Identifier: Apache-2.0

//! Transactions: who signs, what they cost, what they did.

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use std::fmt;
use tensornet_client::{calls::Call, chain::Receipt, Chain, Signer};

use crate::{
	output::{address, root, tna, tna_text, Facts},
	Context,
};

/// Arguments of every command that writes to the chain.
#[derive(Args, Clone, Debug)]
pub struct Signing {
	/// Who signs: a key file, a mnemonic phrase, a 0x seed, or a development path such as //Alice.
	#[arg(long, env = "TENSORNET_KEY", value_name = "FILE|SECRET", hide_env_values = true)]
	pub key: Option<String>,

	/// Show the fee and the effect, and send nothing.
	#[arg(long)]
	pub dry_run: bool,
}

impl Signing {
	/// The key to sign with.
	pub fn signer(&self) -> Result<Signer> {
		let key = self.key.as_deref().context(
			"no key to sign with: give --key FILE or set TENSORNET_KEY \
			 (tensornet keys generate --file FILE makes one)",
		)?;
		Signer::from_argument(key)
	}

	/// Sends a call, or shows what sending it would cost. `effect` says in words what it does.
	pub async fn send(
		&self,
		context: &Context,
		chain: &Chain,
		call: &Call,
		effect: String,
	) -> Result<Sent> {
		let signer = self.signer()?;
		let from = address(&signer.account());
		let base = Sent {
			call: call.label(),
			effect,
			from,
			dry_run: self.dry_run,
			fee: None,
			block: None,
			extrinsic: None,
			receipt: None,
		};
		if self.dry_run {
			let fee = chain
				.fee(call, &signer)
				.await
				.with_context(|| format!("the chain cannot tell what {} costs", call.label()))?;
			return Ok(Sent { fee: Some(tna(fee)), ..base });
		}
		context.note(format!(
			"{} may be on its way already: look before you send it again",
			call.label()
		));
		let receipt = chain
			.call(call, &signer)
			.await
			.with_context(|| format!("{} was refused", call.label()))?;
		Ok(Sent {
			fee: paid_fee(&receipt).map(tna),
			block: Some(root(&receipt.block)),
			extrinsic: Some(root(&receipt.extrinsic)),
			receipt: Some(receipt),
			..base
		})
	}
}

/// A transaction that was sent, or would be.
#[derive(Debug, Serialize)]
pub struct Sent {
	/// `Pallet.call`.
	pub call: String,
	/// What it does.
	pub effect: String,
	/// Address of the signer.
	pub from: String,
	/// Whether it was only tried out.
	pub dry_run: bool,
	/// Fee in TNA: paid, or for a dry run estimated.
	pub fee: Option<String>,
	/// Block that holds it.
	pub block: Option<String>,
	/// Its hash.
	pub extrinsic: Option<String>,
	/// What it did.
	#[serde(skip)]
	pub receipt: Option<Receipt>,
}

impl fmt::Display for Sent {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let head = if self.dry_run { "would" } else { "done" };
		let fee = self.fee.as_ref().map(|fee| format!("{fee} TNA"));
		let facts = Facts::new()
			.line(head, &self.effect)
			.line("signed by", &self.from)
			.maybe("fee", fee)
			.maybe("block", self.block.as_ref());
		write!(f, "{facts}")?;
		if self.dry_run {
			writeln!(f, "Nothing was sent: leave --dry-run out to do it.")?;
		}
		Ok(())
	}
}

/// The fee of a transaction from the event that reports it: account, fee, tip.
pub fn paid_fee(receipt: &Receipt) -> Option<u128> {
	let event =
		receipt.events.iter().position(|name| name == "TransactionPayment.TransactionFeePaid")?;
	let fee = receipt.fields.get(event)?.get(32..48)?;
	Some(u128::from_le_bytes(fee.try_into().ok()?))
}

/// The first field of an event of a transaction, where it is a 64-bit number.
pub fn event_number(receipt: &Receipt, event: &str) -> Option<u64> {
	let position = receipt.events.iter().position(|name| name == event)?;
	let number = receipt.fields.get(position)?.get(..8)?;
	Some(u64::from_le_bytes(number.try_into().ok()?))
}

/// An effect in words: an amount on its way to an account.
pub fn transfer_effect(to: &str, amount: u128) -> String {
	format!("send {} to {to}", tna_text(amount))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn receipt() -> Receipt {
		let mut paid = vec![7; 32];
		paid.extend_from_slice(&42u128.to_le_bytes());
		paid.extend_from_slice(&0u128.to_le_bytes());
		let mut submitted = 9u64.to_le_bytes().to_vec();
		submitted.extend_from_slice(&[1; 40]);
		Receipt {
			block: [1; 32],
			extrinsic: [2; 32],
			events: vec![
				"Escrow.JobSubmitted".into(),
				"TransactionPayment.TransactionFeePaid".into(),
			],
			fields: vec![submitted, paid],
		}
	}

	#[test]
	fn the_fee_is_read_from_its_event() {
		assert_eq!(paid_fee(&receipt()), Some(42));
		let mut none = receipt();
		none.fields[1].truncate(40);
		assert_eq!(paid_fee(&none), None);
	}

	#[test]
	fn the_job_number_is_read_from_its_event() {
		assert_eq!(event_number(&receipt(), "Escrow.JobSubmitted"), Some(9));
		assert_eq!(event_number(&receipt(), "Escrow.JobAssigned"), None);
	}
}
