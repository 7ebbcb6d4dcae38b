// SPDX-License-Identifier: Apache-2.0

//! The arguments common to all commands, and what a process answers with.

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use std::{process::ExitCode, sync::Mutex, time::Duration};
use tensornet_client::Chain;
use tokio::net::TcpStream;
use tracing_subscriber::EnvFilter;

use crate::{
	commands::{
		attest, balance, compile, gov, job, keys, lineage, node, program, rewards, stake, validator,
	},
	output::Output,
};

/// How long a node may take to answer the first time.
const PATIENCE: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  A key of your own, and what it owns
      tensornet keys generate --file ~/.tensornet-key
      tensornet balance 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY

  What a job costs, and running it
      tensornet program list
      tensornet job estimate 0x…
      tensornet job submit 0x… --input photo.bin --max-price 0.5 --key ~/.tensornet-key --wait

  Selling compute
      tensornet node register --operator 5F… --ask 0.001 --bond 1000 \\
          --memory-mib 16384 --giga-macs 900 \\
          --endpoint http://203.0.113.7:9980 --key ~/.tensornet-key
      tensornet node online --key ~/.tensornet-key

  Deciding with others
      tensornet gov parameters
      tensornet gov propose --set shares.JobBurn=12% --key ~/.tensornet-key --dry-run
      tensornet gov vote 0 aye 1000 --key ~/.tensornet-key

  Jobs and nodes on the chain
      tensornet job list --state live
      tensornet node list --online

Amounts are in TNA. Exit status: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

/// Exit status of a command that was interrupted, as shells give it.
const INTERRUPTED: u8 = 130;

/// Buy and sell compute that anyone can check, on a TensorNet chain.
#[derive(Parser)]
#[command(name = "tensornet", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
	#[command(flatten)]
	global: Global,
	#[command(subcommand)]
	command: Command,
}

#[derive(Args)]
struct Global {
	/// JSON-RPC of a node of the chain.
	#[arg(
		long,
		global = true,
		env = "TENSORNET_CHAIN",
		default_value = "ws://127.0.0.1:9944",
		value_name = "URL",
		help_heading = "Global options"
	)]
	chain: String,

	/// Print JSON: one object, or one a line for lists. Amounts are decimal strings of TNA.
	#[arg(long, global = true, help_heading = "Global options")]
	json: bool,
}

#[derive(Subcommand)]
enum Command {
	/// Make and look at signing keys.
	#[command(subcommand)]
	Keys(keys::Command),
	/// Compile a model to a program.
	Compile(compile::CompileArgs),
	/// Register, look at and remove programs.
	#[command(subcommand)]
	Program(program::Command),
	/// Estimate, post, list, follow, fetch and cancel jobs.
	#[command(subcommand)]
	Job(job::Command),
	/// Register, look at, change and end GPU nodes, and their bonds.
	#[command(subcommand)]
	Node(node::Command),
	/// What an account owns.
	Balance(balance::BalanceArgs),
	/// Send TNA to another account.
	Transfer(balance::TransferArgs),
	/// Burn TNA of your own for good.
	Burn(balance::BurnArgs),
	/// How much TNA exists, and how much was burned for what.
	Supply,
	/// What an account has at stake: its node, its candidacy, the nodes that it backs.
	Stake(stake::Stake),
	/// Back a node with your TNA, for a share of what it earns.
	Delegate(stake::Delegate),
	/// Move what backs one node to another.
	Redelegate(stake::Redelegate),
	/// Start to take back what backs a node.
	Unbond(stake::Unbond),
	/// Free what has unbonded from a node that you backed.
	Withdraw(stake::Withdraw),
	/// What an account earned, and collecting it.
	#[command(subcommand)]
	Rewards(rewards::Command),
	/// Stand for election as a validator, and look after its keys and bond.
	#[command(subcommand)]
	Validator(validator::Command),
	/// Name your sponsor in the consensus chain, once and for good.
	Sponsor(lineage::SponsorArgs),
	/// Look at the consensus chain, join it, and leave it.
	#[command(subcommand)]
	Lineage(lineage::Command),
	/// Propose changes, vote on them, and see them carried out.
	#[command(subcommand)]
	Gov(gov::Command),
	/// Attest accounts as a registrar, and look at what is attested.
	#[command(subcommand)]
	Attest(attest::Command),
	/// The attested level that each role requires.
	Requirements,
}

/// What every command works with.
pub struct Context {
	/// URL of a node's JSON-RPC.
	pub chain: String,
	/// Where results go.
	pub output: Output,
	/// What to say if the command is interrupted now.
	underway: Mutex<Option<String>>,
}

impl Context {
	/// Notes what goes on without this command, to be said if it is interrupted from here on.
	pub fn note(&self, underway: String) {
		*self.underway.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(underway);
	}

	/// Connects to the chain.
	pub async fn connect(&self) -> Result<Chain> {
		connect(&self.chain).await
	}
}

/// Connects to a node's JSON-RPC. A node that does not answer is an error at once: a client that
/// reconnects by itself would try for minutes where nobody has ever answered.
pub async fn connect(url: &str) -> Result<Chain> {
	let unreachable =
		|| format!("cannot reach a node at {url}: is it running, and is --chain right?");
	let knock = async {
		TcpStream::connect(socket(url)?).await.with_context(unreachable)?;
		Chain::connect(url).await
	};
	match tokio::time::timeout(PATIENCE, knock).await {
		Ok(connected) => connected,
		Err(_) => Err(anyhow::anyhow!("no answer within {} s", PATIENCE.as_secs()))
			.with_context(unreachable),
	}
}

