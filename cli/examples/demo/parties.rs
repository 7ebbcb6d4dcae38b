// SPDX-License-Identifier: Apache-2.0

//! Who takes part: the development accounts and what they are in the story.

use anyhow::Result;
use tensornet_client::{keys, AccountId, Signer};

/// A GPU node of the story.
pub struct GpuNode {
	/// Its name.
	pub name: &'static str,
	/// Its owner's secret.
	pub stash: &'static str,
	/// Its operator's secret.
	pub operator: &'static str,
	/// Price for each 10^9 multiply-accumulates, in thousandths of a TNA.
	pub ask_milli: u128,
	/// Where it computes, unless the user says otherwise.
	pub device: &'static str,
}

/// The nodes. They compute on different devices and must still agree to the last bit.
pub const NODES: [GpuNode; 3] = [
	GpuNode {
		name: "Bob",
		stash: "//Bob",
		operator: "//Bob//operator",
		ask_milli: 500,
		device: "auto",
	},
	GpuNode {
		name: "Charlie",
		stash: "//Charlie",
		operator: "//Charlie//operator",
		ask_milli: 600,
		device: "cpu",
	},
	GpuNode {
		name: "Dave",
		stash: "//Dave",
		operator: "//Dave//operator",
		ask_milli: 400,
		device: "cpu",
	},
];

/// The node that is told to cheat, by its place in [`NODES`].
pub const CHEAT: usize = 2;

/// Who posts jobs.
pub const REQUESTER: &str = "//Eve";

/// Who registers the program.
pub const AUTHOR: &str = "//Ferdie";

/// Accounts of the development chain that have no part but own TNA from genesis; the first one makes
/// the blocks and earns a share of the fees.
const OTHERS: [(&str, &str); 7] = [
	("validator Alice//stash", "//Alice//stash"),
	("Alice", "//Alice"),
	("Bob//stash", "//Bob//stash"),
	("Charlie//stash", "//Charlie//stash"),
	("Dave//stash", "//Dave//stash"),
	("Eve//stash", "//Eve//stash"),
	("Ferdie//stash", "//Ferdie//stash"),
];

/// An account with a name.
#[derive(Clone, Debug)]
pub struct Party {
	/// What people call it.
	pub name: String,
	/// The account.
	pub account: AccountId,
	/// Whether it has a part in the story.
	pub acts: bool,
}

/// Everybody who has a name: those who act, and the other accounts of a development chain.
pub fn everybody() -> Result<Vec<Party>> {
	let party = |name: &str, secret: &str, acts| -> Result<Party> {
		Ok(Party { name: name.into(), account: Signer::from_uri(secret)?.account(), acts })
	};
	let mut all =
		vec![party("requester Eve", REQUESTER, true)?, party("author Ferdie", AUTHOR, true)?];
	for node in &NODES {
		all.push(party(&format!("node {}", node.name), node.stash, true)?);
		all.push(party(&format!("operator of {}", node.name), node.operator, true)?);
	}
	all.push(Party { name: "treasury".into(), account: treasury(), acts: true });
	for (number, (name, secret)) in OTHERS.iter().enumerate() {
		all.push(party(name, secret, number == 0)?);
	}
	Ok(all)
}

/// The treasury's account: it has no key, and is derived from the pallet id `tn/trsry`.
fn treasury() -> AccountId {
	let mut account = [0; 32];
	for (place, byte) in account.iter_mut().zip(b"modltn/trsry") {
		*place = *byte;
	}
	account
}

/// What people call an account.
pub fn name_of(parties: &[Party], account: &AccountId) -> String {
	parties
		.iter()
		.find(|party| party.account == *account)
		.map_or_else(|| keys::address(account), |party| party.name.clone())
}
