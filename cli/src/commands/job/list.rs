// SPDX-License-Identifier: Apache-2.0

//! `tensornet job list`.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::view::View;
use crate::{
	commands::{balance::Account, program::ProgramName},
	network::{statuses, JobStatus, Stage},
	output::{shortened, Table},
	Context,
};

/// Arguments of `tensornet job list`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  What is under way, and what ended lately
      tensornet job list

  My jobs that still cost something
      tensornet job list --requester 5F… --state live

  What a node has earned with
      tensornet job list --node 5F… --state settled --json

The table shortens addresses: --json and tensornet job show have them whole.")]
pub struct List {
	/// Only jobs that this account posted.
	#[arg(long, value_name = "ACCOUNT")]
	requester: Option<Account>,
	/// Only jobs that this node has, or whose result of it stood. Named by its owner.
	#[arg(long, value_name = "ACCOUNT")]
	node: Option<Account>,
	/// Only jobs of this program.
	#[arg(long, value_name = "ID|FILE")]
	program: Option<ProgramName>,
	/// Only jobs in one of these states; several with commas.
	#[arg(long, value_name = "STATE", value_delimiter = ',')]
	state: Vec<State>,
}

/// A state that jobs are chosen by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum State {
	/// All that have not ended.
	Live,
	/// All that have.
	Ended,
	/// Waits for a node.
	Queued,
	/// A node has it.
	Assigned,
	/// The node has committed to a result under a seal.
	Committed,
	/// The result is open to everybody, and to challenge.
	Revealed,
	/// The node has to prove some elements of it.
	Audited,
	/// Ended: the result stood and was paid.
	Settled,
	/// Ended: no result in time.
	Expired,
	/// Ended: withdrawn.
	Cancelled,
}

impl State {
	fn has(self, stage: Stage) -> bool {
		match self {
			State::Live => !stage.is_end(),
			State::Ended => stage.is_end(),
			State::Queued => stage == Stage::Queued,
			State::Assigned => stage == Stage::Assigned,
			State::Committed => stage == Stage::Committed,
			State::Revealed => stage == Stage::Revealed,
			State::Audited => stage == Stage::Audited,
			State::Settled => stage == Stage::Settled,
			State::Expired => stage == Stage::Expired,
			State::Cancelled => stage == Stage::Cancelled,
		}
	}
}

impl List {
	fn wants(&self, job: &JobStatus, program: Option<&[u8; 32]>) -> bool {
		self.requester.is_none_or(|account| account.0 == job.requester)
			&& self.node.is_none_or(|account| Some(account.0) == job.node)
			&& program.is_none_or(|program| *program == job.program)
			&& (self.state.is_empty() || self.state.iter().any(|state| state.has(job.stage)))
	}
}

/// `tensornet job list`.
pub async fn list(arguments: List, context: &Context) -> Result<()> {
	let program = arguments.program.as_ref().map(ProgramName::id).transpose()?;
	let at = context.connect().await?.best().await?;
	let mut jobs = statuses(&at).await?;
	jobs.retain(|job| arguments.wants(job, program.as_ref()));
	let views: Vec<View> = jobs.iter().map(View::new).collect();
	context.output.list(&views, table, "no such jobs: tensornet job submit posts one")
}

fn table(jobs: &[View]) -> Table {
	let head = ["JOB", "STAGE", "REQUESTER", "NODE", "PRICE", "HELD", "AUDITED", "BLOCK"];
	let mut table = Table::new(&head).right(&[0, 4, 5, 7]);
	for job in jobs {
		let none = || "-".to_owned();
		let block = match (job.ended_at, job.due) {
			(Some(block), _) => format!("ended {block}"),
			(None, Some(block)) => format!("due {block}"),
			(None, None) => none(),
		};
		table.row([
			job.job.to_string(),
			job.stage.name().to_owned(),
			shortened(&job.requester),
			job.node.as_deref().map_or_else(none, shortened),
			job.price.clone().unwrap_or_else(none),
			job.held.clone(),
			if job.audited { "yes" } else { "no" }.to_owned(),
			block,
		]);
	}
	table
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::network::tests::revealed;

	fn all() -> List {
		List { requester: None, node: None, program: None, state: Vec::new() }
	}

	#[test]
	fn jobs_are_chosen_by_who_posted_them_who_has_them_and_where_they_are() {
		let job = revealed();
		assert!(all().wants(&job, None));
		assert!(all().wants(&job, Some(&job.program)) && !all().wants(&job, Some(&[9; 32])));
		for (account, mine) in [(job.requester, true), ([9; 32], false)] {
			assert_eq!(List { requester: Some(Account(account)), ..all() }.wants(&job, None), mine);
		}
		for (account, its) in [(job.node.unwrap(), true), ([9; 32], false)] {
			assert_eq!(List { node: Some(Account(account)), ..all() }.wants(&job, None), its);
		}
		let states = [(vec![State::Live], true), (vec![State::Ended], false)];
		let more = [(vec![State::Settled, State::Revealed], true), (vec![State::Queued], false)];
		for (state, chosen) in states.into_iter().chain(more) {
			assert_eq!(List { state, ..all() }.wants(&job, None), chosen);
		}
	}

	#[test]
	fn every_stage_can_be_named() {
		for stage in Stage::ALL {
			let state = State::from_str(stage.name(), false).unwrap();
			assert!(state.has(stage));
			assert!(Stage::ALL.into_iter().all(|other| other == stage || !state.has(other)));
		}
	}

	#[test]
	fn the_table_says_when_a_job_is_due_and_shortens_addresses() {
		let table = table(&[View::new(&revealed())]).to_string();
		assert!(table.contains("revealed") && table.contains("due 20"), "{table}");
		assert!(
			table.contains("…") && table.lines().all(|line| line.chars().count() < 100),
			"{table}"
		);
	}
}
