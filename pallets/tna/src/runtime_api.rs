// SPDX-License-Identifier: Apache-2.0

//! What nodes and explorers ask of the token without reading its storage.

// `decl_runtime_apis!` generates types without documentation.
#![allow(missing_docs)]

use crate::{Budget, Earned, Supply};
use codec::Codec;
use tensornet_protocol::EraIndex;

sp_api::decl_runtime_apis! {
	/// The supply of TNA and what each account received of what was minted.
	pub trait TnaApi<AccountId, Balance>
	where
		AccountId: Codec,
		Balance: Codec,
	{
		/// What exists, was burned and was minted, and what the running era would release if it
		/// ended now.
		fn supply() -> Supply<Balance>;

		/// What an account received of what was minted, by reason.
		fn rewards(account: AccountId) -> Earned<Balance>;

		/// What an ended era may mint and did, or `None` where the era has not ended or its budget
		/// has lapsed.
		fn budget(era: EraIndex) -> Option<Budget<Balance>>;
	}
}
