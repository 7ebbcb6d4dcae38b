// SPDX-License-Identifier: Apache-2.0

//! `tensornet attest` and `tensornet requirements`: who is known to whom, and what that opens.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::{fmt, path::PathBuf};
use tensornet_client::{
	attestations::{self, Attestation, RegistrarStanding, ROLES},
	blobs::parse_root,
	calls::compliance as calls,
	AccountId, Chain, Root, Snapshot,
};
use tensornet_protocol::MAX_LEVEL;

use crate::{
	commands::{
		balance::Account,
		gov::parameters::{block_milliseconds, span},
	},
	output::{address, root, tna, Facts, Table},
	signing::{Effect, Sent, Signing},
	Context,
};

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// Attest accounts as a registrar, and look at what is attested.
#[derive(Subcommand)]
pub enum Command {
	/// State that you know who owns an account: how thoroughly, in which country, and for how long.
	///
	/// Nothing about the person goes on chain: of the evidence only a salted hash, and the salt stays
	/// with you.
	#[command(
		after_help = "Example:\n  tensornet attest issue 5F… --level 2 --country CH --days 365 \\\n      --evidence case-1207.pdf --key registrar.key\nKeep the salt that it prints with the evidence: together they prove what you saw."
	)]
	Issue(Issue),
	/// State again what you stated of an account, for longer or otherwise.
	///
	/// What is left out stays as it is.
	Renew(Renew),
	/// Take an attestation back: the registrar that made it may, and the attested account itself.
	Revoke {
		/// The attested account.
		#[arg(value_name = "ACCOUNT")]
		subject: Account,
		/// The registrar, where the attested account itself signs.
		#[arg(long, value_name = "ACCOUNT")]
		registrar: Option<Account>,
		#[command(flatten)]
		signing: Signing,
	},
	/// What is attested of an account, and which business it may enter.
	Show {
		/// SS58 address, or 0x and 64 hexadecimal digits.
		#[arg(value_name = "ACCOUNT")]
		account: Account,
	},
	/// All registrars and applicants.
	Registrars,
	/// Apply to be a registrar, with a deposit. Governance appoints.
	#[command(
		after_help = "Then have yourself proposed:\n  tensornet gov propose --appoint ACCOUNT --key ~/.tensornet-key"
	)]
	Apply {
		#[command(flatten)]
		signing: Signing,
	},
	/// Stop being a registrar or applicant. The deposit comes back; what you attested no longer counts.
	Resign {
		#[command(flatten)]
		signing: Signing,
	},
}

/// Arguments of `tensornet attest issue`.
#[derive(Args)]
pub struct Issue {
	/// The account.
	#[arg(value_name = "ACCOUNT")]
	subject: Account,
	/// How thoroughly its owner is known, from 1 to 4.
	#[arg(long, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LEVEL)), value_name = "LEVEL")]
	level: u8,
	/// Under which law the owner lives: two letters of ISO 3166-1.
	#[arg(long, value_name = "CODE", value_parser = country)]
	country: [u8; 2],
	/// For how many days it counts.
	#[arg(long, value_name = "DAYS")]
	days: u64,
	#[command(flatten)]
	evidence: Evidence,
	#[command(flatten)]
	signing: Signing,
}

/// What was seen, which stays with the registrar.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Evidence {
	/// File of the evidence. A fresh salt is drawn, and printed.
	#[arg(long, value_name = "FILE")]
	evidence: Option<PathBuf>,
	/// A commitment of your own making: 0x and 64 hexadecimal digits.
	#[arg(long, value_name = "0xHASH", value_parser = commitment)]
	commitment: Option<Root>,
}

/// Arguments of `tensornet attest renew`.
#[derive(Args)]
pub struct Renew {
	/// The account.
	#[arg(value_name = "ACCOUNT")]
	subject: Account,
	/// For how many days from now it counts.
	#[arg(long, value_name = "DAYS")]
	days: u64,
	/// Another level, from 1 to 4.
	#[arg(long, value_parser = clap::value_parser!(u8).range(1..=i64::from(MAX_LEVEL)), value_name = "LEVEL")]
	level: Option<u8>,
	/// Another country: two letters of ISO 3166-1.
	#[arg(long, value_name = "CODE", value_parser = country)]
	country: Option<[u8; 2]>,
	#[command(flatten)]
	signing: Signing,
}

fn country(text: &str) -> Result<[u8; 2], String> {
	attestations::country(text).map_err(|error| error.to_string())
}

fn commitment(text: &str) -> Result<Root, String> {
	parse_root(text).map_err(|error| error.to_string())
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Issue(arguments) => issue(arguments, context).await,
		Command::Renew(arguments) => renew(arguments, context).await,
		Command::Revoke { subject, registrar, signing } => {
			revoke(subject.0, registrar, signing, context).await
		}
		Command::Show { account: Account(account) } => {
			let at = context.connect().await?.best().await?;
			context.output.one(&View::new(&at, &account).await?)
		}
		Command::Registrars => registrars(context).await,
		Command::Apply { signing } => apply(signing, context).await,
		Command::Resign { signing } => resign(signing, context).await,
	}
}

