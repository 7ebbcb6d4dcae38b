// SPDX-License-Identifier: Apache-2.0

//! What markets promise: pools against TNA, fees in a listed asset, and no TNA made or lost.

use super::{economy::ledger_is_whole, *};
use crate::{
	configs::{
		governance::AlwaysOpen,
		markets::{AssetKind, PoolSetupFee},
	},
	genesis_config_presets::{market_maker, POOL, TEST_ASSET, TEST_DOLLAR},
};
use frame_support::traits::{fungibles::Inspect, Contains};
use sp_keyring::Sr25519Keyring::{self, One};

const TNA: AssetKind = AssetKind::Native;
const DOLLAR: AssetKind = AssetKind::WithId(TEST_ASSET);

fn origin(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn dollars(who: Sr25519Keyring) -> Balance {
	Assets::balance(TEST_ASSET, who.to_account_id())
}

fn reserves() -> (Balance, Balance) {
	AssetConversion::get_reserves(TNA, DOLLAR).expect("the pool is open")
}

/// Bob buys for `tna` TNA what the pool gives.
fn buy_dollars(tna: Balance) {
	assert_ok!(AssetConversion::swap_exact_tokens_for_tokens(
		origin(Bob),
		vec![Box::new(TNA), Box::new(DOLLAR)],
		tna,
		1,
		Bob.to_account_id(),
		false,
	));
}

#[test]
fn the_presets_open_a_pool_of_tna_and_test_dollars() {
	for name in preset_names() {
		preset_state(&name).execute_with(|| {
			assert_eq!(reserves(), POOL);
			assert_eq!(Assets::total_issuance(TEST_ASSET), 1_000_000 * TEST_DOLLAR);
			assert_eq!(Balances::free_balance(market_maker()), MARKET_MAKER_ENDOWMENT - POOL.0);
			ledger_is_whole();
		});
	}
}

#[test]
fn a_swap_gives_what_the_product_rule_says_and_the_fee_stays_in_the_pool() {
	development().execute_with(|| {
		let issued = Balances::total_issuance();
		let quote =
			AssetConversion::quote_price_exact_tokens_for_tokens(TNA, DOLLAR, 100 * UNIT, true)
				.expect("the pool is open");
		buy_dollars(100 * UNIT);
		assert_eq!(dollars(Bob), quote);
		// 100 TNA less 0.3 %, against 100,000 TNA and 200,000 dollars: 199.2.
		let paid = 99_700 * UNIT / 1_000;
		assert_eq!(quote, POOL.1 * paid / (POOL.0 + paid));
		assert_eq!(reserves(), (POOL.0 + 100 * UNIT, POOL.1 - quote));
		assert_eq!(Balances::free_balance(Bob.to_account_id()), ENDOWMENT - 100 * UNIT);
		assert_eq!(Balances::total_issuance(), issued);
		ledger_is_whole();
	});
}

#[test]
fn a_swap_back_sells_for_exactly_what_was_asked() {
	development().execute_with(|| {
		buy_dollars(100 * UNIT);
		let before = Balances::free_balance(Bob.to_account_id());
		assert_ok!(AssetConversion::swap_tokens_for_exact_tokens(
			origin(Bob),
			vec![Box::new(DOLLAR), Box::new(TNA)],
			10 * UNIT,
			dollars(Bob),
			Bob.to_account_id(),
			false,
		));
		assert_eq!(Balances::free_balance(Bob.to_account_id()), before + 10 * UNIT);
		ledger_is_whole();
	});
}

#[test]
fn liquidity_is_added_and_taken_out_again() {
	development().execute_with(|| {
		buy_dollars(1_000 * UNIT);
		let (tna, dollar) = reserves();
		let before = (Balances::free_balance(Bob.to_account_id()), dollars(Bob));
		assert_ok!(AssetConversion::add_liquidity(
			origin(Bob),
			Box::new(TNA),
			Box::new(DOLLAR),
			500 * UNIT,
			1_000 * TEST_DOLLAR,
			1,
			1,
			Bob.to_account_id(),
		));
		let (more, _) = reserves();
		assert!(more > tna);
		let shares = PoolAssets::balance(0, Bob.to_account_id());
		assert!(shares > 0);
		assert_ok!(AssetConversion::remove_liquidity(
			origin(Bob),
			Box::new(TNA),
			Box::new(DOLLAR),
			shares,
			1,
			1,
			Bob.to_account_id(),
		));
		let after = (Balances::free_balance(Bob.to_account_id()), dollars(Bob));
		// What rounding leaves stays with the other owners.
		assert!(after.0 <= before.0 && before.0 - after.0 < UNIT);
		assert!(after.1 <= before.1 && before.1 - after.1 < TEST_DOLLAR);
		let (rest_tna, rest_dollar) = reserves();
		assert!(rest_tna >= tna && rest_dollar >= dollar);
		ledger_is_whole();
	});
}

#[test]
fn a_pool_can_be_opened_for_a_fee_and_only_against_tna() {
	development().execute_with(|| {
		let create =
			|id| Assets::create(origin(Bob), codec::Compact(id), Bob.to_account_id().into(), 1);
		assert_ok!(create(7));
		assert_ok!(create(8));
		// Two deposits of 100 TNA, which he gets back with the assets' end.
		assert_eq!(Balances::reserved_balance(Bob.to_account_id()), 200 * UNIT);
		let treasury = Balances::free_balance(TreasuryAccount::get());
		let other = |id| Box::new(AssetKind::WithId(id));
		assert_ok!(AssetConversion::create_pool(origin(Bob), Box::new(TNA), other(7)));
		assert_eq!(Balances::free_balance(TreasuryAccount::get()), treasury + PoolSetupFee::get());
		assert_noop!(
			AssetConversion::create_pool(origin(Bob), other(7), other(8)),
			pallet_asset_conversion::Error::<Runtime>::InvalidAssetPair
		);
		ledger_is_whole();
	});
}

#[test]
fn nobody_but_root_makes_an_asset_to_live_on_or_a_share_of_a_pool() {
	development().execute_with(|| {
		let sufficient =
			|who| Assets::force_create(who, codec::Compact(9), Bob.to_account_id().into(), true, 1);
		assert_noop!(sufficient(origin(Bob)), sp_runtime::DispatchError::BadOrigin);
		assert_ok!(sufficient(root()));
		assert_noop!(
			PoolAssets::create(origin(Bob), codec::Compact(9), Bob.to_account_id().into(), 1),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn a_fee_can_be_paid_in_dollars_by_an_account_without_tna() {
	development().execute_with(|| {
		buy_dollars(1_000 * UNIT);
		let poor = Sr25519Keyring::Two;
		assert_ok!(Assets::transfer(
			origin(Bob),
			codec::Compact(TEST_ASSET),
			poor.to_account_id().into(),
			500 * TEST_DOLLAR,
		));
		assert_eq!(Balances::free_balance(poor.to_account_id()), 0);
		start_first_block();
		let pays = RuntimeCall::Assets(pallet_assets::Call::transfer {
			id: codec::Compact(TEST_ASSET),
			target: Bob.to_account_id().into(),
			amount: 100 * TEST_DOLLAR,
		});
		let issuance = Balances::total_issuance();
		let treasury = Balances::free_balance(TreasuryAccount::get());
		let author = Balances::free_balance(AliceStash.to_account_id());
		let (tna, dollar) = reserves();
		let outcome = Executive::apply_extrinsic(signed_by(poor, pays.clone(), Some(DOLLAR)));
		assert_ok!(outcome.expect("the transaction is valid"));

		let (tna_left, dollar_now) = reserves();
		let fee = tna - tna_left;
		let cost = 400 * TEST_DOLLAR - dollars(poor);
		assert!(fee > 0);
		assert_eq!(cost, dollar_now - dollar, "what it paid is in the pool");
		// A TNA costs about two dollars.
		assert!(cost.abs_diff(2 * fee * TEST_DOLLAR / UNIT) <= TEST_DOLLAR / 1_000, "{cost} {fee}");
		let burned = issuance - Balances::total_issuance();
		let to_treasury = Balances::free_balance(TreasuryAccount::get()) - treasury;
		let to_author = Balances::free_balance(AliceStash.to_account_id()) - author;
		assert_eq!(burned, shares::FeeBurn::get().mul_floor(fee));
		assert_eq!(to_treasury, shares::FeeTreasury::get().mul_floor(fee));
		assert_eq!(burned + to_treasury + to_author, fee, "shared as any other fee");
		ledger_is_whole();

		let in_nothing = signed_by(poor, pays, Some(AssetKind::WithId(77)));
		assert!(Executive::apply_extrinsic(in_nothing).is_err(), "an asset without a pool");
	});
}

#[test]
fn in_safe_mode_liquidity_can_be_taken_out_and_nothing_traded() {
	use pallet_asset_conversion::Call;
	let out = RuntimeCall::AssetConversion(Call::remove_liquidity {
		asset1: Box::new(TNA),
		asset2: Box::new(DOLLAR),
		lp_token_burn: 1,
		amount1_min_receive: 1,
		amount2_min_receive: 1,
		withdraw_to: One.to_account_id(),
	});
	let trade = RuntimeCall::AssetConversion(Call::swap_exact_tokens_for_tokens {
		path: vec![Box::new(TNA), Box::new(DOLLAR)],
		amount_in: 1,
		amount_out_min: 1,
		send_to: One.to_account_id(),
		keep_alive: true,
	});
	assert!(AlwaysOpen::contains(&out));
	assert!(!AlwaysOpen::contains(&trade));
	assert!(AlwaysOpen::contains(&call_name("AssetConversion", "remove_liquidity")));
	assert!(!AlwaysOpen::contains(&call_name("AssetConversion", "create_pool")));
	assert!(!ProxyType::NonTransfer.filter(&trade));
}
