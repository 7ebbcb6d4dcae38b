// SPDX-License-Identifier: Apache-2.0

//! Changes by referendum, from the command line to their effect.

use crate::support::{account, address, free_ports, tna, Local};
use serde_json::Value;
use std::time::Duration;

/// The accounts that vote.
const VOTERS: [&str; 2] = ["//Bob", "//Charlie"];

/// A referendum that its votes carry at once is through in two to three minutes.
const PATIENCE: Duration = Duration::from_secs(420);

/// An era of a development chain is a minute.
const ERA: Duration = Duration::from_secs(120);

/// Gives the voters so much that they carry a referendum in the first block of its decision.
async fn majority(local: &Local) {
	let [bob, charlie] = VOTERS;
	local
		.give(&[
			("//Alice//stash", bob),
			("//Bob//stash", bob),
			("//Dave//stash", bob),
			("//Charlie//stash", charlie),
			("//Eve//stash", charlie),
			("//Ferdie//stash", charlie),
		])
		.await;
}

/// Lets both voters say aye with nine tenths of what they own.
async fn vote(local: &Local, referendum: &str) {
	for voter in VOTERS {
		let (free, _) = local.funds(voter).await;
		let amount = tensornet_client::Tna(free / 10 * 9).to_string();
		let voted = local.json(&["gov", "vote", referendum, "aye", &amount, "--key", voter]);
		assert_eq!(voted["call"], "ConvictionVoting.vote");
		assert_eq!(voted["locks"], amount);
	}
}

/// Waits until a referendum is in a state.
async fn reached(local: &mut Local, referendum: &str, state: &str) -> Value {
	local
		.until(&format!("referendum {referendum}: {state}"), PATIENCE, |local| {
			let status = local.json(&["gov", "status", referendum]);
			assert_ne!(status["state"], "rejected", "{status}");
			(status["state"] == state).then_some(status)
		})
		.await
}