/// Host and port of a `ws://` or `wss://` URL.
fn socket(url: &str) -> Result<String> {
	let (rest, port) = url
		.strip_prefix("ws://")
		.map(|rest| (rest, 80))
		.or_else(|| url.strip_prefix("wss://").map(|rest| (rest, 443)))
		.with_context(|| format!("'{url}' is not a ws:// or wss:// URL"))?;
	let authority = rest.split(['/', '?']).next().unwrap_or_default();
	let host_start = authority.rfind('@').map_or(0, |at| at + 1);
	let authority = authority.get(host_start..).unwrap_or_default();
	anyhow::ensure!(!authority.is_empty(), "'{url}' names no host");
	let has_port = authority
		.rsplit_once(':')
		.is_some_and(|(_, port)| port.parse::<u16>().is_ok() && !port.is_empty());
	Ok(if has_port { authority.to_owned() } else { format!("{authority}:{port}") })
}

impl Cli {
	/// Runs the command and reports on stderr what went wrong.
	pub async fn run(self) -> ExitCode {
		let context = Context {
			chain: self.global.chain,
			output: Output::new(self.global.json),
			underway: Mutex::new(None),
		};
		let result = match self.command {
			// It computes and sends nothing: an interrupt ends it where it is.
			Command::Compile(arguments) => compile::run(arguments, &context),
			command => tokio::select! {
				result = command.run(&context) => result,
				Ok(()) = tokio::signal::ctrl_c() => {
					let underway =
						context.underway.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
					let underway = underway.unwrap_or_else(|| "nothing was sent".into());
					eprintln!("interrupted: {underway}");
					return ExitCode::from(INTERRUPTED);
				}
			},
		};
		match result {
			Ok(()) => ExitCode::SUCCESS,
			// The reader of our output has had enough, as `head` does.
			Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
			Err(error) => {
				eprintln!("error: {error:#}");
				ExitCode::FAILURE
			}
		}
	}
}

impl Command {
	async fn run(self, context: &Context) -> Result<()> {
		match self {
			Command::Compile(arguments) => compile::run(arguments, context),
			Command::Keys(command) => keys::run(command, context),
			Command::Program(command) => program::run(command, context).await,
			Command::Job(command) => job::run(command, context).await,
			Command::Node(command) => node::run(command, context).await,
			Command::Balance(arguments) => balance::show(arguments, context).await,
			Command::Transfer(arguments) => balance::transfer(arguments, context).await,
			Command::Burn(arguments) => balance::burn(arguments, context).await,
			Command::Supply => balance::supply(context).await,
			Command::Stake(arguments) => stake::show(arguments, context).await,
			Command::Delegate(arguments) => stake::delegate(arguments, context).await,
			Command::Redelegate(arguments) => stake::redelegate(arguments, context).await,
			Command::Unbond(arguments) => stake::unbond(arguments, context).await,
			Command::Withdraw(arguments) => stake::withdraw(arguments, context).await,
			Command::Rewards(command) => rewards::run(command, context).await,
			Command::Validator(command) => validator::run(command, context).await,
			Command::Sponsor(arguments) => lineage::sponsor(arguments, context).await,
			Command::Lineage(command) => lineage::run(command, context).await,
			Command::Gov(command) => gov::run(command, context).await,
			Command::Attest(command) => attest::run(command, context).await,
			Command::Requirements => attest::requirements(context).await,
		}
	}
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
	error
		.downcast_ref::<std::io::Error>()
		.is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Sends the log to stderr. `RUST_LOG` chooses how much; warnings by default.
pub fn start_log() {
	let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
	tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::CommandFactory;

	#[test]
	fn the_arguments_are_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn host_and_port_are_read_from_the_url() {
		for (url, host) in [
			("ws://127.0.0.1:9944", "127.0.0.1:9944"),
			("wss://rpc.example.org/ws?x=1", "rpc.example.org:443"),
			("ws://user@node", "node:80"),
			("ws://[::1]:9944/", "[::1]:9944"),
			("ws://[::1]", "[::1]:80"),
		] {
			assert_eq!(socket(url).unwrap(), host);
		}
		assert!(socket("http://127.0.0.1").is_err());
		assert!(socket("ws://").is_err());
	}

	#[test]
	fn every_command_that_signs_can_be_tried_out() {
		fn look(command: &clap::Command, path: &str, signing: &mut Vec<String>) {
			let has = |option: &str| {
				command.get_arguments().any(|argument| argument.get_long() == Some(option))
			};
			if has("key") {
				assert!(has("dry-run"), "{path} has no --dry-run");
				signing.push(path.to_owned());
			}
			for inner in command.get_subcommands() {
				look(inner, &format!("{path} {}", inner.get_name()), signing);
			}
		}
		let mut signing = Vec::new();
		look(&Cli::command(), "tensornet", &mut signing);
		for write in [
			"transfer",
			"burn",
			"delegate",
			"redelegate",
			"unbond",
			"withdraw",
			"sponsor",
			"rewards claim",
			"node register",
			"node unbond",
			"validator register",
			"program register",
			"job submit",
			"job cancel",
			"lineage join",
			"gov propose",
			"gov vote",
			"gov delegate",
			"gov apply-upgrade",
			"attest issue",
		] {
			assert!(signing.contains(&format!("tensornet {write}")), "{write} signs nothing");
		}
	}

	#[test]
	fn every_command_explains_itself() {
		fn check(command: &clap::Command) {
			assert!(command.get_about().is_some(), "{} says nothing", command.get_name());
			for argument in command.get_arguments() {
				assert!(
					argument.get_help().is_some(),
					"{} {} says nothing",
					command.get_name(),
					argument.get_id()
				);
			}
			command.get_subcommands().for_each(check);
		}
		check(&Cli::command());
	}
}
