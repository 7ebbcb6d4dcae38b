// SPDX-License-Identifier: Apache-2.0

//! What the composition promises: genesis, indices, fees, proxies, upgrades.

use crate::{
	configs::{
		parameters::{
			dynamic_params::{fees, shares},
			RuntimeParameters,
		},
		system::{RuntimeBlockLength, RuntimeBlockWeights, MAXIMUM_BLOCK_WEIGHT},
		tensornet::Treasury as TreasuryAccount,
		utility::ProxyType,
	},
	currency::{EXISTENTIAL_DEPOSIT, MICRO, MILLI, UNIT},
	genesis_config_presets::{
		dev_accounts, get_preset, preset_names, ENDOWMENT, MARKET_MAKER_ENDOWMENT, VALIDATOR_BOND,
	},
	*,
};
use codec::Encode;
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::{Get, InstanceFilter, PalletInfoAccess},
};
use sp_core::traits::ReadRuntimeVersionExt;
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Alice, AliceStash, Bob, BobStash, CharlieStash};
use sp_runtime::{
	generic::Era,
	traits::{Dispatchable, Header as _},
	Perbill, Storage,
};

mod compliance;
mod consensus_chain;
mod economy;
mod fuzz;
mod governance;
mod markets;
mod migrations;
mod parameters;
mod staking;
mod validators;

/// The state that the named preset builds through the runtime API, as the node does it.
fn preset_state(name: &str) -> TestExternalities {
	state_of(preset(name))
}

fn preset(name: &str) -> serde_json::Value {
	serde_json::from_slice(&get_preset(&name.into()).expect("a known preset")).unwrap()
}

/// The state that a patch of the default genesis builds.
fn state_of(patch: serde_json::Value) -> TestExternalities {
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).unwrap();
	merge(&mut config, patch);
	let mut ext = TestExternalities::new(Storage::default());
	ext.execute_with(|| {
		<Runtime as sp_genesis_builder::runtime_decl_for_genesis_builder::GenesisBuilderV1<
			Block,
		>>::build_state(serde_json::to_vec(&config).unwrap())
		.expect("the preset is a complete genesis");
	});
	ext
}

fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
	match (target, patch) {
		(serde_json::Value::Object(target), serde_json::Value::Object(patch)) => {
			for (key, value) in patch {
				merge(target.entry(key).or_insert(serde_json::Value::Null), value);
			}
		}
		(target, patch) => *target = patch,
	}
}

fn development() -> TestExternalities {
	let mut ext = preset_state("development");
	ext.execute_with(|| System::set_block_number(1));
	ext
}

fn root() -> RuntimeOrigin {
	RuntimeOrigin::root()
}

/// How a pause names a call.
fn call_name(pallet: &str, call: &str) -> pallet_tx_pause::RuntimeCallNameOf<Runtime> {
	let name = |text: &str| text.as_bytes().to_vec().try_into().expect("it is short");
	(name(pallet), name(call))
}

fn signed_transaction(call: RuntimeCall) -> UncheckedExtrinsic {
	signed_by(Alice, call, None)
}

/// A transaction of `who` whose fee is paid in TNA or in the asset named.
fn signed_by(
	who: sp_keyring::Sr25519Keyring,
	call: RuntimeCall,
	pay_in: Option<crate::configs::markets::AssetKind>,
) -> UncheckedExtrinsic {
	let extension: TxExtension = (
		frame_system::AuthorizeCall::new(),
		frame_system::CheckNonZeroSender::new(),
		frame_system::CheckSpecVersion::new(),
		frame_system::CheckTxVersion::new(),
		frame_system::CheckGenesis::new(),
		frame_system::CheckMortality::from(Era::Immortal),
		frame_system::CheckNonce::from(0),
		frame_system::CheckWeight::new(),
		pallet_asset_conversion_tx_payment::ChargeAssetTxPayment::from(0, pay_in),
		frame_metadata_hash_extension::CheckMetadataHash::new(false),
		frame_system::WeightReclaim::new(),
	);
	let payload = SignedPayload::new(call.clone(), extension.clone()).unwrap();
	let signature = payload.using_encoded(|bytes| who.sign(bytes));
	UncheckedExtrinsic::new_signed(
		call,
		who.to_account_id().into(),
		Signature::Sr25519(signature),
		extension,
	)
}

