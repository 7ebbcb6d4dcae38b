// SPDX-License-Identifier: Apache-2.0

//! Where the sums of a product go, and what a task needs on the way.

use super::{
	buffer::ElementsMut,
	group::{self, Bound},
	simd::Row,
};
use std::cell::Cell;

/// Where sums go.
pub enum Target<'a> {
	/// To memory.
	Sums(&'a mut [i32]),
	/// To the group that begins with them.
	Group {
		/// The group.
		group: &'a Bound<'a>,
		/// Number of the first element.
		first: usize,
		/// Room for what the group stores of these elements.
		outputs: Vec<ElementsMut<'a>>,
	},
}

impl<'a> Target<'a> {
	/// What an element costs that is a sum of `depth` products, in multiply-accumulates.
	pub fn work(&self, depth: usize) -> usize {
		match self {
			Target::Sums(_) => depth,
			// A step on an element takes about the time of thirty-two.
			Target::Group { group, .. } => depth + 32 * group.steps(),
		}
	}

	/// The target in parts of `size` elements.
	pub fn split(self, size: usize) -> Vec<Target<'a>> {
		match self {
			Target::Sums(out) => out.chunks_mut(size).map(Target::Sums).collect(),
			Target::Group { group, first, outputs } => {
				let parts = group.split(outputs, size).into_iter().enumerate();
				let part = |(number, outputs)| Target::Group {
					group,
					first: first + number * size,
					outputs,
				};
				parts.map(part).collect()
			}
		}
	}
}

/// What a task needs again for each block.
pub struct Scratch {
	/// Room.
	pub space: Space,
	/// That of the one group that the task works for.
	pub group: Option<group::Scratch>,
}

/// Room for one block of rows, of any size.
#[derive(Default)]
pub struct Space {
	/// The rows of the left side, packed.
	pub a: Vec<i32>,
	/// What each row contributes to all its sums.
	pub terms: Vec<i32>,
	/// Sums of one panel.
	pub sums: Vec<Row>,
	/// Sums of all panels, for a group.
	pub out: Vec<i32>,
}

thread_local! {
	/// What this thread's last task has left.
	static SPARE: Cell<Option<Space>> = const { Cell::new(None) };
}

impl Default for Scratch {
	fn default() -> Self {
		Self { space: SPARE.take().unwrap_or_default(), group: None }
	}
}

impl Drop for Scratch {
	fn drop(&mut self) {
		SPARE.set(Some(std::mem::take(&mut self.space)));
	}
}
