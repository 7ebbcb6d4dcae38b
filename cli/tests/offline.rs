// SPDX-License-Identifier: Apache-2.0

//! What `tensornet` prints and how it exits where no chain is needed.

use serde_json::Value;
use std::{
	path::{Path, PathBuf},
	process::{Command, Output},
};
use tensornet_tensor::{
	CheckedProgram, Checkpoint, Constant, ConstantData, DType, Input, Layout, Node, Op, Program,
	TensorType, FORMAT,
};

/// A port on which nothing listens.
const NOWHERE: &str = "ws://127.0.0.1:1";

/// The id of no program.
const ID: &str = "0xabababababababababababababababababababababababababababababababab";

fn tensornet(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_tensornet"))
		.args(arguments)
		.env_remove("TENSORNET_CHAIN")
		.env_remove("TENSORNET_KEY")
		.env("RUST_LOG", "off")
		.output()
		.expect("the binary runs")
}

fn stdout(output: &Output) -> String {
	String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
	String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Succeeds with one JSON object on stdout and nothing on stderr.
fn json(arguments: &[&str]) -> Value {
	let output = tensornet(&[arguments, &["--json"]].concat());
	assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
	assert_eq!(stderr(&output), "");
	let text = stdout(&output);
	assert_eq!(text.lines().count(), 1, "one object on one line: {text}");
	serde_json::from_str(&text).expect("stdout is JSON")
}

/// Fails with `code`, prints nothing on stdout, and says every one of `words` on stderr.
fn fails(code: i32, words: &[&str], arguments: &[&str]) {
	let output = tensornet(arguments);
	assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
	assert_eq!(stdout(&output), "", "{arguments:?}");
	for word in words {
		assert!(stderr(&output).contains(word), "'{word}' is missing in {}", stderr(&output));
	}
}

/// A product of an input by a constant, the constant in a blob.
fn product(constant: ConstantData) -> CheckedProgram {
	CheckedProgram::new(Program {
		format: FORMAT,
		inputs: vec![Input {
			ty: TensorType::new(DType::I8, [1, 2, 4]),
			layout: Layout::row_major(),
			per_iteration: false,
		}],
		constants: vec![Constant {
			ty: TensorType::new(DType::I8, [1, 4, 3]),
			layout: Layout::new(&[0, 2, 1]),
			data: constant,
		}],
		state: Vec::new(),
		nodes: vec![Node {
			op: Op::MatMul { a_zero_point: 0, b_zero_point: 0 },
			operands: vec![0, 1],
		}],
		outputs: vec![2],
		checkpoints: vec![Checkpoint { value: 2, layout: Layout::row_major() }],
		max_iterations: 1,
	})
	.expect("the program is valid")
}

fn write_program(folder: &Path, program: &CheckedProgram) -> PathBuf {
	let path = folder.join("product.tnp");
	std::fs::write(&path, program.encode()).expect("the folder is writable");
	path
}

fn text(path: &Path) -> &str {
	path.to_str().expect("the path is text")
}

mod usage {
	use super::*;

	#[test]
	fn help_teaches_with_examples_and_names_the_exit_codes() {
		let output = tensornet(&["--help"]);
		assert_eq!(output.status.code(), Some(0));
		let help = stdout(&output);
		for part in ["Examples:", "tensornet job submit", "TENSORNET_CHAIN", "Exit status"] {
			assert!(help.contains(part), "'{part}' is missing in\n{help}");
		}
	}

	#[test]
	fn an_unknown_command_is_wrong_usage() {
		fails(2, &["unrecognized subcommand"], &["jobs"]);
		fails(2, &["Usage"], &["job", "submit"]);
	}

	#[test]
	fn bad_amounts_are_wrong_usage_and_say_what_is_right() {
		for amount in ["1,5", "1e3", "", "0.0000000000001"] {
			fails(
				2,
				&["is not an amount of TNA", "0.25"],
				&["transfer", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY", amount],
			);
		}
	}

	#[test]
	fn secrets_and_nonsense_are_no_accounts() {
		fails(2, &["is not an SS58 address"], &["balance", "//Alice"]);
		fails(2, &["32 bytes of hexadecimal"], &["node", "show", "0x12"]);
	}

	#[test]
	fn job_numbers_are_numbers() {
		fails(2, &["invalid value"], &["job", "show", "0x1"]);
		fails(2, &["invalid value"], &["job", "cancel", "one"]);
	}

	#[test]
	fn numbers_that_do_not_fit_are_wrong_usage() {
		let huge = "99999999999999999999999999";
		fails(2, &["invalid value", huge], &["job", "show", huge]);
		fails(2, &["invalid value"], &["job", "show", "--", "-1"]);
		let submit = ["job", "submit", ID, "--max-price", "1"];
		fails(2, &["invalid value"], &[&submit[..], &["--iterations", huge]].concat());
		fails(2, &["invalid value"], &[&submit[..], &["--deadline-blocks", "4294967296"]].concat());
		let units = "340282366920938463463374607431768211456";
		fails(2, &["is not an amount of TNA"], &["burn", units]);
	}

	#[test]
	fn a_place_for_blobs_must_be_a_url_that_can_be_fetched_from() {
		for (bad, why) in [
			("/tmp/blobs", "is not a URL"),
			("example.org", "is not a URL"),
			("ftp://example.org", "use file, http or https"),
		] {
			fails(2, &[why], &["job", "submit", ID, "--max-price", "1", "--hint", bad]);
			fails(2, &[why], &["program", "register", "nothing.tnp", "--hint", bad]);
		}
		let long = format!("https://example.org/{}", "a".repeat(300));
		fails(2, &["longer than the 256 bytes"], &["program", "register", "x", "--hint", &long]);
	}

	#[test]
	fn jobs_are_filtered_by_states_that_exist() {
		fails(2, &["invalid value", "settled"], &["job", "list", "--state", "done"]);
		fails(2, &["invalid value"], &["job", "list", "--state", "live,done"]);
	}

	#[test]
	fn a_proposal_is_one_thing_and_is_whole() {
		fails(2, &["--set", "--spend"], &["gov", "propose", "--key", "//Alice"]);
		let both = ["gov", "propose", "--set", "a.B=1%", "--kill", "1"];
		fails(2, &["cannot be used with"], &both);
		fails(2, &["--to"], &["gov", "propose", "--spend", "1"]);
		fails(2, &["shares.JobBurn=12%"], &["gov", "propose", "--set", "JobBurn"]);
		fails(2, &["hexadecimal"], &["gov", "propose", "--call", "transfer"]);
		fails(2, &["Escrow.submit_job"], &["gov", "propose", "--pause", "everything"]);
		fails(2, &["write 0 to 6"], &["gov", "vote", "1", "aye", "1", "--conviction", "7"]);
		fails(2, &["invalid value", "nay"], &["gov", "vote", "1", "maybe", "1"]);
	}

	#[test]
	fn an_attestation_needs_a_level_a_country_and_evidence() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		for (level, country, evidence, why) in [
			("2", "CH", &[][..], "--evidence"),
			("5", "CH", &["--commitment", ID], "5 is not in 1..=4"),
			("2", "Schweiz", &["--commitment", ID], "two letters"),
		] {
			let issue = ["attest", "issue", alice, "--days", "1", "--level", level];
			fails(2, &[why], &[&issue[..], &["--country", country], evidence].concat());
		}
	}

	#[test]
	fn an_update_must_change_something() {
		fails(2, &["--ask", "--endpoint"], &["node", "update", "--key", "//Alice"]);
	}

	#[test]
	fn an_endpoint_that_is_no_web_address_is_wrong_usage() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		let flags = "--ask 0.1 --bond 10 --memory-mib 1 --giga-macs 1 --endpoint ftp://x";
		let mut arguments = vec!["node", "register", "--operator", alice];
		arguments.extend(flags.split(' '));
		fails(2, &["http:// or https://"], &arguments);
	}
}

