// SPDX-License-Identifier: Apache-2.0

//! `tensornet program`: register, look at and remove programs.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::{
	fmt,
	path::{Path, PathBuf},
	str::FromStr,
};
use tensornet_client::{
	blobs::{self, parse_root},
	calls, records, BlobStore, Root, Snapshot,
};
use tensornet_protocol::MAX_HINT;
use tensornet_tensor::{
	analyse, Analysis, CheckedProgram, ConstantData, DType, Layout, Limits, TensorType,
};

use crate::{
	commands::balance::Account,
	output::{address, bytes, count, root, tna_text, Facts, Table},
	signing::{Sent, Signing},
	Context,
};

/// Register, look at and remove programs.
#[derive(Subcommand)]
pub enum Command {
	/// Register a compiled program, so that jobs can run it. You earn its royalty.
	///
	/// A deposit for the storage is held until the program is removed. Registering a program that is
	/// on the chain already does nothing.
	#[command(
		after_help = "Examples:\n  tensornet program register magika.tnp --constants magika-blobs --key ~/.tensornet-key\n  tensornet program register magika.tnp --hint https://blobs.example.org/magika --key ~/.tensornet-key"
	)]
	Register {
		/// The compiled program.
		#[arg(value_name = "FILE")]
		file: PathBuf,
		#[command(flatten)]
		place: Place,
		#[command(flatten)]
		signing: Signing,
	},
	/// Inputs, outputs, work and arbitration cost of a program.
	#[command(visible_alias = "show")]
	#[command(
		after_help = "Examples:\n  tensornet program inspect magika.tnp\n  tensornet program inspect 0x… --json"
	)]
	Inspect {
		/// A compiled program, or the 0x id of a registered one.
		#[arg(value_name = "FILE|ID")]
		program: ProgramName,
	},
	/// All registered programs.
	List {
		/// Only those that this account registered.
		#[arg(long, value_name = "ACCOUNT")]
		author: Option<Account>,
	},
	/// Remove a program of yours that no job needs. Its deposit comes back.
	///
	/// Its royalty ends with it, and jobs can no longer name it until somebody registers it again.
	#[command(after_help = "Example:\n  tensornet program remove 0x… --key ~/.tensornet-key")]
	Remove {
		/// The program, or the 0x id of it.
		#[arg(value_name = "ID|FILE")]
		program: ProgramName,
		#[command(flatten)]
		signing: Signing,
	},
}

/// Where nodes find the constants.
#[derive(Args)]
pub struct Place {
	/// Folder with the program's constants, for nodes on this machine or with the same disk.
	#[arg(long, value_name = "DIR", conflicts_with = "hint")]
	constants: Option<PathBuf>,
	/// Base URL of the program's constants: blob r is at URL/r.
	#[arg(long, value_name = "URL", value_parser = base_url)]
	hint: Option<String>,
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Register { file, place, signing } => {
			register(&file, place, signing, context).await
		}
		Command::Inspect { program } => {
			let view = match program {
				ProgramName::File(path) => View::new(&read(&path)?, None)?,
				ProgramName::Id(id) => {
					let at = context.connect().await?.best().await?;
					let (checked, registration) = from_chain(&at, &id).await?;
					View::new(&checked, Some(registration))?
				}
			};
			context.output.one(&view)
		}
		Command::List { author } => list(author, context).await,
		Command::Remove { program, signing } => remove(program.id()?, signing, context).await,
	}
}

/// A base URL of blobs, as an argument.
pub fn base_url(text: &str) -> Result<String, String> {
	blobs::check_base(text).map_err(|error| format!("{error:#}"))?;
	if text.len() > MAX_HINT as usize {
		return Err(format!("longer than the {MAX_HINT} bytes that the chain keeps"));
	}
	Ok(text.to_owned())
}

