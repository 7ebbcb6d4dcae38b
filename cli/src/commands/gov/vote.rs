// SPDX-License-Identifier: Apache-2.0

//! `tensornet gov vote`, `remove-vote`, `delegate`, `undelegate`, `unlock` and `votes`.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{fmt, str::FromStr};
use tensornet_client::{
	calls::{
		governance::{self as calls, Conviction, Vote},
		Call,
	},
	funds,
	referenda::{self, CastVote, Referendum, Track, Voting},
	AccountId, Chain, Snapshot, Tna,
};

use super::{
	parameters::{block_milliseconds, span},
	track, unknown,
};
use crate::{
	commands::balance::Account,
	output::{address, tna, tna_text, Table},
	signing::{Effect, Signing},
	Context,
};

/// A side of a vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Side {
	/// For it.
	Aye,
	/// Against it.
	Nay,
	/// Neither: it counts as support only.
	Abstain,
}

/// A conviction as an argument: 0 to 6, with or without an x.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Conviction);

impl FromStr for Level {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let digits = text.strip_suffix('x').unwrap_or(text);
		digits.parse().ok().and_then(Conviction::new).map(Level).ok_or_else(|| {
			format!(
				"write 0 to {}: 0 counts a tenth and locks nothing, 1 counts once and locks one \
				 period, each step more counts once more and doubles the lock",
				Conviction::HIGHEST
			)
		})
	}
}

/// Arguments of `tensornet gov vote`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tensornet gov vote 3 aye 1000 --key ~/.tensornet-key
  tensornet gov vote 3 nay 1000 --conviction 2 --key ~/.tensornet-key --dry-run
  tensornet gov vote 3 abstain 1000 --key ~/.tensornet-key

