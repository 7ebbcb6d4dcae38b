// SPDX-License-Identifier: Apache-2.0

//! Where fees, tips and dust go.

use crate::{Config, CreditOf, Pallet};
use core::marker::PhantomData;
use frame_support::traits::{fungible::Balanced, Get, Imbalance, OnUnbalanced};
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, Shares};

/// Shares fees and tips between burn, treasury and the author of the block.
///
/// The author gets what the two shares leave, rounding remainders included. Where there is no author,
/// or where the author or the treasury cannot receive its part, that part is burned.
pub struct FeeHandler<T>(PhantomData<T>);

impl<T: Config> OnUnbalanced<CreditOf<T>> for FeeHandler<T> {
	fn on_nonzero_unbalanced(credit: CreditOf<T>) {
		let shares = Shares {
			burn: T::FeeBurn::get(),
			treasury: T::FeeTreasury::get(),
			author: Permill::zero(),
			lineage: Permill::zero(),
		};
		let parts = shares.split(credit.peek());

		let (mut burned, rest) = credit.split(parts.burn);
		let (treasury, author) = rest.split(parts.treasury);
		if let Err(unpaid) = T::Currency::resolve(&T::Treasury::get(), treasury) {
			burned.subsume(unpaid);
		}
		let unpaid = match T::Author::get() {
			Some(who) => T::Currency::resolve(&who, author).err(),
			None => Some(author),
		};
		if let Some(unpaid) = unpaid {
			burned.subsume(unpaid);
		}
		destroy::<T>(BurnCause::Fee, burned);
	}
}

/// Burns the dust of reaped accounts and writes it into the ledger.
pub struct DustToLedger<T>(PhantomData<T>);

impl<T: Config> OnUnbalanced<CreditOf<T>> for DustToLedger<T> {
	fn on_nonzero_unbalanced(credit: CreditOf<T>) {
		destroy::<T>(BurnCause::Dust, credit);
	}
}

/// Destroys a credit, which lowers the issuance, and writes it into the ledger.
fn destroy<T: Config>(cause: BurnCause, credit: CreditOf<T>) {
	Pallet::<T>::record(cause, credit.peek());
	drop(credit);
}
