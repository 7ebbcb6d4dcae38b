// SPDX-License-Identifier: Apache-2.0

//! The binary as an operator meets it: chains that start, connect, make and finalize blocks.

mod support;
mod upgrade;

use serde_json::{json, Value};
use std::{fs, time::Duration};
use support::{free_port, run, Node};
use tempfile::tempdir;

/// A machine with two cores starts a node and finalizes three blocks well within this.
const PATIENCE: Duration = Duration::from_secs(90);

fn strings<const N: usize>(arguments: [&str; N]) -> Vec<String> {
	arguments.map(str::to_owned).to_vec()
}

#[test]
fn dev_node_makes_and_finalizes_blocks() {
	let directory = tempdir().unwrap();
	let port = free_port().to_string();
	let mut node =
		Node::start(directory.path(), "dev", &strings(["--dev", "--tmp", "--port", &port]));
	node.wait("the third finalized block", PATIENCE, |node| node.finalized() >= 3);

	let version = node.call("state_getRuntimeVersion", json!([])).unwrap();
	assert_eq!(version["specName"], "tensornet");
	let properties = node.call("system_properties", json!([])).unwrap();
	assert_eq!(properties, json!({ "ss58Format": 42, "tokenDecimals": 12, "tokenSymbol": "TNA" }));

	let methods = node.call("rpc_methods", json!([])).unwrap();
	let methods: Vec<_> =
		methods["methods"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
	for expected in [
		"system_accountNextIndex",
		"chain_getBlock",
		"state_getMetadata",
		"author_submitExtrinsic",
		"payment_queryInfo",
		"babe_epochAuthorship",
		"grandpa_roundState",
		"chainHead_v1_follow",
		"transaction_v1_broadcast",
	] {
		assert!(methods.contains(&expected), "{expected} is missing");
	}

	let metrics = node.metrics().expect("the Prometheus endpoint answers");
	assert!(metrics.contains("substrate_block_height"), "{metrics}");
}

#[test]
fn three_validators_from_the_local_spec_finalize() {
	let directory = tempdir().unwrap();
	let spec = directory.path().join("local.json");
	let built = run(&["build-spec", "--chain", "local", "--raw", "--disable-default-bootnode"]);
	assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
	fs::write(&spec, &built.stdout).unwrap();

	// Alice's node key is known, so that the others can name her.
	let node_key = |number: u8| format!("{number:064x}");
	let key_file = directory.path().join("alice.key");
	fs::write(&key_file, node_key(1)).unwrap();
	let peer = run(&["key", "inspect-node-key", "--file", key_file.to_str().unwrap()]);
	assert!(peer.status.success(), "{}", String::from_utf8_lossy(&peer.stderr));
	let alice_port = free_port();
	let alice_address = format!(
		"/ip4/127.0.0.1/tcp/{alice_port}/p2p/{}",
		String::from_utf8_lossy(&peer.stdout).trim()
	);

	let start = |name: &str, number: u8, port: u16| {
		let mut arguments = strings(["--chain", spec.to_str().unwrap()]);
		arguments.push(format!("--{name}"));
		arguments.extend(["--base-path".into(), directory.path().join(name).display().to_string()]);
		arguments.extend(["--listen-addr".into(), format!("/ip4/127.0.0.1/tcp/{port}")]);
		arguments.extend(["--node-key".into(), node_key(number)]);
		if number > 1 {
			arguments.extend(["--bootnodes".into(), alice_address.clone()]);
		}
		Node::start(directory.path(), name, &arguments)
	};
	let alice = start("alice", 1, alice_port);
	let bob = start("bob", 2, free_port());
	let charlie = start("charlie", 3, free_port());

	let mut validators = [alice, bob, charlie];
	for node in &mut validators {
		node.wait("a connection to both others", PATIENCE, |node| node.peers() >= 2);
	}
	for node in &mut validators {
		node.wait("the third finalized block", PATIENCE, |node| node.finalized() >= 3);
	}
	let block = |node: &Node| node.call("chain_getBlockHash", json!([3])).unwrap();
	let [alice, bob, charlie] = &validators;
	assert_eq!(block(alice), block(bob));
	assert_eq!(block(alice), block(charlie));
}

#[test]
fn specs_are_written_plain_and_raw_and_a_written_spec_is_read_back() {
	let plain = run(&["export-chain-spec", "--chain", "local"]);
	assert!(plain.status.success(), "{}", String::from_utf8_lossy(&plain.stderr));
	let spec: Value = serde_json::from_slice(&plain.stdout).unwrap();
	assert_eq!(spec["id"], "tensornet_local_testnet");
	assert!(spec["genesis"]["runtimeGenesis"]["patch"]["session"]["keys"].is_array());

	let directory = tempdir().unwrap();
	let file = directory.path().join("plain.json");
	fs::write(&file, &plain.stdout).unwrap();
	let again = run(&["export-chain-spec", "--raw", "--chain", file.to_str().unwrap()]);
	let direct = run(&["export-chain-spec", "--raw", "--chain", "local"]);
	assert!(again.status.success() && direct.status.success());
	let genesis =
		|output: &[u8]| serde_json::from_slice::<Value>(output).unwrap()["genesis"]["raw"].clone();
	assert!(genesis(&direct.stdout)["top"].is_object());
	assert_eq!(genesis(&again.stdout), genesis(&direct.stdout));
}

#[test]
fn an_unknown_chain_is_refused_with_the_known_ones() {
	let output = run(&["--chain", "no-such-chain"]);
	assert!(!output.status.success());
	let message = String::from_utf8_lossy(&output.stderr).into_owned();
	assert!(message.contains("no-such-chain") && message.contains("local"), "{message}");
}

#[test]
fn a_purged_chain_leaves_no_database() {
	let directory = tempdir().unwrap();
	let base = directory.path().join("base").display().to_string();
	{
		let port = free_port().to_string();
		let mut node = Node::start(
			directory.path(),
			"purged",
			&strings(["--dev", "--base-path", &base, "--port", &port]),
		);
		node.wait("the first answer", PATIENCE, |node| {
			node.call("system_health", json!([])).is_ok()
		});
	}
	let database = directory.path().join("base/chains/tensornet_dev/paritydb");
	assert!(database.is_dir(), "the database is ParityDB");
	let output = run(&["purge-chain", "--dev", "--base-path", &base, "-y"]);
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	assert!(!database.exists());
}
