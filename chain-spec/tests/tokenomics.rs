// SPDX-License-Identifier: Apache-2.0

//! The table of the first TNA, the errors it can have, and the genesis it makes.

use serde_json::Value;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Dave, Eve, Ferdie};
use sp_runtime::{traits::Get, BuildStorage};
use tensornet_chain_spec::tokenomics::{Purpose, Tokenomics, TABLE};
use tensornet_runtime::{
	configs::tensornet::{Treasury, EMISSION_RESERVE, MAX_SUPPLY},
	currency::UNIT,
	time::DAYS,
	AccountId, Balance, Balances, RuntimeGenesisConfig, Session, System, Tna, Vesting,
};

/// The table with one piece of it replaced.
fn with(old: &str, new: &str) -> Result<Tokenomics, String> {
	assert!(TABLE.contains(old), "the table has no {old:?}");
	Tokenomics::read(&TABLE.replacen(old, new, 1))
}

fn refused(old: &str, new: &str, message: &str) {
	let error = with(old, new).expect_err(new);
	assert!(error.contains(message), "{new:?}: {error}");
}

fn merge(target: &mut Value, patch: Value) {
	match (target, patch) {
		(Value::Object(target), Value::Object(patch)) => {
			for (key, value) in patch {
				let entry = target.get_mut(&key).expect("the runtime has such a setting");
				merge(entry, value);
			}
		}
		(target, patch) => *target = patch,
	}
}

/// The state of a chain that is made of the table.
fn staging() -> TestExternalities {
	let table = Tokenomics::read(TABLE).expect("the table is sound");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
	merge(&mut config, table.genesis(Purpose::Staging).expect("any account will do"));
	// As text, as a node hands it to the runtime: amounts are above 64 bits.
	let text = serde_json::to_string(&config).unwrap();
	let config: RuntimeGenesisConfig =
		serde_json::from_str(&text).expect("the genesis is complete");
	config.build_storage().expect("the genesis builds").into()
}

#[test]
fn the_table_is_sound_and_leaves_the_reserve_unminted() {
	let table = Tokenomics::read(TABLE).unwrap();
	assert_eq!(table.cap, 1_000_000_000);
	assert_eq!(table.minted(), 600_000_000);
	assert_eq!(table.reserved(), 400_000_000);
	assert!(Balance::from(table.minted()) * UNIT + EMISSION_RESERVE <= MAX_SUPPLY);
}

#[test]
fn sums_are_checked() {
	refused("cap = 1_000_000_000", "cap = 2_000_000_000", "the runtime's is 1000000000");
	refused("ecosystem = 23", "ecosystem = 24", "101 % of the cap");
	refused("tna = 70_000_000", "tna = 70_000_001", "the holders of `liquidity` have 70000001 TNA");
	refused("tna = 100_000\n", "tna = 99_999\n", "the holders of `ecosystem` have 229999999 TNA");
	refused("tna = 100_000\n", "tna = 0\n", "holds nothing");
	refused("part = \"liquidity\"", "part = \"liquids\"", "which is no part");
}

#[test]
fn what_is_reserved_for_emission_cannot_be_minted_at_genesis() {
	let ferdie = "5CRmqmsiNFExV6VbdmPJViVxrWmkaXXvBrSX8oqBT8R9vmWk";
	refused(
		"account = \"reserve\"",
		&format!("account = \"{ferdie}\""),
		"the part `nodes` is the reserve",
	);
	let smaller = TABLE
		.replacen("ecosystem = 23", "ecosystem = 24", 1)
		.replacen("nodes = 40", "nodes = 39", 1)
		.replacen("tna = 400_000_000", "tna = 390_000_000", 1)
		.replacen("tna = 229_600_000", "tna = 239_600_000", 1);
	let error = Tokenomics::read(&smaller).expect_err("the runtime would mint above the cap");
	assert!(error.contains("the runtime emits up to 400000000"), "{error}");
}

#[test]
fn accounts_are_checked() {
	let market_maker = "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y\" # Charlie";
	refused(market_maker, "5FLSig\"", "is no address");
	let eve = format!("{}\"", sp_runtime::AccountId32::from(Eve.public()));
	refused(market_maker, &eve, "holds twice");
	refused("account = \"treasury\"", "account = \"Treasury\"", "is no address");
	let ferdie = "account = \"5CRmqmsiNFExV6VbdmPJViVxrWmkaXXvBrSX8oqBT8R9vmWk\"";
	refused("account = \"treasury\"", ferdie, "the treasury holds nothing");
	refused("cap = 1_000_000_000", "cap = 1_000_000_000\nextra = 1", "not readable");
}

#[test]
fn vesting_is_checked() {
	refused("tna = 59_999_000, ", "tna = 60_000_001, ", "vests 60000001 TNA, but holds 60000000");
	refused("tna = 59_999_000, ", "tna = 0, ", "needs an amount");
	refused("days = 1_460 }", "days = 0 }", "at least one day");
	refused("days = 1_460 }", "days = 7_301 }", "at most 7300");
	refused(
		"tna = 150_000_000\n",
		"tna = 150_000_000\nvesting = { tna = 1, start_days = 0, cliff_days = 0, days = 1 }\n",
		"treasury cannot vest",
	);
}

