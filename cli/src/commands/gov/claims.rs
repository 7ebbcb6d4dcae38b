// SPDX-License-Identifier: Apache-2.0

//! What is left to do around a referendum: its deposits, an approved payment, an authorized runtime.

use anyhow::{bail, ensure, Context as _, Result};
use clap::Args;
use serde::Serialize;
use std::{fmt, path::PathBuf};
use tensornet_client::{
	calls::governance as calls,
	dynamic::blake2_256,
	referenda::{self, Referendum},
};

use super::{propose::is_runtime, unknown};
use crate::{
	output::{address, root, tna_text},
	signing::{Effect, Sent, Signing},
	Context,
};

/// Arguments of `tensornet gov deposit` and `refund`.
#[derive(Args)]
pub struct OfReferendum {
	/// The referendum's number.
	#[arg(value_name = "REFERENDUM")]
	referendum: u32,
	#[command(flatten)]
	signing: Signing,
}

/// `tensornet gov deposit`.
pub async fn deposit(arguments: OfReferendum, context: &Context) -> Result<()> {
	let OfReferendum { referendum, signing } = arguments;
	signing.signer()?;
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let ongoing = match referenda::referendum(&at, referendum).await? {
		Some(Referendum::Ongoing(ongoing)) => ongoing,
		Some(Referendum::Ended { .. }) => bail!("referendum {referendum} has ended"),
		None => bail!(unknown(referendum)),
	};
	if let Some(deposit) = ongoing.decision_deposit {
		bail!("{} has put it down already", address(&deposit.who));
	}
	let tracks = referenda::tracks(&at)?;
	let track = super::track(&tracks, &ongoing.track.to_string())?;
	let effect = Effect::from(format!("have referendum {referendum} decided"))
		.holding(track.decision_deposit);
	let call = calls::place_decision_deposit(referendum);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// `tensornet gov refund`.
pub async fn refund(arguments: OfReferendum, context: &Context) -> Result<()> {
	let OfReferendum { referendum, signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let deposits = match referenda::referendum(&at, referendum).await? {
		Some(Referendum::Ended { deposits, .. }) => deposits,
		Some(Referendum::Ongoing(_)) => bail!("referendum {referendum} has not ended"),
		None => bail!(unknown(referendum)),
	};
	let refunds =
		[calls::refund_submission_deposit(referendum), calls::refund_decision_deposit(referendum)];
	let mut encoded = Vec::new();
	let mut owners = Vec::new();
	let mut own = 0u128;
	for (deposit, call) in deposits.iter().zip(&refunds) {
		if let Some(deposit) = deposit {
			encoded.push(at.encoded(call)?);
			owners.push(format!("{} to {}", tna_text(deposit.amount), address(&deposit.who)));
			if deposit.who == signer {
				own = own.saturating_add(deposit.amount);
			}
		}
	}
	ensure!(!encoded.is_empty(), "referendum {referendum} holds no deposit that can be taken back");
	let effect = Effect::from(format!("give back {}", owners.join(" and "))).releasing(own);
	let call = calls::batch_all(&encoded);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// Arguments of `tensornet gov payout`.
#[derive(Args)]
pub struct Payout {
	/// The spend's number, which its approval gave it.
	#[arg(value_name = "SPEND")]
	spend: u32,
	#[command(flatten)]
	signing: Signing,
}

/// `tensornet gov payout`.
pub async fn payout(arguments: Payout, context: &Context) -> Result<()> {
	let Payout { spend: number, signing } = arguments;
	signing.signer()?;
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let spend = referenda::spend(&at, number)
		.await?
		.with_context(|| format!("the treasury has approved no spend {number}"))?;
	ensure!(
		at.number() < u64::from(spend.expire_at),
		"spend {number} lapsed at block {}: it has to be approved again",
		spend.expire_at
	);
	let effect = format!(
		"pay {} from the treasury to {}",
		tna_text(spend.amount),
		address(&spend.beneficiary)
	);
	context.output.one(&signing.send(context, &chain, &calls::payout(number), effect).await?)
}

/// Arguments of `tensornet gov apply-upgrade`.
#[derive(Args)]
pub struct ApplyUpgrade {
	/// The runtime that was authorized.
	#[arg(value_name = "FILE")]
	code: PathBuf,
	#[command(flatten)]
	signing: Signing,
}

/// A runtime that was installed.
#[derive(Serialize)]
struct Applied {
	/// BLAKE2-256 of its code.
	code_hash: String,
	/// The version that it replaces.
	spec_version: u32,
	transaction: Sent,
}

impl fmt::Display for Applied {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", self.transaction)
	}
}

/// `tensornet gov apply-upgrade`.
pub async fn apply_upgrade(arguments: ApplyUpgrade, context: &Context) -> Result<()> {
	let ApplyUpgrade { code: path, signing } = arguments;
	signing.signer()?;
	let code = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
	ensure!(is_runtime(&code), "{} is no runtime: not WASM", path.display());
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let hash = blake2_256(&code);
	match referenda::authorized_upgrade(&at).await? {
		Some(authorized) if authorized == hash => {}
		Some(authorized) => bail!(
			"the runtime that was authorized is {}, and this one is {}",
			root(&authorized),
			root(&hash)
		),
		None => {
			bail!("no runtime is authorized: tensornet gov propose --authorize-upgrade begins that")
		}
	}
	let effect = format!(
		"replace runtime version {} by {}, from the next block on",
		chain.runtime_version().await?,
		root(&hash)
	);
	let call = calls::apply_authorized_upgrade(code);
	let spec_version = chain.runtime_version().await?;
	let transaction = signing.send(context, &chain, &call, effect).await?;
	// The call itself succeeds where the chain finds the code unfit: it only says so.
	let events = transaction.receipt.iter().flat_map(|receipt| &receipt.events);
	ensure!(
		!events.into_iter().any(|event| event == "System.RejectedInvalidAuthorizedUpgrade"),
		"the chain did not take the runtime: it is not a later version of its own, and the \
		 authorization is used up"
	);
	context.output.one(&Applied { code_hash: root(&hash), spec_version, transaction })
}
