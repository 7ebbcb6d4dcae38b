// SPDX-License-Identifier: Apache-2.0

//! What came out: balances before and after, the checks that the money adds up, the table for people
//! and the summary for programs.

use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use tensornet_cli::output::{count, tna, Table};
use tensornet_client::{
	funds::{self, BURN_CAUSES},
	Snapshot,
};

use crate::{parties::Party, watch::Step};

/// Everybody's TNA at one block.
pub struct Ledger {
	/// Number of the block.
	pub block: u64,
	/// Free and held, in the order of the parties.
	pub balances: Vec<(u128, u128)>,
	/// Burned since genesis, in the order of [`BURN_CAUSES`].
	pub burned: [u128; 6],
	/// Minted since genesis.
	pub emitted: u128,
	/// Everybody's, whether a party or not.
	pub owned: u128,
	/// Everything that exists.
	pub issuance: u128,
}

impl Ledger {
	/// Reads it.
	pub async fn read(at: &Snapshot, parties: &[Party]) -> Result<Self> {
		let mut balances = Vec::new();
		for party in parties {
			let balance = funds::balance(at, &party.account).await?;
			balances.push((balance.free, balance.reserved));
		}
		Ok(Self {
			block: at.number(),
			balances,
			burned: funds::burned(at).await?,
			emitted: funds::emitted(at).await?,
			owned: funds::owned(at).await?,
			issuance: at.total_issuance().await?,
		})
	}

	/// Everything burned.
	pub fn burned_total(&self) -> u128 {
		self.burned.iter().sum()
	}

	/// Burned for one cause.
	pub fn burned_for(&self, cause: &str) -> u128 {
		let place = BURN_CAUSES.iter().position(|known| *known == cause);
		place.and_then(|place| self.burned.get(place)).copied().unwrap_or_default()
	}
}

/// A statement that must hold, and whether it does.
#[derive(Debug, Serialize)]
pub struct Check {
	/// The statement.
	pub statement: String,
	/// Whether it holds.
	pub holds: bool,
}

/// A list of statements.
#[derive(Default)]
pub struct Checks(pub Vec<Check>);

impl Checks {
	/// Adds a statement.
	pub fn that(&mut self, statement: impl Into<String>, holds: bool) {
		self.0.push(Check { statement: statement.into(), holds });
	}

	/// Adds the statement that two amounts are equal.
	pub fn equal(&mut self, statement: &str, left: u128, right: u128) {
		let sign = if left == right { "=" } else { "is not" };
		self.that(format!("{statement}: {} {sign} {} TNA", tna(left), tna(right)), left == right);
	}

	/// What must hold of any ledger after genesis.
	pub fn ledger(&mut self, when: &str, genesis: &Ledger, now: &Ledger) {
		self.equal(
			&format!("{when}, what everybody owns is the total issuance"),
			now.owned,
			now.issuance,
		);
		self.equal(
			&format!("{when}, issued and burned are what was there at first and what was emitted"),
			now.issuance + now.burned_total(),
			genesis.issuance + genesis.burned_total() + now.emitted - genesis.emitted,
		);
	}

	/// Whether all hold.
	pub fn all_hold(&self) -> bool {
		self.0.iter().all(|check| check.holds)
	}
}

/// A label with its score.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Label {
	/// The label.
	pub label: String,
	/// How sure the model is, from 0 to 1.
	pub score: f64,
}

/// A job in the summary. Amounts are decimal strings of TNA.
#[derive(Clone, Debug, Serialize)]
pub struct JobReport {
	/// Its number.
	pub job: u64,
	/// The file that was classified.
	pub file: String,
	/// How it ended.
	pub state: &'static str,
	/// The program's id.
	pub program: String,
	/// Name of the node whose result stood.
	pub node: String,
	/// Address of that node.
	pub node_address: String,
	/// What the requester paid in all.
	pub price: String,
	/// What was held.
	pub held: String,
	/// Of the price, to the node.
	pub paid: String,
	/// Of the price, burned.
	pub burned: String,
	/// Of the price, to the treasury.
	pub treasury: String,
	/// Of the price, to the program's author.
	pub author: String,
	/// Of the price, to ancestors in the consensus chain.
	pub lineage: String,
	/// Released to the requester.
	pub refunded: String,
	/// Taken from nodes that failed it.
	pub slashed: String,
	/// Of that, paid to the requester.
	pub compensated: String,
	/// Root of the trace that stood.
	pub trace_root: String,
	/// Whether it was audited.
	pub audited: bool,
	/// The output.
	pub output: Label,
	/// What the float model says.
	pub reference: Label,
	/// Whether the labels agree.
	pub agrees: bool,
	/// From posting to the output on the requester's disk, checked.
	pub seconds_to_output: f64,
	/// From posting to settlement.
	pub seconds_to_settlement: f64,
	/// From the block it was posted in to the one it settled in.
	pub blocks_to_settlement: u64,
	/// Every step.
	pub steps: Vec<Step>,
	/// Of the price, burned, in the smallest unit.
	#[serde(skip)]
	pub burned_units: u128,
}