fn parameter(local: &Local, name: &str) -> Value {
	let listed = local.list(&["gov", "parameters", name]);
	assert_eq!(listed.len(), 1, "{name}");
	listed[0].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referendum_changes_the_burn_share_and_the_next_job_burns_it() {
	let mut local = Local::start().await;
	let [port] = free_ports();
	local.register_node("//Dave", port);
	local.start_worker("//Dave", port);
	let (program, input) = local.register_program("//Ferdie");
	majority(&local).await;

	let burn = parameter(&local, "shares.JobBurn");
	assert_eq!((&burn["unit"], &burn["value"]), (&"percent".into(), &"10".into()));
	assert_eq!((&burn["least"], &burn["most"]), (&"1".into(), &"30".into()));

	// A dry run tells everything and does nothing.
	let propose = ["gov", "propose", "--set", "shares.JobBurn=12%", "--key", "//Alice"];
	let before = local.funds("//Alice").await;
	let dry = local.json(&[&propose[..], &["--dry-run"]].concat());
	let number = dry["referendum"].to_string();
	assert_eq!(dry["track"], "parameters");
	assert_eq!(dry["transaction"]["dry_run"], true);
	assert_eq!(dry["transaction"]["holds"], "5100");
	assert!(tna(&dry["transaction"]["fee"]) > 0);
	assert_eq!(local.funds("//Alice").await, before);
	assert!(local.list(&["gov", "status"]).is_empty());

	let proposed = local.json(&propose);
	assert_eq!(proposed["referendum"].to_string(), number);
	let (free, held) = local.funds("//Alice").await;
	assert_eq!(before.0 + before.1 - free - held, tna(&proposed["transaction"]["fee"]));
	vote(&local, &number).await;
	let status = local.json(&["gov", "status", &number]);
	assert_eq!(status["proposal"], "set shares.JobBurn to 12 % instead of 10 %");
	assert_eq!(status["proposer"], address("//Alice"));
	assert_eq!(status["votes"]["approval_percent"], 100.0);
	assert!(status["votes"]["support_percent"].as_f64() > Some(25.0), "{status}");
	assert!(status["enacts_at"].as_u64() > status["approved_at"].as_u64(), "{status}");
	let votes = local.list(&["gov", "votes", &address("//Bob")]);
	assert_eq!(votes[0]["votes"][0]["referendum"].to_string(), number);

	// Approved, and not in force yet. A job that is posted now settles when it is: its challenge window
	// is longer than the delay of the track.
	let approved = reached(&mut local, &number, "approved").await;
	assert_eq!(parameter(&local, "shares.JobBurn")["value"], "10");
	let enacts_at = approved["enacts_at"].as_u64().expect("it is scheduled");
	let submit =
		["job", "submit", &program, "--input", &input, "--max-price", "5", "--key", "//Eve"];
	let job = local.json(&submit)["job"].to_string();
	reached(&mut local, &number, "enacted").await;
	assert_eq!(parameter(&local, "shares.JobBurn")["value"], "12");

	let settled = local
		.until("the job's settlement", PATIENCE, |local| {
			let job = local.json(&["job", "show", &job]);
			assert!(job["stage"] != "expired" && job["stage"] != "cancelled", "{job}");
			(job["stage"] == "settled").then_some(job)
		})
		.await;
	assert!(settled["ended_at"].as_u64() >= Some(enacts_at), "{settled}");
	let price = tna(&settled["price"]);
	let burned = tna(&local.json(&["supply"])["burned"]["job"]);
	assert!(price > 0);
	assert_eq!(burned, price * 12 / 100, "{settled}");

	// The deposits come back to whoever put them down, on anybody's word.
	let refunded = local.json(&["gov", "refund", &number, "--key", "//Eve"]);
	assert_eq!(refunded["call"], "Utility.batch_all");
	let (free, held) = local.funds("//Alice").await;
	assert_eq!(held, before.1);
	assert_eq!(before.0 - free, tna(&proposed["transaction"]["fee"]));
	local.fails(&["holds no deposit"], &["gov", "refund", &number, "--key", "//Eve"]);

	// A vote is taken back by its owner, also when all is over.
	local.json(&["gov", "remove-vote", &number, "--key", "//Bob"]);
	local.fails(&["has no vote"], &["gov", "remove-vote", &number, "--key", "//Bob"]);

	// The era of the settlement ends, and half of what its jobs burned is minted to the node.
	the_era_pays(&mut local, burned).await;
}

/// Waits for the end of the era in which jobs burned `burned`, all of them Dave's, and collects for node and
/// validator.
async fn the_era_pays(local: &mut Local, burned: u128) {
	let reward = burned / 2;
	let (dave, validator) = (address("//Dave"), address("//Alice//stash"));
	let shown = local
		.until("the end of the era", ERA, |local| {
			let shown = local.json(&["rewards", "show", &dave]);
			shown["node_eras"].as_array().is_some_and(|eras| !eras.is_empty()).then_some(shown)
		})
		.await;
	assert_eq!((&shown["computing"], &shown["validating"]), (&"0".into(), &"0".into()));
	let eras = shown["node_eras"].as_array().expect("a list");
	assert_eq!(eras.len(), 1, "{shown}");
	assert_eq!(tna(&eras[0]["reward"]), reward);
	let supply = local.json(&["supply"]);
	assert!(supply["era"].as_u64() > eras[0]["era"].as_u64(), "{supply}");
	assert_eq!(supply["era_burn"], "0");
	assert_eq!((tna(&supply["burned"]["job"]), tna(&supply["emitted_total"])), (burned, 0));

	// A dry run tells fee and effect, and mints nothing.
	let claim = ["rewards", "claim", "--key", "//Dave"];
	let before = local.funds("//Dave").await;
	let dry = local.json(&[&claim[..], &["--dry-run"]].concat());
	let told = tensornet_client::Tna(reward).to_string();
	assert!(dry["effect"].as_str().is_some_and(|effect| effect.contains(&told)), "{dry}");
	assert!(tna(&dry["fee"]) > 0, "{dry}");
	assert_eq!(local.funds("//Dave").await, before);

	let claimed = local.json(&claim);
	assert_eq!(claimed["call"], "ComputeStaking.claim_rewards");
	let (free, _) = local.funds("//Dave").await;
	assert_eq!(free + tna(&claimed["fee"]) - before.0, reward);
	let shown = local.json(&["rewards", "show", &dave]);
	assert_eq!(tna(&shown["computing"]), reward);
	assert!(shown["node_eras"].as_array().is_some_and(Vec::is_empty), "{shown}");
	local.fails(&["nothing can be collected"], &claim);

	let owed: u128 = local.json(&["rewards", "show", &validator])["validator_eras"]
		.as_array()
		.expect("a list")
		.iter()
		.map(|era| tna(&era["reward"]))
		.sum();
	assert!(owed > 0, "the only validator made every block");
	local.json(&["rewards", "claim", "--key", "//Alice//stash"]);
	// Another era may have ended between the two.
	let validated = tna(&local.json(&["rewards", "show", &validator])["validating"]);
	assert!(validated >= owed, "{validated} of {owed}");

	let supply = local.json(&["supply"]);
	assert_eq!(tna(&supply["emitted"]["compute"]), reward);
	assert_eq!(tna(&supply["emitted"]["validation"]), validated);
	let created = tna(&supply["genesis"]) + tna(&supply["emitted_total"]);
	assert_eq!(tna(&supply["issued"]) + tna(&supply["burned_total"]), created, "{supply}");
}

/// The chain's own runtime, which states one version more to the node. The section with the version is
/// what upgrades are checked by; the code that executes is the same.
async fn next_runtime(local: &Local) -> Vec<u8> {
	/// More than any runtime has.
	const MOST: usize = 64 << 20;
	let at = local.chain.finalized().await.expect("the chain answers");
	let stored = at.code().await.expect("the chain has a runtime");
	let mut code = sp_maybe_compressed_blob::decompress(&stored, MOST).unwrap().into_owned();
	// The version is a section of its own: its name, then both names of the runtime, each a byte of
	// four times its length and its letters, the authoring version, and the spec version.
	let name = b"\x0fruntime_version";
	let section = code.windows(name.len()).position(|window| window == name).expect("a version");
	let mut field = section + name.len();
	for _ in 0..2 {
		field += 1 + usize::from(code[field] / 4);
	}
	let version = &mut code[field + 4..field + 8];
	assert_eq!(version, at.spec_version().to_le_bytes());
	version.copy_from_slice(&(at.spec_version() + 1).to_le_bytes());
	sp_maybe_compressed_blob::compress_strongly(&code, MOST).expect("it can be compressed")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referendum_upgrades_the_runtime_of_the_running_chain() {
	let mut local = Local::start().await;
	let version = local.chain.runtime_version().await.unwrap();
	let code = local.path("next.wasm");
	std::fs::write(&code, next_runtime(&local).await).unwrap();
	majority(&local).await;

	let apply = ["gov", "apply-upgrade", &code, "--key", "//Eve"];
	local.fails(&["no runtime is authorized"], &apply);
	let other = local.path("other.wasm");
	std::fs::write(&other, "not a runtime").unwrap();
	let propose = ["gov", "propose", "--key", "//Alice", "--authorize-upgrade"];
	local.fails(&["is no runtime"], &[&propose[..], &[&other]].concat());

	let proposed = local.json(&[&propose[..], &[&code]].concat());
	assert_eq!(proposed["track"], "root");
	let number = proposed["referendum"].to_string();
	vote(&local, &number).await;
	reached(&mut local, &number, "enacted").await;

	std::fs::write(&other, b"\0asm of somebody else").unwrap();
	local.fails(&["that was authorized"], &["gov", "apply-upgrade", &other, "--key", "//Eve"]);
	let applied = local.json(&apply);
	assert_eq!(applied["spec_version"], version);
	let mut newer = version;
	for _ in 0..60 {
		newer = local.chain.runtime_version().await.unwrap();
		if newer > version {
			break;
		}
		tokio::time::sleep(Duration::from_secs(1)).await;
	}
	assert_eq!(newer, version + 1);
	let stored = local.chain.best().await.unwrap().code().await.unwrap();
	assert_eq!(stored, std::fs::read(&code).unwrap(), "the chain runs what was voted for");

	// It goes on where the old one stopped, and what was authorized once is used up.
	local.fails(&["no runtime is authorized"], &apply);
	let (before, _) = local.funds("//Ferdie").await;
	local.json(&["transfer", &address("//Ferdie"), "5", "--key", "//Eve"]);
	let (after, _) = local.funds("//Ferdie").await;
	assert_eq!(after - before, 5 * tensornet_client::balance::UNITS);
	assert_eq!(local.chain.next_nonce(&account("//Eve")).await.unwrap(), 2);
}