/// A program as an argument: the 0x id of a registered one, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProgramName {
	/// BLAKE3 root of its encoding.
	Id(Root),
	/// File of its encoding.
	File(PathBuf),
}

impl ProgramName {
	/// The program's id. A file is read and checked for it.
	pub fn id(&self) -> Result<Root> {
		match self {
			ProgramName::Id(id) => Ok(*id),
			ProgramName::File(path) => Ok(read(path)?.id()),
		}
	}
}

impl FromStr for ProgramName {
	type Err = String;

	/// Tells ids from files: an id begins with `0x`, or is 64 hexadecimal digits and no file.
	fn from_str(text: &str) -> Result<Self, String> {
		if text.starts_with("0x") {
			return parse_root(text).map(Self::Id).map_err(|error| error.to_string());
		}
		let path = Path::new(text);
		if path.exists() {
			return Ok(Self::File(path.to_owned()));
		}
		parse_root(text)
			.map(Self::Id)
			.map_err(|_| "neither a file nor an id (0x and 64 hexadecimal digits)".into())
	}
}

/// Reads and checks a compiled program.
pub fn read(path: &Path) -> Result<CheckedProgram> {
	let encoded = std::fs::read(path)
		.with_context(|| format!("cannot read the program {}", path.display()))?;
	CheckedProgram::decode(&encoded).map_err(|error| {
		anyhow::anyhow!("{} is not a valid program: {error}; compile it again", path.display())
	})
}

/// A registered program, checked.
pub async fn from_chain(at: &Snapshot, id: &Root) -> Result<(CheckedProgram, Registration)> {
	let record = records::program(at, id).await?.with_context(|| unknown(id))?;
	let checked = CheckedProgram::decode(&record.bytes)
		.map_err(|error| anyhow::anyhow!("this client cannot read the program: {error}"))?;
	let registration = Registration {
		author: address(&record.author),
		hint: record.hints().join(" "),
		live_jobs: record.live_jobs,
	};
	Ok((checked, registration))
}

async fn register(file: &Path, place: Place, signing: Signing, context: &Context) -> Result<()> {
	let program = read(file)?;
	let analysis = analyse(&program, &Limits::default())
		.map_err(|error| anyhow::anyhow!("the chain would refuse the program: {error}"))?;
	let hint = match (place.constants, place.hint) {
		(Some(folder), _) => constants_hint(&program, &folder)?,
		(None, Some(hint)) => hint,
		(None, None) if blob_constants(&program).next().is_none() => String::new(),
		(None, None) => bail!(
			"the program has constants outside of itself: say where nodes find them, \
			 with --constants DIR or --hint URL"
		),
	};
	ensure!(
		hint.len() <= MAX_HINT as usize,
		"the URL of the folder is longer than {MAX_HINT} bytes: choose one nearer to the root"
	);
	signing.signer()?;
	let chain = context.connect().await?;
	let id = program.id();
	let known = records::program(&chain.best().await?, &id).await?;
	if let Some(record) = known {
		return context.output.one(&Registered {
			program: root(&id),
			new: false,
			author: Some(address(&record.author)),
			transaction: None,
		});
	}
	let effect = format!(
		"register program {} of {} MACs, {} on chain",
		root(&id),
		count(analysis.macs),
		bytes(program.encode().len() as u64)
	);
	let call = calls::register_program(program.encode(), &hint);
	let sent = signing.send(context, &chain, &call, effect).await?;
	context.output.one(&Registered {
		program: root(&id),
		new: true,
		author: Some(sent.from.clone()),
		transaction: Some(sent),
	})
}

#[derive(Serialize)]
struct Registered {
	program: String,
	/// Whether it was not on the chain before.
	new: bool,
	author: Option<String>,
	transaction: Option<Sent>,
}

impl fmt::Display for Registered {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match &self.transaction {
			Some(sent) => {
				writeln!(f, "program: {}", self.program)?;
				write!(f, "{sent}")
			}
			None => {
				writeln!(f, "program: {}", self.program)?;
				writeln!(f, "It is on the chain already: use it. Nothing was sent.")
			}
		}
	}
}