/// An attestation that was made.
#[derive(Serialize)]
struct Issued {
	commitment: String,
	/// What proves that the evidence was seen, together with the evidence. Nobody else has it.
	#[serde(skip_serializing_if = "Option::is_none")]
	salt: Option<String>,
	transaction: Sent,
}

impl fmt::Display for Issued {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", self.transaction)?;
		writeln!(f, "commitment: {}", self.commitment)?;
		match &self.salt {
			Some(salt) if !self.transaction.dry_run => {
				writeln!(f, "salt: {salt}\nKeep the salt with the evidence: it is nowhere else.")
			}
			_ => Ok(()),
		}
	}
}

/// The chain at its best block, once the signer is known to be an appointed registrar there.
async fn as_registrar(signer: &AccountId, context: &Context) -> Result<(Chain, Snapshot)> {
	let chain = context.connect().await?;
	let at = chain.best().await?;
	match attestations::registrar(&at, signer).await? {
		Some(registrar) if registrar.standing == RegistrarStanding::Appointed => Ok((chain, at)),
		Some(_) => bail!(
			"{} has applied and is not appointed yet: governance decides that",
			address(signer)
		),
		None => bail!("{} is no registrar: tensornet attest apply begins that", address(signer)),
	}
}

/// The first block in which an attestation of so many days no longer counts.
fn expiry(at: &Snapshot, days: u64) -> Result<u32> {
	ensure!(days > 0, "an attestation counts for a day at least");
	let blocks = days.saturating_mul(DAY) / block_milliseconds(at)?.max(1);
	let longest = attestations::longest(at)?;
	ensure!(
		blocks <= u64::from(longest),
		"an attestation counts for {} at most",
		span(longest.into(), block_milliseconds(at)?)
	);
	Ok(u32::try_from(at.number().saturating_add(blocks))?)
}

async fn issue(arguments: Issue, context: &Context) -> Result<()> {
	let Issue { subject: Account(subject), level, country, days, evidence, signing } = arguments;
	let signer = signing.signer()?.account();
	ensure!(subject != signer, "nobody attests oneself: another registrar has to");
	let (salt, commitment) = match (evidence.commitment, evidence.evidence) {
		(Some(commitment), _) => (None, commitment),
		(None, Some(path)) => {
			let seen = std::fs::read(&path)
				.with_context(|| format!("cannot read the evidence {}", path.display()))?;
			let mut salt = [0; 32];
			getrandom::fill(&mut salt)
				.map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
			(Some(salt), attestations::commitment(&salt, &seen))
		}
		(None, None) => bail!("say what you have seen: --evidence FILE or --commitment 0x…"),
	};
	let (chain, at) = as_registrar(&signer, context).await?;
	let expires_at = expiry(&at, days)?;
	let effect = stated(&subject, level, country, expires_at);
	let call = calls::attest(subject, level, country, expires_at, commitment);
	let transaction = signing.send(context, &chain, &call, effect).await?;
	let salt = salt.map(|salt| root(&salt));
	context.output.one(&Issued { commitment: root(&commitment), salt, transaction })
}

fn stated(subject: &AccountId, level: u8, country: [u8; 2], expires_at: u32) -> String {
	format!(
		"attest {} at level {level}, {}, until block {expires_at}",
		address(subject),
		String::from_utf8_lossy(&country)
	)
}

