// SPDX-License-Identifier: Apache-2.0

//! Transactions: who signs, what they cost, what they did. Every command that writes goes through
//! [`Signing::send`], so that `--dry-run` means the same everywhere: it shows fee and effect, and sends
//! nothing.

use anyhow::{Context as _, Result};
use clap::Args;
use serde::{Serialize, Serializer};
use std::fmt;
use tensornet_client::{calls::Call, chain::Receipt, funds, Chain, Signer};

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

	/// Sends a call, or shows what sending it would cost and do.
	pub async fn send(
		&self,
		context: &Context,
		chain: &Chain,
		call: &Call,
		effect: impl Into<Effect>,
	) -> Result<Sent> {
		let signer = self.signer()?;
		let from = address(&signer.account());
		let base = Sent {
			call: call.label(),
			effect: effect.into(),
			from,
			dry_run: self.dry_run,
			fee: None,
			call_data: None,
			short_of: None,
			block: None,
			extrinsic: None,
			receipt: None,
		};
		if self.dry_run {
			let fee = chain
				.fee(call, &signer)
				.await
				.with_context(|| format!("the chain cannot tell what {} costs", call.label()))?;
			let at = chain.best().await?;
			let free = funds::balance(&at, &signer.account()).await?.free;
			let call_data = format!("0x{}", hex::encode(at.encoded(call)?));
			return Ok(Sent {
				fee: Some(tna(fee)),
				call_data: Some(call_data),
				short_of: base.effect.shortage(fee, free).map(tna),
				..base
			});
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

/// What a transaction does beside costing its fee. Amounts are in the smallest unit of TNA.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Effect {
	/// In words.
	#[serde(rename = "effect")]
	pub summary: String,
	/// What the signer gives away.
	#[serde(serialize_with = "amount", skip_serializing_if = "is_zero")]
	pub pays: u128,
	/// What stays the signer's and is on hold or in deposit from then on.
	#[serde(serialize_with = "amount", skip_serializing_if = "is_zero")]
	pub holds: u128,
	/// What was on hold or in deposit and is free from then on.
	#[serde(serialize_with = "amount", skip_serializing_if = "is_zero")]
	pub releases: u128,
	/// What can still vote and be staked, but not be sent to others.
	#[serde(serialize_with = "amount", skip_serializing_if = "is_zero")]
	pub locks: u128,
}

fn amount<S: Serializer>(units: &u128, serializer: S) -> Result<S::Ok, S::Error> {
	serializer.serialize_str(&tna(*units))
}

fn is_zero(units: &u128) -> bool {
	*units == 0
}

impl From<String> for Effect {
	fn from(summary: String) -> Self {
		Self { summary, ..Self::default() }
	}
}

impl From<&str> for Effect {
	fn from(summary: &str) -> Self {
		summary.to_owned().into()
	}
}

impl Effect {
	/// The signer gives this away.
	pub fn paying(self, pays: u128) -> Self {
		Self { pays, ..self }
	}

	/// This is on hold or in deposit from then on.
	pub fn holding(self, holds: u128) -> Self {
		Self { holds, ..self }
	}

	/// This is free from then on.
	pub fn releasing(self, releases: u128) -> Self {
		Self { releases, ..self }
	}

	/// This is locked from then on.
	pub fn locking(self, locks: u128) -> Self {
		Self { locks, ..self }
	}

	/// What an account that has `free` lacks for a fee and this effect, if anything.
	fn shortage(&self, fee: u128, free: u128) -> Option<u128> {
		let needed = fee.saturating_add(self.pays).saturating_add(self.holds);
		needed.checked_sub(free).filter(|lacking| *lacking > 0)
	}
}

/// A transaction that was sent, or would be.
#[derive(Debug, Serialize)]
pub struct Sent {
	/// `Pallet.call`.
	pub call: String,
	/// What it does.
	#[serde(flatten)]
	pub effect: Effect,
	/// Address of the signer.
	pub from: String,
	/// Whether it was only tried out.
	pub dry_run: bool,
	/// Fee in TNA: paid, or for a dry run estimated.
	pub fee: Option<String>,
	/// The call as batches, multisigs and referenda carry it; of a dry run.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub call_data: Option<String>,
	/// What the signer lacks for fee and effect; of a dry run.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub short_of: Option<String>,
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
		let Effect { summary, pays, holds, releases, locks } = &self.effect;
		let some = |units: &u128| (*units > 0).then(|| tna_text(*units));
		let facts = Facts::new()
			.line(head, summary)
			.line("signed by", &self.from)
			.maybe("fee", fee)
			.maybe("pays", some(pays))
			.maybe("holds", some(holds))
			.maybe("releases", some(releases))
			.maybe("locks", some(locks))
			.maybe("call", self.call_data.as_ref().map(|data| shown_call(&self.call, data)))
			.maybe("block", self.block.as_ref());
		write!(f, "{facts}")?;
		if let Some(lacking) = &self.short_of {
			writeln!(f, "The account lacks {lacking} TNA for this: the chain would refuse it.")?;
		}
		if self.dry_run {
			writeln!(f, "Nothing was sent: leave --dry-run out to do it.")?;
		}
		Ok(())
	}
}

/// The first field of an event of a transaction, where it is a 32-bit number.
pub fn event_index(receipt: &Receipt, event: &str) -> Option<u32> {
	let position = receipt.events.iter().position(|name| name == event)?;
	let number = receipt.fields.get(position)?.get(..4)?;
	Some(u32::from_le_bytes(number.try_into().ok()?))
}

/// A call with its bytes, where people would read them; `--json` has them whole.
fn shown_call(label: &str, data: &str) -> String {
	const READABLE: usize = 200;
	if data.len() <= READABLE {
		format!("{label} {data}")
	} else {
		format!("{label}, {} bytes", data.len() / 2 - 1)
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

/// An amount on its way to an account.
pub fn transfer_effect(to: &str, amount: u128) -> Effect {
	Effect::from(format!("send {} to {to}", tna_text(amount))).paying(amount)
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
	fn what_is_lacking_counts_fee_payments_and_holds() {
		let effect = Effect::from("stake").paying(10).holding(20).locking(1_000);
		assert_eq!(effect.shortage(5, 35), None);
		assert_eq!(effect.shortage(5, 34), Some(1));
		assert_eq!(effect.shortage(u128::MAX, 0), Some(u128::MAX));
	}

	#[test]
	fn json_names_the_amounts_that_there_are() {
		let effect = Effect::from("send it").paying(1_500_000_000_000);
		let json = serde_json::to_value(&effect).unwrap();
		assert_eq!(json, serde_json::json!({ "effect": "send it", "pays": "1.5" }));
	}

	#[test]
	fn a_long_call_is_not_shown_whole() {
		assert_eq!(shown_call("A.b", "0x0102"), "A.b 0x0102");
		assert_eq!(shown_call("A.b", &format!("0x{}", "00".repeat(500))), "A.b, 500 bytes");
	}

	#[test]
	fn the_job_number_is_read_from_its_event() {
		assert_eq!(event_number(&receipt(), "Escrow.JobSubmitted"), Some(9));
		assert_eq!(event_number(&receipt(), "Escrow.JobAssigned"), None);
	}
}
