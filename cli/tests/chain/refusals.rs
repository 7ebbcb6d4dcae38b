// SPDX-License-Identifier: Apache-2.0

//! What is refused, and what that costs: the command line sends nothing and costs nothing; the chain,
//! asked all the same, names the error and takes the fee only. And `--dry-run` sends nothing at all.

use crate::support::{account, address, free_ports, signer, tna, Local};
use std::time::Duration;
use tensornet_client::{
	calls::{self, Call},
	chain::SubmitError,
	Root,
};
use tensornet_protocol::{BlobRoots, DataHint, Hash, JobRequest};

/// The id of no program.
const NO_PROGRAM: &str = "0xabababababababababababababababababababababababababababababababab";

/// Sends a call that the chain refuses with a named error, at the price of its fee.
async fn chain_refuses(local: &Local, secret: &str, call: &Call, error: &str) {
	let key = signer(secret);
	let (free, held) = local.funds(secret).await;
	let fee = local.chain.fee(call, &key).await.expect("the chain tells the fee");
	let nonce = local.chain.next_nonce(&key.account()).await.unwrap();
	let signed = local.chain.sign(call, &key, nonce).await.expect("it can be signed");
	match local.chain.submit(&signed).await {
		Err(SubmitError::Refused { name, docs }) => {
			assert_eq!(name, error, "{}", call.label());
			assert!(!docs.is_empty(), "{name} says nothing");
		}
		other => panic!("{}: {other:?} instead of {error}", call.label()),
	}
	let (after, held_after) = local.funds(secret).await;
	assert_eq!(held_after, held, "{} left something on hold", call.label());
	let paid = free - after;
	assert!(paid > 0 && paid <= fee, "{} cost {paid}, its fee is {fee}", call.label());
}