/// Opens block 1 the way a block author does.
fn start_first_block() {
	let digest = sp_runtime::Digest {
		logs: vec![sp_runtime::DigestItem::PreRuntime(
			sp_consensus_babe::BABE_ENGINE_ID,
			sp_consensus_babe::digests::PreDigest::SecondaryPlain(
				sp_consensus_babe::digests::SecondaryPlainPreDigest {
					authority_index: 0,
					slot: 1.into(),
				},
			)
			.encode(),
		)],
	};
	System::set_block_number(0);
	let header =
		Header::new(1, Default::default(), Default::default(), System::block_hash(0), digest);
	Executive::initialize_block(&header);
	let now =
		RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: time::MILLISECS_PER_BLOCK });
	let inherent = UncheckedExtrinsic::new_bare(now);
	assert_ok!(Executive::apply_extrinsic(inherent).expect("the inherent is valid"));
}

mod presets {
	use super::*;

	#[test]
	fn every_named_preset_builds_and_unknown_names_do_not() {
		assert_eq!(preset_names(), vec!["development".to_string(), "local_testnet".to_string()]);
		for name in preset_names() {
			preset_state(&name).execute_with(|| {
				assert!(!Session::validators().is_empty(), "{name} has validators");
			});
		}
		assert!(get_preset(&"mainnet".into()).is_none());
	}

	#[test]
	fn issuance_is_the_sum_of_the_endowments() {
		for name in preset_names() {
			preset_state(&name).execute_with(|| {
				let accounts = dev_accounts();
				assert_eq!(accounts.len(), 12);
				let sum: Balance = frame_system::Account::<Runtime>::iter_values()
					.map(|account| account.data.free + account.data.reserved)
					.sum();
				let bonds = VALIDATOR_BOND * Session::validators().len() as Balance;
				assert_eq!(
					sum,
					ENDOWMENT * 12 + bonds + EXISTENTIAL_DEPOSIT + MARKET_MAKER_ENDOWMENT
				);
				assert_eq!(Balances::free_balance(TreasuryAccount::get()), EXISTENTIAL_DEPOSIT);
				assert_eq!(Balances::total_issuance(), sum);
				for account in accounts {
					assert_eq!(Balances::free_balance(&account), ENDOWMENT);
				}
			});
		}
	}

	#[test]
	fn development_has_one_validator_and_the_testnet_three() {
		preset_state("development").execute_with(|| {
			assert_eq!(Session::validators(), vec![AliceStash.to_account_id()]);
		});
		preset_state("local_testnet").execute_with(|| {
			let stashes = [AliceStash, BobStash, CharlieStash].map(|key| key.to_account_id());
			assert_eq!(Session::validators(), stashes.to_vec());
			assert_eq!(pallet_babe::Authorities::<Runtime>::get().len(), 3);
			assert_eq!(Grandpa::grandpa_authorities().len(), 3);
		});
	}

	#[test]
	fn alice_is_root_of_both() {
		for name in preset_names() {
			preset_state(&name).execute_with(|| {
				assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Alice.to_account_id()));
			});
		}
	}

	#[test]
	fn every_block_carries_a_vrf_output() {
		development().execute_with(|| {
			assert_eq!(
				pallet_babe::EpochConfig::<Runtime>::get().unwrap().allowed_slots,
				sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots
			);
		});
	}
}

mod wire_format {
	use super::*;

	#[test]
	fn pallet_indices_are_fixed() {
		let indices = [
			(System::index(), System::name(), 0),
			(Babe::index(), Babe::name(), 1),
			(Timestamp::index(), Timestamp::name(), 2),
			(Balances::index(), Balances::name(), 3),
			(TransactionPayment::index(), TransactionPayment::name(), 4),
			(Authorship::index(), Authorship::name(), 10),
			(Offences::index(), Offences::name(), 6),
			(Historical::index(), Historical::name(), 7),
			(Session::index(), Session::name(), 8),
			(Grandpa::index(), Grandpa::name(), 9),
			(Utility::index(), Utility::name(), 20),
			(Proxy::index(), Proxy::name(), 21),
			(Multisig::index(), Multisig::name(), 22),
			(Parameters::index(), Parameters::name(), 30),
			(Sudo::index(), Sudo::name(), 31),
			(Governance::index(), Governance::name(), 32),
			(Preimage::index(), Preimage::name(), 33),
			(Scheduler::index(), Scheduler::name(), 34),
			(Referenda::index(), Referenda::name(), 35),
			(ConvictionVoting::index(), ConvictionVoting::name(), 36),
			(Whitelist::index(), Whitelist::name(), 37),
			(Treasury::index(), Treasury::name(), 38),
			(SafeMode::index(), SafeMode::name(), 39),
			(TxPause::index(), TxPause::name(), 44),
			(Vesting::index(), Vesting::name(), 45),
			(Compliance::index(), Compliance::name(), 46),
			(Validators::index(), Validators::name(), 47),
			(Tna::index(), Tna::name(), 40),
			(ComputeStaking::index(), ComputeStaking::name(), 41),
			(Escrow::index(), Escrow::name(), 42),
			(Poc::index(), Poc::name(), 43),
			(ConsensusChain::index(), ConsensusChain::name(), 48),
			(Assets::index(), Assets::name(), 60),
			(PoolAssets::index(), PoolAssets::name(), 61),
			(AssetConversion::index(), AssetConversion::name(), 62),
			(AssetTxPayment::index(), AssetTxPayment::name(), 63),
		];
		for (index, name, expected) in indices {
			assert_eq!(index, expected, "{name}");
		}
	}