fn blob_constants(program: &CheckedProgram) -> impl Iterator<Item = (&Root, u64)> {
	program.program().constants.iter().filter_map(|constant| match &constant.data {
		ConstantData::Inline(_) => None,
		ConstantData::Blob(blob) => Some((blob, constant.ty.bytes())),
	})
}

/// The URL of a folder of constants, once all of them are found there whole.
fn constants_hint(program: &CheckedProgram, folder: &Path) -> Result<String> {
	ensure!(folder.is_dir(), "{} is not a folder", folder.display());
	let store = BlobStore::open(folder)?;
	for (blob, size) in blob_constants(program) {
		let found = store
			.get(blob)
			.with_context(|| format!("{} lacks a constant of the program", folder.display()))?;
		ensure!(
			found.len() as u64 == size,
			"constant {} has {} bytes, the program says {size}",
			blobs::name(blob),
			found.len()
		);
	}
	Ok(store.base_url())
}

async fn remove(id: Root, signing: Signing, context: &Context) -> Result<()> {
	let signer = signing.signer()?;
	let chain = context.connect().await?;
	let record =
		records::program(&chain.best().await?, &id).await?.with_context(|| unknown(&id))?;
	ensure!(
		record.author == signer.account(),
		"the program was registered by {}: sign with its key",
		address(&record.author)
	);
	ensure!(
		record.live_jobs == 0,
		"{} job(s) need the program: wait until they have ended (tensornet job list --program {})",
		record.live_jobs,
		root(&id)
	);
	let effect = format!("remove program {} and release its deposit", root(&id));
	let sent = signing.send(context, &chain, &calls::unregister_program(id), effect).await?;
	context.output.one(&sent)
}

fn unknown(id: &Root) -> String {
	format!("no program {} on this chain: tensornet program list shows all", root(id))
}

async fn list(author: Option<Account>, context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let mut rows = Vec::new();
	for (id, record) in records::programs(&at).await? {
		if author.is_none_or(|author| author.0 == record.author) {
			rows.push(Listed {
				program: root(&id),
				author: address(&record.author),
				macs: record.macs,
				max_iterations: record.max_iterations,
				memory_mib: record.memory_mib,
				live_jobs: record.live_jobs,
			});
		}
	}
	rows.sort_by(|a, b| a.program.cmp(&b.program));
	let table = |rows: &[Listed]| {
		let head = ["PROGRAM", "MACS", "ITERATIONS", "MIB", "LIVE JOBS", "AUTHOR"];
		let mut table = Table::new(&head).right(&[1, 2, 3, 4]);
		for row in rows {
			table.row([
				row.program.clone(),
				count(row.macs),
				row.max_iterations.to_string(),
				row.memory_mib.to_string(),
				row.live_jobs.to_string(),
				row.author.clone(),
			]);
		}
		table
	};
	context.output.list(&rows, table, "no programs: tensornet program register adds one")
}

#[derive(Serialize)]
struct Listed {
	program: String,
	author: String,
	/// Multiply-accumulates of one iteration.
	macs: u64,
	max_iterations: u32,
	memory_mib: u32,
	live_jobs: u32,
}

/// What the chain adds to a program.
#[derive(Clone, Debug, Serialize)]
pub struct Registration {
	/// Address of who earns its royalty.
	pub author: String,
	/// Where its constants may be fetched.
	pub hint: String,
	/// How many jobs need it now.
	pub live_jobs: u32,
}