mod keys {
	use super::*;

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	#[test]
	fn inspecting_a_secret_shows_its_address_and_not_the_secret() {
		let key = json(&["keys", "inspect", "//Alice"]);
		assert_eq!(key["address"], ALICE);
		assert_eq!(
			key["public_key"],
			"0xd43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d"
		);
		assert!(key.get("phrase").is_none());
		let public = key["public_key"].as_str().expect("a string");
		assert_eq!(json(&["keys", "inspect", public])["address"], ALICE);
		assert!(stdout(&tensornet(&["keys", "inspect", ALICE])).contains(public));
	}

	#[test]
	fn a_generated_phrase_gives_the_address_shown_with_it() {
		let key = json(&["keys", "generate", "--words", "24"]);
		let phrase = key["phrase"].as_str().expect("a phrase");
		assert_eq!(phrase.split(' ').count(), 24);
		assert_eq!(json(&["keys", "inspect", phrase])["address"], key["address"]);
	}

	#[cfg(unix)]
	#[test]
	fn a_key_file_is_private_and_its_phrase_is_not_shown() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().expect("a folder");
		let file = folder.path().join("key");
		let key = json(&["keys", "generate", "--file", text(&file)]);
		assert!(key.get("phrase").is_none());
		let mode = std::fs::metadata(&file).expect("the file is there").permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
		assert_eq!(json(&["keys", "inspect", text(&file)])["address"], key["address"]);
		fails(
			1,
			&["cannot create", "choose a new file"],
			&["keys", "generate", "--file", text(&file)],
		);
	}

	#[test]
	fn what_is_no_key_is_refused() {
		fails(
			1,
			&["error:", "not an address, a key file or a secret"],
			&["keys", "inspect", "hello"],
		);
	}
}