What is staked or on hold votes too. The same TNA can vote on several referenda.")]
pub struct VoteArgs {
	/// The referendum's number.
	#[arg(value_name = "REFERENDUM")]
	referendum: u32,
	/// How to vote.
	#[arg(value_name = "SIDE")]
	side: Side,
	/// With how much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	/// How strongly, 0 to 6: more votes for the same TNA, which stays locked for longer.
	#[arg(long, value_name = "N", default_value = "1")]
	conviction: Level,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet gov remove-vote`.
#[derive(Args)]
pub struct RemoveVote {
	/// The referendum's number.
	#[arg(value_name = "REFERENDUM")]
	referendum: u32,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet gov delegate`.
#[derive(Args)]
#[command(after_help = "\
Example:
  tensornet gov delegate all 5F… 1000 --conviction 1 --key ~/.tensornet-key

The account votes with yours and its own. It cannot move or stake what it votes with.")]
pub struct Delegate {
	/// Name or number of the track, or all.
	#[arg(value_name = "TRACK|all")]
	track: String,
	/// Who votes for you: SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	to: Account,
	/// With how much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	/// How strongly, 0 to 6: more votes for the same TNA, which stays locked for longer.
	#[arg(long, value_name = "N", default_value = "1")]
	conviction: Level,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet gov undelegate`.
#[derive(Args)]
pub struct Undelegate {
	/// Name or number of the track, or all.
	#[arg(value_name = "TRACK|all")]
	track: String,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet gov unlock`.
#[derive(Args)]
pub struct Unlock {
	/// Name or number of the track; all of them if left out.
	#[arg(value_name = "TRACK|all", default_value = "all")]
	track: String,
	/// Whose TNA, if not the signer's.
	#[arg(long, value_name = "ACCOUNT")]
	account: Option<Account>,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet gov votes`.
#[derive(Args)]
pub struct Votes {
	/// SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	account: Account,
}

/// `tensornet gov vote`.
pub async fn vote(arguments: VoteArgs, context: &Context) -> Result<()> {
	let VoteArgs { referendum, side, amount: Tna(amount), conviction, signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let ongoing = match referenda::referendum(&at, referendum).await? {
		Some(Referendum::Ongoing(ongoing)) => ongoing,
		Some(Referendum::Ended { .. }) => bail!("referendum {referendum} has ended"),
		None => bail!(unknown(referendum)),
	};
	may_vote(&at, &signer, amount).await?;
	if let Voting::Delegating { to, .. } = referenda::voting(&at, &signer, ongoing.track).await? {
		bail!("{} votes for you on this track: tensornet gov undelegate first", address(&to));
	}
	let Level(conviction) = conviction;
	let (vote, words) = match side {
		Side::Aye => (Vote::Aye(amount, conviction), "for"),
		Side::Nay => (Vote::Nay(amount, conviction), "against"),
		Side::Abstain => (Vote::Abstain(amount), "abstaining on"),
	};
	let mut effect = format!("vote with {}, {words} referendum {referendum}", tna_text(amount));
	if side != Side::Abstain {
		effect += &format!(
			", as {} votes; {}",
			tna(conviction.votes(amount)),
			locked_for(&at, conviction, "if that side wins")?
		);
	}
	send(
		&chain,
		&calls::vote(referendum, vote),
		Effect::from(effect).locking(amount),
		&signing,
		context,
	)
	.await
}

/// For how long TNA stays locked, in words.
fn locked_for(at: &Snapshot, conviction: Conviction, when: &str) -> Result<String> {
	if conviction.periods() == 0 {
		return Ok("nothing stays locked afterwards".into());
	}
	let period: u32 = at.constant("ConvictionVoting", "VoteLockingPeriod")?;
	let blocks = u64::from(period) * u64::from(conviction.periods());
	Ok(format!("locked for {} afterwards {when}", span(blocks, block_milliseconds(at)?)))
}

/// Fails if an account owns less than it wants to vote with.
async fn may_vote(at: &Snapshot, account: &AccountId, amount: u128) -> Result<()> {
	ensure!(amount > 0, "nothing votes for nothing: name an amount above zero");
	let funds = funds::balance(at, account).await?;
	let total = funds.free.saturating_add(funds.reserved);
	ensure!(
		total >= amount,
		"{} owns {}, less than {}",
		address(account),
		tna_text(total),
		tna_text(amount)
	);
	Ok(())
}

/// `tensornet gov remove-vote`.
pub async fn remove_vote(arguments: RemoveVote, context: &Context) -> Result<()> {
	let RemoveVote { referendum, signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let mut found = None;
	for track in referenda::tracks(&at)? {
		if let Voting::Casting(votes) = referenda::voting(&at, &signer, track.id).await? {
			found = found
				.or(votes.iter().any(|vote| vote.referendum == referendum).then_some(track.id));
		}
	}
	let track = found
		.with_context(|| format!("{} has no vote on referendum {referendum}", address(&signer)))?;
	let effect = format!(
		"take your vote on referendum {referendum} back; tensornet gov unlock frees what it locked"
	);
	send(&chain, &calls::remove_vote(track, referendum), effect, &signing, context).await
}

/// The tracks that an argument names.
fn tracks_named<'a>(tracks: &'a [Track], name: &str) -> Result<Vec<&'a Track>> {
	match name {
		"all" => Ok(tracks.iter().collect()),
		one => Ok(vec![track(tracks, one)?]),
	}
}

/// `tensornet gov delegate`.
pub async fn delegate(arguments: Delegate, context: &Context) -> Result<()> {
	let Delegate { track, to: Account(to), amount: Tna(amount), conviction, signing } = arguments;
	let signer = signing.signer()?.account();
	ensure!(to != signer, "nobody delegates to oneself: vote with tensornet gov vote");
	let chain = context.connect().await?;
	let at = chain.best().await?;
	may_vote(&at, &signer, amount).await?;
	let tracks = referenda::tracks(&at)?;
	let chosen = tracks_named(&tracks, &track)?;
	let Level(conviction) = conviction;
	let one = |track: &Track| calls::delegate_votes(track.id, to, conviction, amount);
	let effect = format!(
		"let {} vote with {} of yours as {} votes on {}; {}",
		address(&to),
		tna_text(amount),
		tna(conviction.votes(amount)),
		names(&chosen),
		locked_for(&at, conviction, "when you end this")?
	);
	let effect = Effect::from(effect).locking(amount);
	send(&chain, &together(&at, &chosen, one)?, effect, &signing, context).await
}

/// `tensornet gov undelegate`.
pub async fn undelegate(arguments: Undelegate, context: &Context) -> Result<()> {
	let Undelegate { track, signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let tracks = referenda::tracks(&at)?;
	let mut delegated = Vec::new();
	for track in tracks_named(&tracks, &track)? {
		if matches!(referenda::voting(&at, &signer, track.id).await?, Voting::Delegating { .. }) {
			delegated.push(track);
		}
	}
	ensure!(!delegated.is_empty(), "nobody votes for {} there", address(&signer));
	let effect = format!(
		"vote yourself again on {}; what was locked stays so for its conviction",
		names(&delegated)
	);
	let call = together(&at, &delegated, |track| calls::undelegate_votes(track.id))?;
	send(&chain, &call, effect, &signing, context).await
}

/// `tensornet gov unlock`.
pub async fn unlock(arguments: Unlock, context: &Context) -> Result<()> {
	let Unlock { track, account, signing } = arguments;
	let signer = signing.signer()?.account();
	let account = account.map_or(signer, |Account(account)| account);
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let tracks = referenda::tracks(&at)?;
	let locks = referenda::vote_locks(&at, &account).await?;
	let chosen: Vec<&Track> = tracks_named(&tracks, &track)?
		.into_iter()
		.filter(|track| locks.iter().any(|(id, _)| *id == track.id))
		.collect();
	ensure!(!chosen.is_empty(), "{} has nothing locked there", address(&account));
	let effect = format!(
		"free what votes of {} on {} no longer lock; a vote locks until it is removed",
		address(&account),
		names(&chosen)
	);
	let call = together(&at, &chosen, |track| calls::unlock_votes(track.id, account))?;
	send(&chain, &call, effect, &signing, context).await
}

fn names(tracks: &[&Track]) -> String {
	let names: Vec<&str> = tracks.iter().map(|track| track.name.as_str()).collect();
	names.join(", ")
}

/// The same call for each of some tracks.
fn together(at: &Snapshot, tracks: &[&Track], call: impl Fn(&Track) -> Call) -> Result<Call> {
	if let [only] = tracks {
		return Ok(call(only));
	}
	let encoded: Result<Vec<_>> = tracks.iter().map(|track| at.encoded(&call(track))).collect();
	Ok(calls::batch_all(&encoded?))
}

async fn send(
	chain: &Chain,
	call: &Call,
	effect: impl Into<Effect>,
	signing: &Signing,
	context: &Context,
) -> Result<()> {
	let sent = signing.send(context, chain, call, effect).await?;
	context.output.one(&sent)
}

/// What an account does with its votes on a track.
#[derive(Serialize)]
struct Row {
	track: String,
	/// What is locked on the track.
	locked: String,
	/// The referenda it votes on, with how much.
	votes: Vec<Cast>,
	/// Who votes for it, if anybody.
	delegated_to: Option<String>,
	/// With how much.
	delegated: Option<String>,
	/// With what conviction.
	conviction: Option<String>,
}

/// A vote as it is shown.
#[derive(Serialize)]
struct Cast {
	referendum: u32,
	side: &'static str,
	amount: String,
	conviction: Option<u8>,
}

impl Cast {
	fn new(vote: &CastVote) -> Self {
		let side = match vote.aye {
			Some(true) => "aye",
			Some(false) => "nay",
			None => "split or abstaining",
		};
		Self {
			referendum: vote.referendum,
			side,
			amount: tna(vote.amount),
			conviction: vote.conviction,
		}
	}
}

impl fmt::Display for Cast {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}: {} {} TNA", self.referendum, self.side, self.amount)
	}
}

/// `tensornet gov votes`.
pub async fn votes(arguments: Votes, context: &Context) -> Result<()> {
	let Account(account) = arguments.account;
	let at = context.connect().await?.best().await?;
	let locks = referenda::vote_locks(&at, &account).await?;
	let mut rows = Vec::new();
	for track in referenda::tracks(&at)? {
		let locked = locks.iter().find(|(id, _)| *id == track.id).map_or(0, |(_, amount)| *amount);
		let mut row = Row {
			track: track.name,
			locked: tna(locked),
			votes: Vec::new(),
			delegated_to: None,
			delegated: None,
			conviction: None,
		};
		match referenda::voting(&at, &account, track.id).await? {
			Voting::Casting(votes) => row.votes = votes.iter().map(Cast::new).collect(),
			Voting::Delegating { to, amount, conviction } => {
				row.delegated_to = Some(address(&to));
				row.delegated = Some(tna(amount));
				row.conviction = Some(conviction);
			}
		}
		if locked > 0 || !row.votes.is_empty() || row.delegated_to.is_some() {
			rows.push(row);
		}
	}
	let table = |rows: &[Row]| {
		let mut table = Table::new(&["TRACK", "LOCKED", "VOTES ON", "VOTED FOR BY"]).right(&[1]);
		for row in rows {
			let votes: Vec<String> = row.votes.iter().map(Cast::to_string).collect();
			let delegate = match (&row.delegated_to, &row.delegated) {
				(Some(to), Some(amount)) => format!("{to}, {amount} TNA"),
				_ => "-".into(),
			};
			table.row([row.track.clone(), row.locked.clone(), votes.join(", "), delegate]);
		}
		table
	};
	context.output.list(&rows, table, "no votes, and nothing locked for any")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn convictions_are_zero_to_six() {
		assert_eq!("2x".parse::<Level>().unwrap().0.level(), 2);
		assert_eq!("0".parse::<Level>().unwrap().0.periods(), 0);
		for bad in ["7", "-1", "x", "", "1.5"] {
			assert!(bad.parse::<Level>().is_err(), "{bad}");
		}
	}
}
