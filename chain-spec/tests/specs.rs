// SPDX-License-Identifier: Apache-2.0

//! What the written specifications say, and how the tool answers.

use serde_json::Value;
use std::process::{Command, Output};

fn tool(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_tensornet-chain-spec"))
		.args(arguments)
		.output()
		.expect("the tool starts")
}

fn written(arguments: &[&str]) -> Value {
	let output = tool(arguments);
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	serde_json::from_slice(&output.stdout).expect("standard output is JSON")
}

#[test]
fn plain_specs_name_chain_token_and_validators() {
	for (chain, id, kind, validators) in [
		("development", "tensornet_dev", "Development", 1),
		("local_testnet", "tensornet_local_testnet", "Local", 3),
	] {
		let spec = written(&["--chain", chain]);
		assert_eq!(spec["id"], id);
		assert_eq!(spec["chainType"], kind);
		assert_eq!(spec["protocolId"], "tensornet");
		assert_eq!(spec["properties"]["tokenSymbol"], "TNA");
		assert_eq!(spec["properties"]["tokenDecimals"], 12);
		assert_eq!(spec["properties"]["ss58Format"], 42);
		let genesis = &spec["genesis"]["runtimeGenesis"]["patch"];
		assert_eq!(genesis["session"]["keys"].as_array().unwrap().len(), validators, "{chain}");
		assert_eq!(genesis["balances"]["balances"].as_array().unwrap().len(), 14);
	}
}

#[test]
fn raw_specs_hold_the_code_and_the_same_specs_come_out_twice() {
	let spec = written(&["--chain", "local_testnet", "--raw"]);
	let top = spec["genesis"]["raw"]["top"].as_object().expect("genesis storage");
	// The key `:code`.
	let code = top["0x3a636f6465"].as_str().expect("the runtime is part of the storage");
	assert!(code.len() > 100_000);
	assert_eq!(spec, written(&["--chain", "local_testnet", "--raw"]));
}

#[test]
fn the_spec_is_written_to_the_file_asked_for() {
	let path = std::env::temp_dir().join(format!("tensornet-spec-{}.json", std::process::id()));
	let output = tool(&["--chain", "development", "--out", path.to_str().unwrap()]);
	assert!(output.status.success() && output.stdout.is_empty());
	let spec: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
	assert_eq!(spec["name"], "TensorNet Development");
	std::fs::remove_file(path).unwrap();
}

#[test]
fn an_unwritable_file_and_an_unknown_chain_are_refused_with_a_way_out() {
	let output = tool(&["--chain", "development", "--out", "/nowhere/spec.json"]);
	assert_eq!(output.status.code(), Some(1));
	let message = String::from_utf8_lossy(&output.stderr).into_owned();
	assert!(message.contains("/nowhere/spec.json") && message.contains("--out"), "{message}");

	let output = tool(&["--chain", "moon"]);
	assert_eq!(output.status.code(), Some(2));
	assert!(String::from_utf8_lossy(&output.stderr).contains("local_testnet"));
}

#[test]
fn a_staging_spec_is_made_of_the_table_and_has_no_root_key() {
	let spec = written(&["--chain", "staging"]);
	assert_eq!(spec["id"], "tensornet_staging");
	let genesis = &spec["genesis"]["runtimeGenesis"]["patch"];
	assert_eq!(genesis["balances"]["balances"].as_array().unwrap().len(), 9);
	assert_eq!(genesis["vesting"]["vesting"].as_array().unwrap().len(), 3);
	assert_eq!(genesis["session"]["keys"].as_array().unwrap().len(), 4);
	assert!(genesis.get("sudo").is_none());

	let raw = written(&["--chain", "staging", "--raw"]);
	assert!(raw["genesis"]["raw"]["top"].as_object().unwrap().len() > 50);
}

#[test]
fn a_main_network_needs_a_table_with_accounts_of_its_own() {
	let output = tool(&["--chain", "mainnet"]);
	assert_eq!(output.status.code(), Some(1));
	assert!(String::from_utf8_lossy(&output.stderr).contains("--tokenomics"));

	let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tokenomics.toml");
	let output = tool(&["--chain", "mainnet", "--tokenomics", table]);
	assert_eq!(output.status.code(), Some(1));
	assert!(String::from_utf8_lossy(&output.stderr).contains("public knowledge"));

	let output = tool(&["--chain", "mainnet", "--tokenomics", "/nowhere.toml"]);
	assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.toml"));
}
