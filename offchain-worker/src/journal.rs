// SPDX-License-Identifier: Apache-2.0

//! The journal: what this worker has done and is about to do, durable before it is acted on.
//!
//! One record for each attempt at a job. A transaction is written here in its signed bytes before it
//! is submitted; after a crash the same bytes are submitted again, and the nonce inside them makes
//! sure that they act once at most.

use anyhow::{Context, Result};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Key: job number, attempt.
const RECORDS: TableDefinition<(u64, u8), &[u8]> = TableDefinition::new("attempts");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");

/// What is known about one attempt at a job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
	/// Set once the program has run: everything that a commitment, a reveal and an audit need.
	pub result: Option<ResultRecord>,
	/// The transaction that was last written to be submitted.
	pub pending: Option<Pending>,
}

/// The outcome of a run. The trace itself is in the blob store, under these roots.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRecord {
	/// BLAKE3 root of the manifest.
	#[serde(with = "hex::serde")]
	pub trace_root: [u8; 32],
	/// Salt of the seal.
	#[serde(with = "hex::serde")]
	pub salt: [u8; 32],
	/// Seconds that execution took.
	pub execute_seconds: String,
	/// Seconds of those that hashing the trace took.
	pub commit_seconds: String,
}

/// A signed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
	/// Which step it takes.
	pub step: Step,
	/// The encoded extrinsic.
	#[serde(with = "hex::serde")]
	pub bytes: Vec<u8>,
	/// Its nonce.
	pub nonce: u64,
	/// The last block in which it may be included.
	pub valid_until: u64,
}

/// The steps that are transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
	/// `Poc.commit`.
	Commit,
	/// `Poc.reveal`.
	Reveal,
	/// `Poc.answer_audit`.
	AnswerAudit,
}

/// The journal file.
pub struct Journal {
	database: Database,
}

impl Journal {
	/// Opens the journal of the chain with this genesis hash, creating it if there is none. A journal
	/// of another chain is refused.
	pub fn open(path: &Path, genesis: &[u8; 32]) -> Result<Self> {
		let database = Database::create(path).with_context(|| {
			format!(
				"cannot open the journal {}: another worker uses it, or it is no journal",
				path.display()
			)
		})?;
		let write = database.begin_write()?;
		{
			write.open_table(RECORDS)?;
			let mut meta = write.open_table(META)?;
			let known = meta.get("genesis")?.map(|value| value.value().to_vec());
			match known {
				None => {
					meta.insert("genesis", genesis.as_slice())?;
				}
				Some(known) if known == genesis => {}
				Some(known) => anyhow::bail!(
					"the journal {} belongs to the chain 0x{}: use another --data folder",
					path.display(),
					hex::encode(known)
				),
			}
		}
		write.commit()?;
		Ok(Self { database })
	}

	/// The record of an attempt; empty if there is none.
	pub fn get(&self, job: u64, attempt: u8) -> Result<Record> {
		let read = self.database.begin_read()?;
		let table = read.open_table(RECORDS)?;
		match table.get((job, attempt))? {
			Some(value) => serde_json::from_slice(value.value())
				.with_context(|| format!("the journal's record of job {job} cannot be read")),
			None => Ok(Record::default()),
		}
	}

	/// Writes a record. It is on disk when this returns.
	pub fn put(&self, job: u64, attempt: u8, record: &Record) -> Result<()> {
		let write = self.database.begin_write()?;
		{
			let bytes = serde_json::to_vec(record)?;
			write.open_table(RECORDS)?.insert((job, attempt), bytes.as_slice())?;
		}
		write.commit()?;
		Ok(())
	}

	/// Removes the records of a job.
	pub fn remove(&self, job: u64) -> Result<()> {
		let write = self.database.begin_write()?;
		{
			let mut table = write.open_table(RECORDS)?;
			let attempts: Vec<u8> = table
				.range((job, 0)..=(job, u8::MAX))?
				.map(|entry| entry.map(|(key, _)| key.value().1))
				.collect::<Result<_, _>>()?;
			for attempt in attempts {
				table.remove((job, attempt))?;
			}
		}
		write.commit()?;
		Ok(())
	}

	/// All attempts on record.
	pub fn attempts(&self) -> Result<Vec<(u64, u8)>> {
		let read = self.database.begin_read()?;
		let table = read.open_table(RECORDS)?;
		let mut attempts = Vec::new();
		for entry in table.iter()? {
			attempts.push(entry?.0.value());
		}
		Ok(attempts)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_record_outlives_the_process_that_wrote_it() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("journal.redb");
		let record = Record {
			result: Some(ResultRecord {
				trace_root: [1; 32],
				salt: [2; 32],
				execute_seconds: "0.5".into(),
				commit_seconds: "0.01".into(),
			}),
			pending: Some(Pending {
				step: Step::Commit,
				bytes: vec![3; 9],
				nonce: 4,
				valid_until: 5,
			}),
		};
		{
			let journal = Journal::open(&path, &[9; 32]).unwrap();
			journal.put(7, 1, &record).unwrap();
		}
		let journal = Journal::open(&path, &[9; 32]).unwrap();
		assert_eq!(journal.get(7, 1).unwrap(), record);
		assert_eq!(journal.get(7, 0).unwrap(), Record::default());
		assert_eq!(journal.attempts().unwrap(), vec![(7, 1)]);
		journal.remove(7).unwrap();
		assert!(journal.attempts().unwrap().is_empty());
	}

	#[test]
	fn the_journal_of_another_chain_is_refused() {
		let folder = tempfile::tempdir().unwrap();
		let path = folder.path().join("journal.redb");
		drop(Journal::open(&path, &[1; 32]).unwrap());
		assert!(Journal::open(&path, &[2; 32]).is_err());
	}
}
