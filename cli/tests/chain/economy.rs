// SPDX-License-Identifier: Apache-2.0

//! Backing nodes, the consensus chain, candidates, registrars: from the command line to the chain's
//! record.

use crate::support::{account, address, free_ports, tna, Local};
use tensornet_client::balance::UNITS;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stake_is_delegated_moved_and_taken_back() {
	let local = Local::start().await;
	let ports: [u16; 2] = free_ports();
	local.register_node("//Bob", ports[0]);
	local.register_node("//Dave", ports[1]);
	let (bob, dave, eve) = (address("//Bob"), address("//Dave"), address("//Eve"));
	let key = ["--key", "//Eve"];
	let with = |command: &[&str]| local.json(&[command, &key].concat());

	let (_, before) = local.funds("//Eve").await;
	let dry = local.json(&["delegate", &bob, "300", "--key", "//Eve", "--dry-run"]);
	assert_eq!(dry["holds"], "300");
	assert_eq!(local.funds("//Eve").await.1, before);
	with(&["delegate", &bob, "300"]);
	assert_eq!(local.funds("//Eve").await.1 - before, 300 * UNITS);
	with(&["redelegate", &bob, &dave, "100"]);
	let stake = local.json(&["stake", &eve]);
	let mut backed: Vec<(String, u128)> = stake["delegations"]
		.as_array()
		.expect("a list")
		.iter()
		.map(|one| (one["node"].as_str().expect("a node").to_owned(), tna(&one["worth"])))
		.collect();
	let mut expected = vec![(bob.clone(), 200 * UNITS), (dave.clone(), 100 * UNITS)];
	backed.sort();
	expected.sort();
	assert_eq!(backed, expected);

	with(&["unbond", &bob, "50"]);
	local.fails(&["nothing is unlocked yet"], &["withdraw", &bob, "--key", "//Eve"]);
	let (_, held) = local.funds("//Eve").await;
	assert_eq!(held - before, 300 * UNITS, "what unbonds stays on hold");
	local.fails(&["has not backed"], &["unbond", &bob, "50", "--key", "//Ferdie"]);
	local.fails(&["owns no node"], &["delegate", &eve, "50", "--key", "//Ferdie"]);
	local.fails(&["less than"], &["delegate", &bob, "2000000", "--key", "//Ferdie"]);

	local.json(&["node", "commission", "5%", "--key", "//Bob"]);
	let dry = local.json(&["delegate", &bob, "300", "--key", "//Ferdie", "--dry-run"]);
	assert!(dry["effect"].as_str().is_some_and(|effect| effect.contains("keeps 5 %")), "{dry}");

	let rewards = local.json(&["rewards", "show", &eve]);
	assert_eq!(rewards["backing"], "0");
	local.fails(&["nothing can be collected"], &["rewards", "claim", "--key", "//Eve"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sponsors_candidates_and_registrars_are_told_as_they_are() {
	let local = Local::start().await;
	let (eve, ferdie, alice) = (address("//Eve"), address("//Ferdie"), address("//Alice"));

	let sponsor = ["sponsor", &ferdie, "--key", "//Eve"];
	local.fails(&["has not joined"], &sponsor);
	local.json(&["lineage", "join", "--key", "//Ferdie"]);
	local.json(&sponsor);
	local.fails(&["for good"], &sponsor);
	local.fails(&["nobody sponsors oneself"], &["sponsor", &eve, "--key", "//Eve"]);
	let shown = local.json(&["lineage", "show", &eve]);
	assert_eq!(shown["sponsor"], ferdie);
	assert_eq!(shown["ancestors"][0]["account"], ferdie);
	assert_eq!(shown["ancestors"][0]["degree"], 1);
	assert_eq!(shown["weight"], "0");
	// Without contributions nobody is active, and may leave; the link is left behind.
	local.json(&["lineage", "leave", "--key", "//Ferdie"]);
	assert_eq!(local.json(&["lineage", "show", &ferdie])["member"], serde_json::Value::Null);

	let validator = address("//Alice//stash");
	let shown = local.json(&["validator", "show", &validator]);
	assert_eq!(shown["validating"], true);
	local.fails(&["is neither candidate"], &["validator", "show", &eve]);
	local.fails(&["is no candidate"], &["validator", "chill", "--key", "//Eve"]);
	let refused = ["validator", "register", "20000", "--key", "//Eve"];
	local.fails(&["Validators::NoKeys"], &refused);

	local.json(&["attest", "apply", "--key", "//Eve"]);
	let registrars = local.list(&["attest", "registrars"]);
	assert_eq!(registrars[0]["registrar"], eve);
	assert_eq!(registrars[0]["appointed"], false);
	let attest = ["attest", "issue", &alice, "--level", "2", "--country", "ch", "--days", "30"];
	let zero = format!("0x{}", "00".repeat(32));
	let commitment = ["--commitment", &zero, "--key", "//Eve"];
	local.fails(&["is not appointed yet"], &[&attest[..], &commitment].concat());
	let resigned = local.json(&["attest", "resign", "--key", "//Eve"]);
	assert_eq!(resigned["releases"], "10000");

	// Everything that exists is accounted for.
	let supply = local.json(&["supply"]);
	let existing = tna(&supply["genesis"]) + tna(&supply["emitted_total"]);
	assert_eq!(tna(&supply["issued"]) + tna(&supply["burned_total"]), existing, "{supply}");
	assert_eq!(local.chain.next_nonce(&account("//Ferdie")).await.unwrap(), 2);
}