/// A program as it is shown.
#[derive(Serialize)]
struct View {
	program: String,
	encoded_bytes: usize,
	inputs: Vec<Tensor>,
	states: Vec<Tensor>,
	outputs: Vec<Tensor>,
	constants: Constants,
	nodes: usize,
	max_iterations: u32,
	/// Multiply-accumulates of one iteration.
	macs: u64,
	memory_bytes: u64,
	/// Nodes in which no sum can wrap, whatever the inputs are.
	exact_nodes: usize,
	checkpoints: Vec<Checkpoint>,
	#[serde(skip_serializing_if = "Option::is_none")]
	registration: Option<Registration>,
}

#[derive(Serialize)]
struct Tensor {
	dtype: &'static str,
	shape: Vec<u32>,
	/// Axes in storage order, outermost first; empty for row-major.
	layout: Vec<u8>,
	bytes: u64,
	#[serde(skip_serializing_if = "Option::is_none")]
	per_iteration: Option<bool>,
}

#[derive(Serialize)]
struct Constants {
	count: usize,
	inline: usize,
	bytes: u64,
}

#[derive(Serialize)]
struct Checkpoint {
	#[serde(flatten)]
	tensor: Tensor,
	/// Work that it commits.
	macs: u64,
	/// The most that recomputing one element takes.
	arbitration_macs: u64,
	/// The most bytes of openings that this needs.
	arbitration_bytes: u64,
}

impl Tensor {
	fn new(ty: &TensorType, layout: &Layout, per_iteration: Option<bool>) -> Self {
		let dtype = match ty.dtype {
			DType::Bool => "bool",
			DType::I8 => "i8",
			DType::I16 => "i16",
			DType::I32 => "i32",
		};
		Self {
			dtype,
			shape: ty.shape.clone(),
			layout: layout.0.clone(),
			bytes: ty.bytes(),
			per_iteration,
		}
	}

	fn text(&self) -> String {
		let shape: Vec<String> = self.shape.iter().map(u32::to_string).collect();
		let mut text = format!("{}[{}], {}", self.dtype, shape.join(", "), bytes(self.bytes));
		if !self.layout.is_empty() {
			text.push_str(&format!(", stored in axis order {:?}", self.layout));
		}
		if self.per_iteration == Some(true) {
			text.push_str(" for each iteration");
		}
		text
	}
}