/// The lie of the second act.
#[derive(Debug, Serialize)]
pub struct FraudReport {
	/// The job.
	pub job: u64,
	/// Who lied.
	pub cheat: String,
	/// Who proved it.
	pub reporter: String,
	/// Checkpoint of the wrong element.
	pub checkpoint: u16,
	/// Its place in storage order.
	pub index: u64,
	/// What the cheat committed to.
	pub claimed: i32,
	/// What the chain computed.
	pub computed: i32,
	/// What the cheat's output says.
	pub cheat_output: Label,
	/// What the honest output says.
	pub honest_output: Label,
	/// Who computed it again.
	pub honest_node: String,
	/// Taken from the cheat's bond.
	pub slashed: String,
	/// Of that, to the requester.
	pub to_requester: String,
	/// Of that, to the reporter.
	pub to_reporter: String,
	/// Of that, burned.
	pub burned: String,
}

/// An account's TNA through the story, as decimal strings: free and held together.
#[derive(Debug, Serialize)]
pub struct BalanceReport {
	/// Who.
	pub name: String,
	/// At the start.
	pub before: String,
	/// After the honest jobs.
	pub after_jobs: String,
	/// At the end.
	pub after_fraud: String,
}

/// The program that was run.
#[derive(Debug, Serialize)]
pub struct ProgramReport {
	/// Its id.
	pub id: String,
	/// Bytes of its encoding.
	pub bytes: usize,
	/// Multiply-accumulates of one run.
	pub macs: u64,
	/// How many tensors a run commits to.
	pub checkpoints: usize,
	/// The most multiply-accumulates to recompute one element.
	pub arbitration_macs: u64,
	/// The most bytes to open for that.
	pub arbitration_bytes: u64,
}

/// Seconds of each part.
#[derive(Debug, Default, Serialize)]
pub struct Seconds {
	/// Compiling the model, or loading the compiled program.
	pub program: f64,
	/// Starting the chain.
	pub chain: f64,
	/// Registering the program and the nodes.
	pub market: f64,
	/// The honest jobs.
	pub jobs: f64,
	/// The lie, its proof, and the job done right.
	pub fraud: f64,
	/// Everything.
	pub total: f64,
}

/// What `summary.json` holds.
#[derive(Debug, Serialize)]
pub struct Summary {
	/// Whether every check holds.
	pub ok: bool,
	/// The program.
	pub program: ProgramReport,
	/// The jobs.
	pub jobs: Vec<JobReport>,
	/// The lie.
	pub fraud: FraudReport,
	/// Everybody's balance.
	pub balances: Vec<BalanceReport>,
	/// Burned since genesis, at the end, by cause.
	pub burned: std::collections::BTreeMap<String, String>,
	/// Total issuance at the start, after the honest jobs, and at the end.
	pub issuance: [String; 3],
	/// Numbers of the blocks at which balances were read.
	pub blocks: [u64; 3],
	/// Share of the workers' execution time that went into commitments.
	pub commitment_overhead: f64,
	/// Everything that must hold.
	pub checks: Vec<Check>,
	/// Seconds of each part.
	pub seconds: Seconds,
}

impl Summary {
	/// Writes the summary as JSON.
	pub fn write(&self, path: &Path) -> Result<()> {
		let mut text = serde_json::to_string_pretty(self)?;
		text.push('\n');
		std::fs::write(path, text)
			.with_context(|| format!("cannot write the summary to {}", path.display()))
	}