	#[test]
	fn the_extension_checks_the_metadata_hash() {
		use sp_runtime::traits::TransactionExtension;
		let names: Vec<_> = <TxExtension as TransactionExtension<RuntimeCall>>::metadata()
			.into_iter()
			.map(|extension| extension.identifier)
			.collect();
		for expected in [
			"ChargeAssetTxPayment",
			"CheckMetadataHash",
			"CheckMortality",
			"CheckNonce",
			"CheckGenesis",
		] {
			assert!(names.contains(&expected), "{expected} is missing from {names:?}");
		}
	}

	#[test]
	fn the_metadata_can_be_read_at_every_offered_version() {
		TestExternalities::default().execute_with(|| {
			let versions = Runtime::metadata_versions();
			assert!(versions.contains(&14) && versions.contains(&15), "{versions:?}");
			for version in versions {
				assert!(Runtime::metadata_at_version(version).is_some(), "version {version}");
			}
		});
	}

	#[test]
	fn amounts_and_the_address_format_are_as_announced() {
		assert_eq!(UNIT, 10u128.pow(12));
		assert_eq!(EXISTENTIAL_DEPOSIT, 10u128.pow(9));
		assert_eq!(<Runtime as frame_system::Config>::SS58Prefix::get(), 42);
		assert_eq!(VERSION.spec_name, "tensornet");
	}
}

mod limits {
	use super::*;

	#[test]
	fn a_block_computes_for_at_most_half_of_its_slot() {
		let weights = RuntimeBlockWeights::get();
		assert_eq!(weights.max_block, MAXIMUM_BLOCK_WEIGHT);
		let slot_picoseconds = time::MILLISECS_PER_BLOCK * 1_000_000_000;
		assert_eq!(weights.max_block.ref_time() * 2, slot_picoseconds);
		assert!(weights.validate().is_ok());
	}

	#[test]
	fn operational_calls_keep_a_share_of_the_block_length() {
		let length = RuntimeBlockLength::get();
		let (normal, operational) =
			(length.max.get(DispatchClass::Normal), length.max.get(DispatchClass::Operational));
		assert_eq!(*operational, 5 * 1024 * 1024);
		assert_eq!(*normal, Perbill::from_percent(75) * *operational);
	}

	#[test]
	fn the_slot_is_three_seconds() {
		assert_eq!(Babe::slot_duration(), 3_000);
	}
}

mod fee {
	use super::*;