mod program {
	use super::*;

	#[test]
	fn inspecting_a_file_shows_shapes_work_and_arbitration_cost() {
		let folder = tempfile::tempdir().expect("a folder");
		let program = product(ConstantData::Inline(vec![1; 12]));
		let file = write_program(folder.path(), &program);
		let shown = json(&["program", "inspect", text(&file)]);
		assert_eq!(shown["program"], format!("0x{}", hex::encode(program.id())));
		assert_eq!(shown["macs"], 24);
		assert_eq!(shown["inputs"][0]["dtype"], "i8");
		assert_eq!(shown["inputs"][0]["shape"], serde_json::json!([1, 2, 4]));
		assert_eq!(shown["outputs"][0]["dtype"], "i32");
		assert_eq!(shown["constants"]["inline"], 1);
		assert_eq!(shown["checkpoints"].as_array().map(Vec::len), Some(1));
		assert!(shown["checkpoints"][0]["arbitration_macs"].as_u64() >= Some(4));
		let output = tensornet(&["program", "inspect", text(&file)]);
		let shown = stdout(&output);
		for part in ["i8[1, 2, 4]", "24 MACs", "MACS TO ARBITRATE"] {
			assert!(shown.contains(part), "'{part}' is missing in\n{shown}");
		}
	}

	#[test]
	fn a_damaged_program_is_refused() {
		let folder = tempfile::tempdir().expect("a folder");
		let file = write_program(folder.path(), &product(ConstantData::Inline(vec![1; 12])));
		let mut bytes = std::fs::read(&file).expect("the file is there");
		bytes.push(0);
		std::fs::write(&file, bytes).expect("the file is writable");
		fails(
			1,
			&["is not a valid program", "compile it again"],
			&["program", "inspect", text(&file)],
		);
	}

	#[test]
	fn bad_ids_are_refused_before_the_chain_is_asked() {
		fails(2, &["64 hexadecimal digits"], &["program", "inspect", "0x12", "--chain", NOWHERE]);
		fails(2, &["neither a file nor an id"], &["job", "estimate", "nothing.tnp"]);
	}

	#[test]
	fn constants_are_looked_for_before_anything_is_sent() {
		let folder = tempfile::tempdir().expect("a folder");
		let blobs =
			tensornet_client::BlobStore::open(folder.path().join("blobs")).expect("a store");
		let root = blobs.put(&[3; 12]).expect("the blob is stored");
		let file = write_program(folder.path(), &product(ConstantData::Blob(root)));
		let register = ["program", "register", text(&file), "--key", "//Alice", "--chain", NOWHERE];
		fails(1, &["--constants DIR or --hint URL"], &register);
		let empty = folder.path().join("empty");
		std::fs::create_dir(&empty).expect("the folder is writable");
		let with = |folder: &Path, words: &[&str]| {
			fails(1, words, &[&register[..], &["--constants", text(folder)]].concat())
		};
		with(&empty, &["lacks a constant"]);
		// With its constants there, the program is fine and only the chain is missing.
		with(blobs.folder(), &["cannot reach a node"]);
	}
}