	/// The tables for people.
	pub fn tables(&self) -> String {
		let mut text = String::from("Jobs (amounts in TNA)\n\n");
		text.push_str(&self.jobs_table().to_string());
		let fraud = &self.fraud;
		text.push_str(&format!(
			"\nThe lie, in job {}\n\n  {} committed to {} where {} is right (checkpoint {}, element {}).\n  \
			 Its output said {} ({:.3}); the output that was paid for says {} ({:.3}), by {}.\n  \
			 {} proved it on chain: {} TNA slashed, of that {} to the requester, {} to {}, {} burned.\n",
			fraud.job,
			fraud.cheat,
			fraud.claimed,
			fraud.computed,
			fraud.checkpoint,
			fraud.index,
			fraud.cheat_output.label,
			fraud.cheat_output.score,
			fraud.honest_output.label,
			fraud.honest_output.score,
			fraud.honest_node,
			fraud.reporter,
			fraud.slashed,
			fraud.to_requester,
			fraud.to_reporter,
			fraud.reporter,
			fraud.burned,
		));
		text.push_str("\nBalances (free and held, in TNA)\n\n");
		text.push_str(&self.balance_table().to_string());
		text.push_str("\nDoes it add up?\n\n");
		for check in &self.checks {
			let mark = if check.holds { "yes" } else { "NO " };
			text.push_str(&format!("  {mark}  {}\n", check.statement));
		}
		text.push_str(&format!(
			"\nProgram {}: {} MACs, {} checkpoints, one element costs at most {} MACs and {} bytes to settle.\n",
			self.program.id,
			count(self.program.macs),
			self.program.checkpoints,
			count(self.program.arbitration_macs),
			count(self.program.arbitration_bytes),
		));
		text.push_str(&format!(
			"Commitments took {:.1} % of execution time. The whole story took {:.0} s.\n",
			self.commitment_overhead * 100.0,
			self.seconds.total,
		));
		text
	}

	fn jobs_table(&self) -> Table {
		let head = [
			"JOB",
			"FILE",
			"LABEL",
			"SCORE",
			"FLOAT MODEL",
			"NODE",
			"STATE",
			"AUDITED",
			"PRICE",
			"PAID",
			"BURNED",
			"REFUNDED",
			"SLASHED",
			"OUTPUT AFTER",
			"SETTLED AFTER",
		];
		let mut table = Table::new(&head).right(&[0, 3, 8, 9, 10, 11, 12, 13, 14]);
		for job in &self.jobs {
			table.row([
				job.job.to_string(),
				job.file.clone(),
				job.output.label.clone(),
				format!("{:.3}", job.output.score),
				format!("{} {:.3}", job.reference.label, job.reference.score),
				job.node.clone(),
				job.state.to_owned(),
				if job.audited { "yes" } else { "no" }.to_owned(),
				short(&job.price),
				short(&job.paid),
				short(&job.burned),
				short(&job.refunded),
				short(&job.slashed),
				format!("{:.0} s", job.seconds_to_output),
				format!("{:.0} s", job.seconds_to_settlement),
			]);
		}
		table
	}

	fn balance_table(&self) -> Table {
		let mut table =
			Table::new(&["", "AT FIRST", "AFTER THE JOBS", "AFTER THE LIE"]).right(&[1, 2, 3]);
		for balance in &self.balances {
			table.row([
				balance.name.clone(),
				short(&balance.before),
				short(&balance.after_jobs),
				short(&balance.after_fraud),
			]);
		}
		table
	}
}

/// A decimal with at most four places, for tables.
fn short(amount: &str) -> String {
	match amount.split_once('.') {
		Some((whole, places)) => format!("{whole}.{:0<4}", places.get(..4).unwrap_or(places)),
		None => format!("{amount}.0000"),
	}
}

/// The balance rows: everybody who acts, then what is left, burned and in existence.
pub fn balance_rows(parties: &[Party], ledgers: [&Ledger; 3]) -> Vec<BalanceReport> {
	let row = |name: &str, amount: &dyn Fn(&Ledger) -> u128| {
		let [before, after_jobs, after_fraud] = ledgers.map(|ledger| tna(amount(ledger)));
		BalanceReport { name: name.to_owned(), before, after_jobs, after_fraud }
	};
	let of = |ledger: &Ledger, place: usize| {
		ledger.balances.get(place).map_or(0, |(free, held)| free + held)
	};
	let acting = || parties.iter().enumerate().filter(|(_, party)| party.acts);
	let mut rows: Vec<BalanceReport> =
		acting().map(|(place, party)| row(&party.name, &|ledger| of(ledger, place))).collect();
	rows.push(row("others", &|ledger| {
		ledger.owned.saturating_sub(acting().map(|(place, _)| of(ledger, place)).sum())
	}));
	rows.push(row("total issuance", &|ledger| ledger.issuance));
	rows.push(row("emitted in all", &|ledger| ledger.emitted));
	rows.push(row("burned in all", &Ledger::burned_total));
	for cause in BURN_CAUSES {
		if ledgers.iter().any(|ledger| ledger.burned_for(cause) > 0) {
			let name = format!("  {}", cause.to_lowercase());
			rows.push(row(&name, &|ledger| ledger.burned_for(cause)));
		}
	}
	rows
}