fn request(program: Root, max_price: u128, deadline: u32) -> JobRequest<u128, u32> {
	JobRequest {
		program: Hash::from(program),
		blobs: BlobRoots::try_from(vec![Hash::from([1; 32])]).expect("one blob fits"),
		hint: DataHint::try_from(b"file:///nowhere".to_vec()).expect("it is short"),
		iterations: 1,
		max_price,
		deadline,
		compliance_level: 0,
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_refused_is_named_and_costs_a_fee_at_most() {
	let mut local = Local::start().await;
	let (program, input) = local.register_program("//Ferdie");
	let id = tensornet_client::blobs::parse_root(&program).unwrap();
	let now = |local: &Local| {
		let chain = local.chain.clone();
		async move { u32::try_from(chain.best().await.unwrap().number()).unwrap() }
	};
	let eve = local.funds("//Eve").await;

	// A job that nobody posted.
	for command in ["show", "watch", "fetch"] {
		local.fails(&["the chain knows no job 99"], &["job", command, "99"]);
	}
	local.fails(&["the chain knows no job 99"], &["job", "cancel", "99", "--key", "//Eve"]);

	// A program that nobody registered, an offer below the floor, blobs of wrong sizes and numbers.
	let submit = |program: &str, price: &str, inputs: &[&str], words: &[&str]| {
		let command = ["job", "submit", program, "--max-price", price, "--key", "//Eve"];
		local.fails(words, &[&command[..], inputs].concat());
	};
	let big = local.path("big.bin");
	std::fs::write(&big, vec![0; 1 << 20]).unwrap();
	let given = ["--input", input.as_str()];
	submit(NO_PROGRAM, "1", &given, &["no program 0xabab", "program register"]);
	submit(&program, "0.0000001", &given, &["takes no job of this size for less than"]);
	submit(&program, "1", &["--input", &big], &["has 1048576 bytes, the program needs 8"]);
	submit(&program, "1", &[], &["has 1 input(s), 0 given"]);
	submit(&program, "2000000", &given, &["lower --max-price"]);

	// Somebody else's program, and a node that is none.
	local.fails(&["sign with its key"], &["program", "remove", &program, "--key", "//Eve"]);
	local.fails(&["owns no node"], &["node", "offline", "--key", "//Eve"]);
	local.fails(&["has 0 TNA free"], &["transfer", &address("//Eve"), "1", "--key", "//Nobody"]);

	// None of this reached the chain.
	assert_eq!(local.funds("//Eve").await, eve);
	assert_eq!(local.chain.next_nonce(&account("//Eve")).await.unwrap(), 0);

	// The chain itself refuses the same, should a client not look first.
	let deadline = now(&local).await + 500;
	let units = tensornet_client::balance::UNITS;
	chain_refuses(&local, "//Eve", &calls::cancel_job(99), "Escrow::UnknownJob").await;
	let unknown = calls::submit_job(request([0xab; 32], units, deadline));
	chain_refuses(&local, "//Eve", &unknown, "Escrow::UnknownProgram").await;
	let cheap = calls::submit_job(request(id, 1, deadline));
	chain_refuses(&local, "//Eve", &cheap, "Escrow::PriceTooLow").await;
	let late = calls::submit_job(request(id, units, now(&local).await));
	chain_refuses(&local, "//Eve", &late, "Escrow::DeadlineTooSoon").await;
	let stolen = calls::unregister_program(id);
	chain_refuses(&local, "//Eve", &stolen, "Poc::NotAuthor").await;
	let offline = calls::set_online(false);
	chain_refuses(&local, "//Eve", &offline, "ComputeStaking::NotRegistered").await;
	let seal = calls::commit(99, [1; 32]);
	chain_refuses(&local, "//Eve", &seal, "Poc::NotANode").await;

	// A job that a node has. The node has no worker: it keeps the job for a while.
	let [port] = free_ports();
	local.register_node("//Bob", port);
	let command = ["job", "submit", &program, "--max-price", "1", "--key", "//Eve"];
	let posted = local.json(&[&command[..], &given].concat());
	let job = posted["job"].as_u64().expect("a number");
	let number = job.to_string();
	local
		.until("the assignment", Duration::from_secs(60), |local| {
			(local.json(&["job", "show", &number])["stage"] == "assigned").then_some(())
		})
		.await;
	let cancel = ["job", "cancel", &number, "--key"];
	local.fails(&["only a queued job"], &[&cancel[..], &["//Eve"]].concat());
	chain_refuses(&local, "//Eve", &calls::cancel_job(job), "Escrow::NotQueued").await;
	chain_refuses(&local, "//Ferdie", &calls::cancel_job(job), "Escrow::NotRequester").await;
	let copied = calls::commit(job, [1; 32]);
	chain_refuses(&local, "//Ferdie", &copied, "Poc::NotANode").await;

	// One that no node may take, because it offers too little for the only one: it stays queued, and
	// somebody else's key does not withdraw it.
	let command = ["job", "submit", &program, "--max-price", "0.001", "--key", "//Eve"];
	local.json(&["node", "offline", "--key", "//Bob"]);
	let queued = local.json(&[&command[..], &given].concat())["job"].to_string();
	let cancel = ["job", "cancel", &queued, "--key"];
	local.fails(&["was posted by"], &[&cancel[..], &["//Ferdie"]].concat());
	let (_, held) = local.funds("//Eve").await;
	let cancelled = local.json(&[&cancel[..], &["//Eve"]].concat());
	assert_eq!(cancelled["releases"], "0.001");
	let (_, left) = local.funds("//Eve").await;
	assert!(held - left >= tna(&cancelled["releases"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_shows_fee_and_effect_and_sends_nothing() {
	let local = Local::start().await;
	let (program, input) = local.register_program("//Ferdie");
	let [port] = free_ports();
	local.register_node("//Bob", port);
	let proposed = ["gov", "propose", "--set", "shares.JobBurn=11%", "--key", "//Dave"];
	let referendum = local.json(&proposed)["referendum"].to_string();
	let bob_operator = address("//Bob//second");
	let alice = address("//Alice");
	let code = local.path("code.wasm");
	std::fs::write(&code, b"\0asm nothing").unwrap();

	// Command, its signer, and the amounts that its effect names.
	let commands: Vec<(Vec<&str>, &str, &[(&str, &str)])> = vec![
		(vec!["transfer", &alice, "2.5"], "//Eve", &[("pays", "2.5")]),
		(vec!["burn", "2"], "//Eve", &[("pays", "2")]),
		(
			vec!["job", "submit", &program, "--input", &input, "--max-price", "3"],
			"//Eve",
			&[("holds", "3")],
		),
		(vec!["program", "remove", &program], "//Ferdie", &[]),
		(vec!["node", "offline"], "//Bob", &[]),
		(vec!["node", "update", "--ask", "0.4"], "//Bob", &[]),
		(vec!["node", "set-operator", &bob_operator], "//Bob", &[]),
		(vec!["node", "bond", "10"], "//Bob", &[("holds", "10")]),
		(vec!["node", "unbond", "10"], "//Bob", &[]),
		(vec!["gov", "propose", "--spend", "20000", "--to", &alice], "//Eve", &[("holds", "5100")]),
		(vec!["gov", "propose", "--spend", "200", "--to", &alice], "//Eve", &[("holds", "600")]),
		(vec!["gov", "propose", "--authorize-upgrade", &code], "//Eve", &[("holds", "100100")]),
		(vec!["gov", "propose", "--pause", "Escrow.submit_job"], "//Eve", &[("holds", "10100")]),
		(vec!["gov", "propose", "--safe-mode", "on"], "//Eve", &[("holds", "10100")]),
		(vec!["gov", "propose", "--appoint", &alice], "//Eve", &[("holds", "600")]),
		(vec!["gov", "propose", "--kill", &referendum], "//Eve", &[("holds", "10100")]),
		(
			vec!["gov", "vote", &referendum, "nay", "7", "--conviction", "2"],
			"//Eve",
			&[("locks", "7")],
		),
		(vec!["gov", "vote", &referendum, "abstain", "7"], "//Eve", &[("locks", "7")]),
		(vec!["gov", "delegate", "all", &alice, "9"], "//Eve", &[("locks", "9")]),
		(vec!["attest", "apply"], "//Eve", &[("holds", "10000")]),
	];
	for (command, key, amounts) in commands {
		let before = (local.funds(key).await, local.chain.next_nonce(&account(key)).await.unwrap());
		let shown = local.json(&[&command[..], &["--key", key, "--dry-run"]].concat());
		// A transaction stands by itself, or within what it is about.
		let shown = shown.get("transaction").unwrap_or(&shown);
		assert_eq!(shown["dry_run"], true, "{command:?}");
		assert_eq!(shown["from"], address(key), "{command:?}");
		assert!(tna(&shown["fee"]) > 0, "{command:?}: {shown}");
		assert!(shown["effect"].as_str().is_some_and(|effect| !effect.is_empty()), "{command:?}");
		assert!(shown["call_data"].as_str().is_some_and(|data| data.starts_with("0x")));
		assert!(shown["block"].is_null() && shown["extrinsic"].is_null(), "{command:?}");
		for amount in ["pays", "holds", "releases", "locks"] {
			let expected =
				amounts.iter().find(|(name, _)| *name == amount).map(|(_, value)| *value);
			assert_eq!(shown[amount].as_str(), expected, "{command:?}: {amount} in {shown}");
		}
		let after = (local.funds(key).await, local.chain.next_nonce(&account(key)).await.unwrap());
		assert_eq!(after, before, "{command:?} did something");
	}
	assert_eq!(local.list(&["gov", "status"]).len(), 1);
	assert!(local.list(&["job", "list"]).is_empty());

	// What a dry run shows of a call can be proposed as it is.
	let pays = local.json(&["transfer", &alice, "2.5", "--key", "//Eve", "--dry-run"]);
	let call = pays["call_data"].as_str().expect("the call");
	let wrapped = local.json(&["gov", "propose", "--call", call, "--key", "//Eve", "--dry-run"]);
	assert_eq!(wrapped["track"], "root");
	let effect = wrapped["transaction"]["effect"].as_str().unwrap();
	assert!(effect.contains("Balances.transfer_keep_alive"), "{effect}");
	local.fails(
		&["no call of this chain"],
		&["gov", "propose", "--call", "0xffff", "--key", "//Eve", "--dry-run"],
	);

	// And one that the account cannot afford says what is lacking.
	let poor = ["gov", "propose", "--set", "shares.JobBurn=13%", "--key", "//Bob//operator"];
	let shown = local.json(&[&poor[..], &["--dry-run"]].concat());
	assert!(tna(&shown["transaction"]["short_of"]) > 0, "{shown}");
	// Bounds, names and units are looked at before a fee is paid.
	for (change, why) in [
		("shares.JobBurn=31%", "may be 1 % to 30 %, not 31 %"),
		("shares.JobBurn=0.12", "in percent"),
		("shares.Nothing=1%", "no parameter 'shares.Nothing'"),
	] {
		local.fails(&[why], &["gov", "propose", "--set", change, "--key", "//Eve"]);
	}
	for command in ["vote", "status"] {
		let rest: &[&str] = if command == "vote" { &["aye", "1", "--key", "//Eve"] } else { &[] };
		local.fails(&["no referendum 9"], &[&["gov", command, "9"][..], rest].concat());
	}
	local.fails(&["is no registrar"], &["attest", "resign", "--key", "//Eve"]);
	let attest = ["attest", "issue", &alice, "--level", "2", "--country", "ch", "--days", "30"];
	let evidence = ["--evidence", &input, "--key", "//Eve"];
	local.fails(&["is no registrar"], &[&attest[..], &evidence].concat());
	let shown = local.json(&["attest", "show", &alice]);
	assert_eq!((&shown["level"], &shown["sanctioned"]), (&0.into(), &serde_json::Value::Null));
	let required = local.list(&["requirements"]);
	assert!(required.iter().any(|one| one["role"] == "node" && one["level"] == 0), "{required:?}");
}
