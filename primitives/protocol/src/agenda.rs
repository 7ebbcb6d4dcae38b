// SPDX-License-Identifier: Apache-2.0

//! What has to be done in one block, kept together: however many entries a block has, adding one
//! touches one storage item, and taking all of them out touches one for each [`AGENDA_PAGE`].

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Entries of a page.
pub const AGENDA_PAGE: u32 = 128;

/// Entries that are stored together.
pub type AgendaPage<Entry> = BoundedVec<Entry, ConstU32<AGENDA_PAGE>>;

/// The entries of one block: the newest of them, and how many full pages of older ones are stored
/// beside.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct AgendaSlot<Entry> {
	/// Full pages beside this slot, numbered from 0.
	pub pages: u32,
	/// The newest entries.
	pub tail: AgendaPage<Entry>,
}

impl<Entry> Default for AgendaSlot<Entry> {
	fn default() -> Self {
		Self { pages: 0, tail: AgendaPage::new() }
	}
}

impl<Entry> AgendaSlot<Entry> {
	/// Adds an entry. Where that fills the slot, `store` keeps a full page under its number.
	pub fn push(&mut self, entry: Entry, store: impl FnOnce(u32, AgendaPage<Entry>)) {
		if let Err(entry) = self.tail.try_push(entry) {
			store(self.pages, core::mem::take(&mut self.tail));
			self.pages = self.pages.saturating_add(1);
			self.tail = BoundedVec::truncate_from(alloc::vec![entry]);
		}
	}

	/// Takes the newest entry out. Where the slot has none left, `load` takes the page of a number from
	/// where it is kept.
	pub fn pop(&mut self, load: impl FnOnce(u32) -> AgendaPage<Entry>) -> Option<Entry> {
		if self.tail.is_empty() {
			self.pages = self.pages.checked_sub(1)?;
			self.tail = load(self.pages);
		}
		self.tail.pop()
	}

	/// Whether nothing is left to be done.
	pub fn is_empty(&self) -> bool {
		self.tail.is_empty() && self.pages == 0
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{cell::RefCell, collections::BTreeMap};

	#[test]
	fn everything_put_in_comes_out_once_whatever_fills_pages() {
		for count in [0, 1, AGENDA_PAGE - 1, AGENDA_PAGE, AGENDA_PAGE + 1, 5 * AGENDA_PAGE + 7] {
			let pages = RefCell::new(BTreeMap::new());
			let mut slot = AgendaSlot::default();
			for entry in 0..count {
				slot.push(entry, |number, page| {
					assert_eq!(page.len() as u32, AGENDA_PAGE);
					assert!(pages.borrow_mut().insert(number, page).is_none());
				});
			}
			assert_eq!(slot.pages as usize, pages.borrow().len());
			assert_eq!(slot.is_empty(), count == 0);
			let mut out = vec![];
			while let Some(entry) = slot.pop(|number| pages.borrow_mut().remove(&number).unwrap()) {
				out.push(entry);
			}
			assert!(slot.is_empty() && pages.borrow().is_empty());
			out.reverse();
			assert_eq!(out, (0..count).collect::<Vec<_>>());
		}
	}

	#[test]
	fn an_entry_that_is_put_back_is_the_next_one() {
		let mut slot = AgendaSlot::default();
		slot.push(1, |_, _| panic!("there is room"));
		let entry = slot.pop(|_| panic!("it is in the slot")).unwrap();
		slot.push(entry, |_, _| panic!("there is room"));
		assert_eq!(slot.pop(|_| panic!("it is in the slot")), Some(1));
		assert_eq!(slot.pop(|_| panic!("there is no page")), None);
	}
}