async fn renew(arguments: Renew, context: &Context) -> Result<()> {
	let Renew { subject: Account(subject), days, level, country, signing } = arguments;
	let signer = signing.signer()?.account();
	let (chain, at) = as_registrar(&signer, context).await?;
	let before = made_by(&at, &subject, &signer).await?;
	let (level, country) = (level.unwrap_or(before.level), country.unwrap_or(before.country));
	let expires_at = expiry(&at, days)?;
	let effect = stated(&subject, level, country, expires_at);
	let call = calls::attest(subject, level, country, expires_at, before.commitment);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// What a registrar attests of an account.
async fn made_by(at: &Snapshot, subject: &AccountId, registrar: &AccountId) -> Result<Attestation> {
	let all = attestations::attestations(at, subject).await?;
	all.into_iter().find(|one| one.registrar == *registrar).with_context(|| {
		format!(
			"{} attests nothing of {}: tensornet attest show lists who does",
			address(registrar),
			address(subject)
		)
	})
}

async fn revoke(
	subject: AccountId,
	registrar: Option<Account>,
	signing: Signing,
	context: &Context,
) -> Result<()> {
	let signer = signing.signer()?.account();
	let registrar = registrar.map_or(signer, |Account(registrar)| registrar);
	ensure!(
		signer == subject || signer == registrar,
		"only the registrar and the attested account itself take an attestation back"
	);
	let chain = context.connect().await?;
	let at = chain.best().await?;
	made_by(&at, &subject, &registrar).await?;
	let effect = format!("take back what {} attests of {}", address(&registrar), address(&subject));
	let call = calls::revoke(subject, registrar);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

async fn apply(signing: Signing, context: &Context) -> Result<()> {
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	ensure!(
		attestations::registrar(&at, &signer).await?.is_none(),
		"{} has applied already, or is a registrar",
		address(&signer)
	);
	let effect = Effect::from("apply to be a registrar; the deposit comes back when you resign")
		.holding(attestations::registrar_deposit(&at)?);
	context.output.one(&signing.send(context, &chain, &calls::apply_as_registrar(), effect).await?)
}

async fn resign(signing: Signing, context: &Context) -> Result<()> {
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let registrar = attestations::registrar(&at, &signer)
		.await?
		.with_context(|| format!("{} is no registrar", address(&signer)))?;
	let effect = Effect::from("stop being a registrar; what you attested no longer counts")
		.releasing(registrar.deposit);
	let call = calls::resign_as_registrar();
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// What an account is known for.
#[derive(Serialize)]
struct View {
	account: String,
	/// The highest level that counts now.
	level: u8,
	attestations: Vec<Shown>,
	/// Hash of the published reason, if it may enter no new business.
	sanctioned: Option<String>,
	/// Whether it may enter new business, by role.
	may_enter: Vec<Entry>,
	block: u64,
}

#[derive(Serialize)]
struct Entry {
	role: &'static str,
	allowed: bool,
}

/// An attestation as it is shown.
#[derive(Serialize)]
struct Shown {
	registrar: String,
	level: u8,
	country: String,
	issued_at: u32,
	expires_at: u32,
	expired: bool,
	commitment: String,
}

impl View {
	async fn new(at: &Snapshot, account: &AccountId) -> Result<Self> {
		let mut may_enter = Vec::new();
		for (role, name) in ROLES {
			let allowed = attestations::may_enter(at, account, role).await?;
			may_enter.push(Entry { role: name, allowed });
		}
		let shown = |one: Attestation| Shown {
			registrar: address(&one.registrar),
			level: one.level,
			country: String::from_utf8_lossy(&one.country).into_owned(),
			issued_at: one.issued_at,
			expires_at: one.expires_at,
			expired: u64::from(one.expires_at) <= at.number(),
			commitment: root(&one.commitment),
		};
		let all = attestations::attestations(at, account).await?;
		let sanction = attestations::sanction(at, account).await?;
		Ok(Self {
			account: address(account),
			level: attestations::level(at, account).await?,
			attestations: all.into_iter().map(shown).collect(),
			sanctioned: sanction.map(|sanction| root(&sanction.reason)),
			may_enter,
			block: at.number(),
		})
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut facts = Facts::new()
			.line("account", &self.account)
			.line("level", self.level)
			.maybe("sanctioned", self.sanctioned.as_ref().map(|hash| format!("for {hash}")));
		for one in &self.attestations {
			let until = if one.expired { "expired at" } else { "until" };
			let text = format!(
				"level {}, {}, {until} block {}, by {}",
				one.level, one.country, one.expires_at, one.registrar
			);
			facts = facts.line("attested", text);
		}
		let roles: Vec<&str> =
			self.may_enter.iter().filter(|entry| entry.allowed).map(|entry| entry.role).collect();
		let roles = if roles.is_empty() { "nothing new".into() } else { roles.join(", ") };
		write!(f, "{}", facts.line("may enter as", roles).line("at block", self.block))
	}
}

/// A registrar as it is shown.
#[derive(Serialize)]
struct Registrar {
	registrar: String,
	appointed: bool,
	deposit: String,
}

async fn registrars(context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let mut all: Vec<Registrar> = attestations::registrars(&at)
		.await?
		.iter()
		.map(|(account, registrar)| Registrar {
			registrar: address(account),
			appointed: registrar.standing == RegistrarStanding::Appointed,
			deposit: tna(registrar.deposit),
		})
		.collect();
	all.sort_by(|a, b| a.registrar.cmp(&b.registrar));
	let table = |all: &[Registrar]| {
		let mut table = Table::new(&["REGISTRAR", "STATE", "DEPOSIT"]).right(&[2]);
		for one in all {
			let state = if one.appointed { "appointed" } else { "applicant" };
			table.row([one.registrar.clone(), state.into(), one.deposit.clone()]);
		}
		table
	};
	context.output.list(&all, table, "no registrars: tensornet attest apply begins that")
}

/// What a role requires.
#[derive(Serialize)]
struct Requirement {
	role: &'static str,
	/// The attested level, 0 for none.
	level: u8,
}

/// `tensornet requirements`.
pub async fn requirements(context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let mut all = Vec::new();
	for (role, name) in ROLES {
		all.push(Requirement { role: name, level: attestations::required(&at, role).await? });
	}
	let table = |all: &[Requirement]| {
		let mut table = Table::new(&["ROLE", "LEVEL"]).right(&[1]);
		for one in all {
			table.row([one.role.to_owned(), one.level.to_string()]);
		}
		table
	};
	context.output.list(&all, table, "this chain has no roles")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_attestation_is_told_in_words() {
		let words = stated(&[0; 32], 2, *b"CH", 90);
		assert!(words.ends_with("at level 2, CH, until block 90"), "{words}");
	}
}