mod chain {
	use super::*;

	#[test]
	fn a_missing_key_is_told_before_the_chain_is_asked() {
		let alice = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
		fails(
			1,
			&["no key to sign with", "keys generate"],
			&["transfer", alice, "1", "--chain", NOWHERE],
		);
		let commands: [&[&str]; 30] = [
			&["delegate", alice, "1"],
			&["redelegate", alice, alice, "1"],
			&["unbond", alice, "1"],
			&["withdraw", alice],
			&["rewards", "claim"],
			&["sponsor", alice],
			&["lineage", "join"],
			&["validator", "register", "1"],
			&["validator", "set-keys"],
			&["validator", "leave"],
			&["gov", "propose", "--set", "shares.JobBurn=12%"],
			&["gov", "vote", "0", "aye", "1"],
			&["gov", "delegate", "all", alice, "1"],
			&["gov", "undelegate", "all"],
			&["gov", "remove-vote", "0"],
			&["gov", "unlock"],
			&["gov", "refund", "0"],
			&["attest", "apply"],
			&["attest", "revoke", alice],
			&["node", "commission", "5%"],
			&["burn", "1"],
			&["job", "cancel", "1"],
			&["job", "submit", ID, "--max-price", "1"],
			&["program", "remove", ID],
			&["node", "online"],
			&["node", "update", "--ask", "1"],
			&["node", "set-operator", alice],
			&["node", "unbond", "1"],
			&["node", "withdraw"],
			&["node", "deregister"],
		];
		for command in commands {
			fails(1, &["no key to sign with"], &[command, &["--chain", NOWHERE]].concat());
		}
	}

	#[test]
	fn what_is_no_key_is_told_before_the_chain_is_asked() {
		for key in ["no/such/file", "0x12", "wrong words of a phrase", ""] {
			let withdraw = ["node", "withdraw", "--key", key, "--chain", NOWHERE];
			fails(1, &["not a key"], &withdraw);
		}
	}

	#[test]
	fn files_are_looked_at_before_the_chain_is_asked() {
		let folder = tempfile::tempdir().expect("a folder");
		let submit =
			["job", "submit", ID, "--max-price", "1", "--key", "//Alice", "--chain", NOWHERE];
		let with = |words: &[&str], more: &[&str]| fails(1, words, &[&submit[..], more].concat());
		with(&["cannot read", "no/such/file"], &["--input", "no/such/file"]);
		with(&["does not exist"], &["--output", "no/such/folder/out"]);
		with(&["is a folder"], &["--output", text(folder.path())]);
		// Nothing was made on the way.
		assert_eq!(std::fs::read_dir(folder.path()).expect("the folder is there").count(), 0);
	}

	#[test]
	fn a_server_that_never_answers_is_given_up() {
		let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
		let url = format!("ws://{}", silent.local_addr().expect("it has an address"));
		let started = std::time::Instant::now();
		fails(1, &["cannot reach a node", &url], &["supply", "--chain", &url]);
		assert!(started.elapsed() < std::time::Duration::from_secs(30));
	}

	#[test]
	fn a_url_that_is_none_is_refused() {
		for url in ["127.0.0.1:9944", "http://127.0.0.1:9944", "ws://"] {
			fails(1, &["ws://"], &["node", "list", "--chain", url]);
		}
	}

	#[test]
	fn an_unreachable_chain_is_a_failure_that_says_where_it_looked() {
		fails(1, &["cannot reach a node", NOWHERE], &["program", "list", "--chain", NOWHERE]);
		fails(1, &["cannot reach a node"], &["job", "show", "1", "--chain", NOWHERE, "--json"]);
	}
}
