// SPDX-License-Identifier: Apache-2.0

//! Windows that slide over the two middle axes of a `[batch, height, width, channels]` tensor.

use crate::Window;

/// How a window lies along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
	/// Elements added before the first one.
	pub pad: u32,
	/// Step from one position to the next.
	pub stride: u32,
	/// Distance between taps.
	pub dilation: u32,
}

impl Track {
	/// The coordinate that tap `tap` of the window at `position` reads on an axis of `extent`
	/// elements; `None` in the padding.
	#[inline]
	pub fn tap(&self, position: u32, tap: u32, extent: u32) -> Option<u32> {
		let start = (position as u64).saturating_mul(self.stride as u64);
		let offset = (tap as u64).saturating_mul(self.dilation as u64);
		let coordinate = start.saturating_add(offset).checked_sub(self.pad as u64)?;
		u32::try_from(coordinate).ok().filter(|coordinate| *coordinate < extent)
	}
}

/// How a window lies over height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
	/// Along the height.
	pub vertical: Track,
	/// Along the width.
	pub horizontal: Track,
}

impl Grid {
	/// The grid that a program's window attribute describes.
	pub fn of(window: &Window) -> Self {
		let [top, _, left, _] = window.pad;
		let [down, right] = window.stride;
		let [vertical, horizontal] = window.dilation;
		let track = |pad: u16, stride: u16, dilation: u16| Track {
			pad: pad as u32,
			stride: stride as u32,
			dilation: dilation as u32,
		};
		Self { vertical: track(top, down, vertical), horizontal: track(left, right, horizontal) }
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn taps_outside_the_tensor_are_padding() {
		let track = Track { pad: 2, stride: 3, dilation: 2 };
		assert_eq!(track.tap(0, 0, 5), None);
		assert_eq!(track.tap(0, 1, 5), Some(0));
		assert_eq!(track.tap(1, 1, 5), Some(3));
		assert_eq!(track.tap(1, 2, 5), None);
		assert_eq!(track.tap(u32::MAX, u32::MAX, 5), None);
	}
}