	fn transfer() -> RuntimeCall {
		RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
			dest: Bob.to_account_id().into(),
			value: UNIT,
		})
	}

	#[test]
	fn a_transfer_costs_less_than_a_hundredth_of_a_tna() {
		development().execute_with(|| {
			let transaction = signed_transaction(transfer());
			let length = transaction.encoded_size() as u32;
			let fee = TransactionPayment::compute_fee(length, &transaction.get_dispatch_info(), 0);
			assert!(fee > 100 * MICRO, "{fee} plancks");
			assert!(fee < 10 * MILLI, "{fee} plancks");
		});
	}

	#[test]
	fn root_changes_the_price_of_a_byte_and_nobody_else_does() {
		development().execute_with(|| {
			let before = TransactionPayment::length_to_fee(100);
			assert_eq!(before, 100 * MICRO);
			let dearer =
				RuntimeParameters::Fees(fees::Parameters::Byte(fees::Byte, Some(7 * MICRO)));
			let alice = RuntimeOrigin::signed(Alice.to_account_id());
			assert_noop!(
				Governance::set_parameter(alice, dearer.clone()),
				sp_runtime::DispatchError::BadOrigin
			);
			assert_ok!(Governance::set_parameter(root(), dearer));
			assert_eq!(TransactionPayment::length_to_fee(100), 7 * before);
		});
	}

	#[test]
	fn a_signed_transfer_moves_the_value_and_its_fee_is_burned_and_shared() {
		development().execute_with(|| {
			start_first_block();
			let issuance = Balances::total_issuance();
			let treasury = Balances::free_balance(TreasuryAccount::get());
			let outcome = Executive::apply_extrinsic(signed_transaction(transfer()));
			assert_ok!(outcome.expect("the transaction is valid"));
			assert_eq!(Balances::free_balance(Bob.to_account_id()), ENDOWMENT + UNIT);

			let fee = ENDOWMENT - UNIT - Balances::free_balance(Alice.to_account_id());
			let burned = issuance - Balances::total_issuance();
			let shared = Balances::free_balance(TreasuryAccount::get()) - treasury;
			// Alice authors the block; her stash earns.
			let earned = Balances::free_balance(AliceStash.to_account_id()) - ENDOWMENT;
			assert!(fee > 0);
			assert_eq!(burned, shares::FeeBurn::get() * fee);
			assert_eq!(shared, shares::FeeTreasury::get() * fee);
			assert_eq!(burned + shared + earned, fee);
		});
	}

	#[test]
	fn a_transaction_signed_for_another_call_is_refused() {
		development().execute_with(|| {
			start_first_block();
			let mut transaction = signed_transaction(transfer());
			transaction.function = RuntimeCall::Balances(pallet_balances::Call::burn {
				value: UNIT,
				keep_alive: true,
			});
			assert!(Executive::apply_extrinsic(transaction).is_err());
			assert_eq!(Balances::free_balance(Alice.to_account_id()), ENDOWMENT);
		});
	}
}

mod proxies {
	use super::*;

	#[test]
	fn a_non_transfer_proxy_cannot_move_funds_or_rule() {
		let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_all {
			dest: Bob.to_account_id().into(),
			keep_alive: false,
		});
		let sudo = RuntimeCall::Sudo(pallet_sudo::Call::remove_key {});
		let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
		assert!(ProxyType::Any.filter(&transfer));
		assert!(!ProxyType::NonTransfer.filter(&transfer));
		assert!(!ProxyType::NonTransfer.filter(&sudo));
		assert!(ProxyType::NonTransfer.filter(&remark));
		assert!(!ProxyType::SessionKeys.filter(&remark));
	}

	#[test]
	fn a_batch_does_not_get_round_the_filter_of_a_proxy() {
		development().execute_with(|| {
			let (owner, delegate) = (Alice.to_account_id(), Bob.to_account_id());
			assert_ok!(Proxy::add_proxy(
				RuntimeOrigin::signed(owner.clone()),
				delegate.clone().into(),
				ProxyType::NonTransfer,
				0
			));
			let before = Balances::free_balance(&owner);
			let theft = RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death {
				dest: delegate.clone().into(),
				value: UNIT,
			});
			let batch =
				RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![theft] });
			assert_ok!(Proxy::proxy(
				RuntimeOrigin::signed(delegate),
				owner.clone().into(),
				None,
				Box::new(batch)
			));
			assert_eq!(Balances::free_balance(&owner), before);
		});
	}

	#[test]
	fn only_any_is_a_superset_of_any() {
		assert!(ProxyType::Any.is_superset(&ProxyType::NonTransfer));
		assert!(ProxyType::NonTransfer.is_superset(&ProxyType::SessionKeys));
		assert!(!ProxyType::NonTransfer.is_superset(&ProxyType::Any));
		assert!(!ProxyType::SessionKeys.is_superset(&ProxyType::CancelProxy));
		assert!(ProxyType::NonTransfer.is_superset(&ProxyType::NodeManagement));
		assert!(!ProxyType::NodeManagement.is_superset(&ProxyType::SessionKeys));
	}

	#[test]
	fn a_manager_of_a_node_reaches_neither_its_bond_nor_other_funds() {
		use pallet_tensornet_staking::Call;
		let manager = ProxyType::NodeManagement;
		let may = |call| manager.filter(&RuntimeCall::ComputeStaking(call));
		assert!(may(Call::set_online { online: true }));
		assert!(may(Call::rotate_operator { operator: Bob.to_account_id() }));
		assert!(may(Call::update_node { ask: Some(1), endpoint: None, capability: None }));
		assert!(!may(Call::unbond { amount: 1 }));
		assert!(!may(Call::bond_more { amount: 1 }));
		assert!(!may(Call::withdraw_unbonded {}));
		assert!(!may(Call::deregister_node {}));
		let burn = RuntimeCall::Tna(pallet_tensornet_tna::Call::burn { amount: 1 });
		assert!(!manager.filter(&burn));
		assert!(!ProxyType::NonTransfer.filter(&burn));
	}

	#[test]
	fn a_non_transfer_proxy_may_withdraw_a_job_but_not_pay_for_one() {
		let cancel = RuntimeCall::Escrow(pallet_tensornet_escrow::Call::cancel_job { job: 0 });
		let submit = RuntimeCall::Escrow(pallet_tensornet_escrow::Call::submit_job {
			request: tensornet_protocol::JobRequest {
				program: Default::default(),
				blobs: Default::default(),
				hint: Default::default(),
				iterations: 1,
				max_price: UNIT,
				deadline: 100,
				compliance_level: 0,
			},
		});
		assert!(ProxyType::NonTransfer.filter(&cancel));
		assert!(!ProxyType::NonTransfer.filter(&submit));
	}
}