impl View {
	fn new(program: &CheckedProgram, registration: Option<Registration>) -> Result<Self> {
		let analysis: Analysis = analyse(program, &Limits { macs: u64::MAX, open_bytes: u64::MAX })
			.map_err(|error| anyhow::anyhow!("the program cannot be analysed: {error}"))?;
		let parts = program.program();
		let checkpoint = |number: u16| -> Option<Tensor> {
			let checkpoint = parts.checkpoints.get(usize::from(number))?;
			let ty = program.value_type(checkpoint.value)?;
			Some(Tensor::new(ty, &checkpoint.layout, None))
		};
		let of_value = |value: &u16| program.checkpoint_of(*value).and_then(checkpoint);
		let costs = analysis.checkpoints.iter().enumerate();
		let inline =
			parts.constants.iter().filter(|c| matches!(c.data, ConstantData::Inline(_))).count();
		Ok(Self {
			program: root(&program.id()),
			encoded_bytes: program.encode().len(),
			inputs: parts
				.inputs
				.iter()
				.map(|input| Tensor::new(&input.ty, &input.layout, Some(input.per_iteration)))
				.collect(),
			states: parts.state.iter().filter_map(|state| of_value(&state.next)).collect(),
			outputs: parts.outputs.iter().filter_map(of_value).collect(),
			constants: Constants {
				count: parts.constants.len(),
				inline,
				bytes: parts.constants.iter().map(|constant| constant.ty.bytes()).sum(),
			},
			nodes: parts.nodes.len(),
			max_iterations: parts.max_iterations,
			macs: analysis.macs,
			memory_bytes: analysis.memory_bytes,
			exact_nodes: analysis.exact.iter().filter(|exact| **exact).count(),
			checkpoints: costs
				.filter_map(|(number, cost)| {
					Some(Checkpoint {
						tensor: checkpoint(number as u16)?,
						macs: program.checkpoint_macs(number as u16),
						arbitration_macs: cost.macs,
						arbitration_bytes: cost.open_bytes,
					})
				})
				.collect(),
			registration,
		})
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let largest = |cost: fn(&Checkpoint) -> u64| {
			self.checkpoints.iter().map(cost).max().unwrap_or_default()
		};
		let mut facts = Facts::new()
			.line("program", &self.program)
			.line("encoding", bytes(self.encoded_bytes as u64));
		for (name, tensors) in
			[("input", &self.inputs), ("state", &self.states), ("output", &self.outputs)]
		{
			for (number, tensor) in tensors.iter().enumerate() {
				facts = facts.line(&format!("{name} {number}"), tensor.text());
			}
		}
		let facts = facts
			.line(
				"constants",
				format!(
					"{}, {} of them inline, {}",
					self.constants.count,
					self.constants.inline,
					bytes(self.constants.bytes)
				),
			)
			.line("operators", format!("{}, {} of them exact", self.nodes, self.exact_nodes))
			.line("iterations", format!("at most {}", self.max_iterations))
			.line("work", format!("{} MACs an iteration", count(self.macs)))
			.line("memory", bytes(self.memory_bytes))
			.line("checkpoints", self.checkpoints.len())
			.line(
				"arbitration",
				format!(
					"at most {} MACs and {} opened for one element",
					count(largest(|checkpoint| checkpoint.arbitration_macs)),
					bytes(largest(|checkpoint| checkpoint.arbitration_bytes))
				),
			);
		let facts = match &self.registration {
			Some(registration) => facts
				.line("author", &registration.author)
				.line("constants at", &registration.hint)
				.line("live jobs", registration.live_jobs),
			None => facts,
		};
		write!(f, "{facts}\n{}", checkpoint_table(&self.checkpoints))
	}
}

fn checkpoint_table(checkpoints: &[Checkpoint]) -> Table {
	let head = ["CHECKPOINT", "TENSOR", "MACS", "MACS TO ARBITRATE", "BYTES TO OPEN"];
	let mut table = Table::new(&head).right(&[0, 2, 3, 4]);
	for (number, checkpoint) in checkpoints.iter().enumerate() {
		table.row([
			number.to_string(),
			checkpoint.tensor.text(),
			count(checkpoint.macs),
			count(checkpoint.arbitration_macs),
			count(checkpoint.arbitration_bytes),
		]);
	}
	table
}

/// The work of a program and an ask in words, for estimates.
pub fn price_text(price: u128, ask: u128) -> String {
	format!("{} at an ask of {} for 10^9 MACs", tna_text(price), tna_text(ask))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn ids_and_files_are_told_apart() {
		let id = ProgramName::Id([0xab; 32]);
		assert_eq!(ProgramName::from_str(&format!("0x{}", "ab".repeat(32))).unwrap(), id);
		assert_eq!(ProgramName::from_str(&"ab".repeat(32)).unwrap(), id);
		let file = tempfile::NamedTempFile::new().unwrap();
		let path = file.path().to_str().unwrap();
		assert_eq!(ProgramName::from_str(path).unwrap(), ProgramName::File(path.into()));
		let error = ProgramName::from_str("0x12").unwrap_err();
		assert!(error.contains("64 hexadecimal digits"), "{error}");
		let error = ProgramName::from_str("no/such/file").unwrap_err();
		assert!(error.contains("neither a file nor an id"), "{error}");
	}

	#[test]
	fn a_tensor_is_described_with_its_storage_order() {
		let ty = TensorType::new(DType::I8, [2, 3]);
		let tensor = Tensor::new(&ty, &Layout::new(&[1, 0]), Some(true));
		assert_eq!(
			tensor.text(),
			"i8[2, 3], 6 bytes, stored in axis order [1, 0] for each iteration"
		);
	}
}
