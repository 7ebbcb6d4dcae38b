// SPDX-License-Identifier: Apache-2.0

//! Weights of what a transaction carries beside its call: those of the SDK, less what is paid for
//! elsewhere. The account of the signer is a part of what every transaction weighs
//! ([`RuntimeBlockWeights`](crate::configs::system::RuntimeBlockWeights)), and what all transactions of a
//! block touch is paid for once a block ([`shared`](super::shared)).

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};
use frame_system::SubstrateExtensionsWeight as Sdk;
use pallet_asset_conversion_tx_payment::weights::{
	SubstrateWeight as SdkPayment, WeightInfo as PaymentWeightInfo,
};

/// Of the extensions of `frame_system`.
pub struct System<T>(PhantomData<T>);

/// A weight without so many reads and writes of the database.
fn without<T: frame_system::Config>(weight: Weight, reads: u64, writes: u64) -> Weight {
	weight.saturating_sub(T::DbWeight::get().reads_writes(reads, writes))
}

impl<T: frame_system::Config> frame_system::ExtensionsWeightInfo for System<T> {
	fn check_genesis() -> Weight {
		// The hash of the first block is read once a block.
		without::<T>(Sdk::<T>::check_genesis(), 1, 0)
	}
	fn check_mortality_mortal_transaction() -> Weight {
		Sdk::<T>::check_mortality_mortal_transaction()
	}
	fn check_mortality_immortal_transaction() -> Weight {
		without::<T>(Sdk::<T>::check_mortality_immortal_transaction(), 1, 0)
	}
	fn check_non_zero_sender() -> Weight {
		Sdk::<T>::check_non_zero_sender()
	}
	fn check_nonce() -> Weight {
		// The signer's account.
		without::<T>(Sdk::<T>::check_nonce(), 1, 1)
	}
	fn check_spec_version() -> Weight {
		Sdk::<T>::check_spec_version()
	}
	fn check_tx_version() -> Weight {
		Sdk::<T>::check_tx_version()
	}
	fn check_weight() -> Weight {
		Sdk::<T>::check_weight()
	}
	fn weight_reclaim() -> Weight {
		// The length of the block's transactions, which is gone before the block ends.
		without::<T>(Sdk::<T>::weight_reclaim(), 1, 1)
	}
}

/// Of the payment of fees.
pub struct Payment<T>(PhantomData<T>);

impl<T: frame_system::Config> PaymentWeightInfo for Payment<T> {
	fn charge_asset_tx_payment_zero() -> Weight {
		SdkPayment::<T>::charge_asset_tx_payment_zero()
	}
	fn charge_asset_tx_payment_native() -> Weight {
		// The signer's account.
		without::<T>(SdkPayment::<T>::charge_asset_tx_payment_native(), 1, 1)
	}
	fn charge_asset_tx_payment_asset() -> Weight {
		SdkPayment::<T>::charge_asset_tx_payment_asset()
	}
}