#[test]
fn validators_are_checked() {
	refused("bond = 50_000", "bond = 100_000", "stakes 100000 TNA, but holds 100000");
	refused(
		"grandpa = \"5GoNkf6WdbxCFnPdAnYYQyCjAKPJgLNxXwPjwTh6DGg6gN3E\"",
		"grandpa = \"5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu\"",
		"a session key is used twice",
	);
	refused(
		"stash = \"5HpG9w8EBLe5XCrbczpwq5TSXvedjrBGCwqxK1iQ7qUsSWFc\"",
		"stash = \"5GNJqTPyNqANBkUVMN1LPPrxXnFouWXoe2wNSmmEoLctxiZY\"",
		"a stash validates twice",
	);
	refused(
		"stash = \"5HpG9w8EBLe5XCrbczpwq5TSXvedjrBGCwqxK1iQ7qUsSWFc\"",
		"stash = \"5CRmqmsiNFExV6VbdmPJViVxrWmkaXXvBrSX8oqBT8R9vmWk\"",
		"holds nothing",
	);
	let none = TABLE.split("# Who authors").next().unwrap();
	assert!(Tokenomics::read(none).is_err());
}

#[test]
fn a_main_network_refuses_accounts_whose_keys_are_public() {
	let table = Tokenomics::read(TABLE).unwrap();
	assert!(table.genesis(Purpose::Staging).is_ok());
	let error = table.genesis(Purpose::Main).expect_err("the table has accounts of development");
	assert!(error.contains("public knowledge"), "{error}");
}

#[test]
fn the_genesis_mints_what_the_table_says_and_keeps_the_reserve() {
	let table = Tokenomics::read(TABLE).unwrap();
	staging().execute_with(|| {
		assert_eq!(Balances::total_issuance(), 600_000_000 * UNIT);
		for holder in table.holders() {
			let who = match holder.account.as_str() {
				"treasury" => Treasury::get(),
				address => address.parse::<AccountId>().unwrap(),
			};
			let bond = table
				.validator
				.iter()
				.find(|validator| validator.stash == holder.account)
				.map_or(0, |validator| validator.bond);
			assert_eq!(
				Balances::free_balance(&who) + Balances::reserved_balance(&who),
				Balance::from(holder.tna) * UNIT,
				"{}",
				holder.name
			);
			assert!(Balances::reserved_balance(&who) >= Balance::from(bond) * UNIT);
		}
		assert_eq!(Session::validators().len(), table.validator.len());
		let supply = Tna::supply();
		assert_eq!(supply.reserve, EMISSION_RESERVE);
		assert!(supply.issued + supply.reserve <= supply.cap);
	});
}

#[test]
fn a_staging_chain_has_no_root_key_and_the_pace_of_a_main_network() {
	staging().execute_with(|| {
		assert_eq!(pallet_sudo::Key::<tensornet_runtime::Runtime>::get(), None);
		assert_eq!(pallet_tensornet_governance::Pace::<tensornet_runtime::Runtime>::get(), 1);
	});
}

/// What `who` may spend at block `block`, after it asked for what had vested.
fn spendable(who: &AccountId, block: u32) -> Balance {
	use frame_support::traits::{
		fungible::Inspect,
		tokens::{Fortitude, Preservation},
	};
	System::set_block_number(block);
	let _ = Vesting::vest(tensornet_runtime::RuntimeOrigin::signed(who.clone()));
	Balances::reducible_balance(who, Preservation::Expendable, Fortitude::Polite)
}

#[test]
fn the_team_gets_nothing_but_a_thousand_for_a_year_and_all_of_it_after_three_more() {
	let founders = Dave.to_account_id();
	let all = 90_000_000 * UNIT;
	staging().execute_with(|| {
		for day in [0, 1, 365] {
			assert_eq!(spendable(&founders, (day * DAYS).max(1)), 1_000 * UNIT, "day {day}");
		}
		let after_one_more = spendable(&founders, 730 * DAYS);
		assert_eq!(after_one_more / UNIT, 1_000 + 89_999_000 / 3, "a third of what vests");
		assert_eq!(spendable(&founders, 1_460 * DAYS + 1), all);
	});
}

#[test]
fn the_ecosystem_fund_has_a_part_at_once_and_the_rest_day_by_day() {
	let fund = Ferdie.to_account_id();
	staging().execute_with(|| {
		assert_eq!(spendable(&fund, 0) / UNIT, 29_600_000);
		let half = spendable(&fund, 730 * DAYS) / UNIT;
		assert!((129_599_999..=129_600_000).contains(&half), "{half}");
		assert_eq!(spendable(&fund, 1_460 * DAYS + 1), 229_600_000 * UNIT);
	});
}

#[test]
fn the_documents_show_the_table() {
	let economy = include_str!("../../docs/economy.md");
	let table = Tokenomics::read(TABLE).unwrap();
	for (part, percent) in &table.share {
		let tna = table.cap / 100 * percent / 1_000_000;
		let row = format!("| {part} | {percent} % | {tna} million |");
		assert!(economy.contains(&row), "docs/economy.md lacks {row:?}");
	}
}