mod upgrade {
	use super::*;

	/// Stands in for the executor: reports the version that a test gives to any code.
	struct ReportedVersion(RuntimeVersion);

	impl sp_core::traits::ReadRuntimeVersion for ReportedVersion {
		fn read_runtime_version(
			&self,
			_: &[u8],
			_: &mut dyn sp_core::traits::Externalities,
		) -> Result<Vec<u8>, String> {
			Ok(self.0.encode())
		}
	}

	fn upgrade_to(spec_version: u32) -> TestExternalities {
		let mut ext = development();
		let version = RuntimeVersion { spec_version, ..VERSION };
		ext.register_extension(ReadRuntimeVersionExt::new(ReportedVersion(version)));
		ext
	}

	fn set_code() -> RuntimeCall {
		RuntimeCall::System(frame_system::Call::set_code { code: b"a new runtime".to_vec() })
	}

	#[test]
	fn root_upgrades_to_a_higher_spec_version() {
		upgrade_to(VERSION.spec_version + 1).execute_with(|| {
			assert_ok!(set_code().dispatch(root()));
			assert_eq!(
				sp_io::storage::get(sp_core::storage::well_known_keys::CODE).unwrap(),
				b"a new runtime".to_vec()
			);
		});
	}

	#[test]
	fn the_same_spec_version_is_refused() {
		upgrade_to(VERSION.spec_version).execute_with(|| {
			assert_noop!(
				System::set_code(root(), b"the same runtime".to_vec()),
				frame_system::Error::<Runtime>::SpecVersionNeedsToIncrease
			);
		});
	}

	#[test]
	fn only_the_sudo_key_upgrades() {
		upgrade_to(VERSION.spec_version + 1).execute_with(|| {
			let bob = RuntimeOrigin::signed(Bob.to_account_id());
			assert!(set_code().dispatch(bob.clone()).is_err());
			assert_noop!(
				Sudo::sudo_unchecked_weight(bob, Box::new(set_code()), Default::default()),
				pallet_sudo::Error::<Runtime>::RequireSudo
			);
			let alice = RuntimeOrigin::signed(Alice.to_account_id());
			assert_ok!(Sudo::sudo_unchecked_weight(
				alice,
				Box::new(set_code()),
				Default::default()
			));
			assert!(sp_io::storage::exists(sp_core::storage::well_known_keys::CODE));
		});
	}

	#[test]
	fn an_authorized_upgrade_is_applied_by_anybody_and_only_with_that_code() {
		upgrade_to(VERSION.spec_version + 1).execute_with(|| {
			let code = b"a new runtime".to_vec();
			let hash = <BlakeTwo256 as sp_runtime::traits::Hash>::hash(&code);
			assert_ok!(System::authorize_upgrade(root(), hash));
			let bob = RuntimeOrigin::signed(Bob.to_account_id());
			assert!(System::apply_authorized_upgrade(bob.clone(), b"another".to_vec()).is_err());
			assert_ok!(System::apply_authorized_upgrade(bob, code.clone()));
			assert_eq!(sp_io::storage::get(sp_core::storage::well_known_keys::CODE).unwrap(), code);
		});
	}
}
