// SPDX-License-Identifier: Apache-2.0

//! Windows that slide over the middle axes of a `[batch, height, width, channels]` tensor, or of one
//! with a depth before the height, and how images of two sizes lie over each other.

use crate::{Scaling, Window, Window3};
use core::ops::Range;

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

/// The tracks of a three-dimensional window: depth, and the grid of height and width.
pub fn tracks(window: &Window3) -> (Track, Grid) {
	let [front, _, top, _, left, _] = window.pad;
	let ([in_depth, down, right], [depth, vertical, horizontal]) = (window.stride, window.dilation);
	let track = |pad: u16, stride: u16, dilation: u16| Track {
		pad: pad as u32,
		stride: stride as u32,
		dilation: dilation as u32,
	};
	let plane =
		Grid { vertical: track(top, down, vertical), horizontal: track(left, right, horizontal) };
	(track(front, in_depth, depth), plane)
}

/// How the windows of a transposed convolution lie along one axis of its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
	/// Where the first window starts.
	pub start: i32,
	/// Distance between the windows of neighbours.
	pub stride: u32,
}

impl Spread {
	/// The spreads along height and width.
	pub fn of(out_pad: [i16; 4], stride: [u16; 2]) -> [Self; 2] {
		let ([top, _, left, _], [down, right]) = (out_pad, stride);
		[(top, down), (left, right)]
			.map(|(start, stride)| Self { start: start as i32, stride: stride as u32 })
	}

	/// The places of an axis of `extent` elements whose windows of `taps` taps cover `position` of the
	/// result. At most `taps / stride`, rounded up.
	#[inline]
	pub fn reach(&self, position: u32, taps: u32, extent: u32) -> Range<u32> {
		let stride = (self.stride as i64).max(1);
		let offset = position as i64 - self.start as i64;
		let first = offset.saturating_sub(taps as i64).div_euclid(stride).saturating_add(1).max(0);
		let end = offset.div_euclid(stride).saturating_add(1).clamp(0, extent as i64);
		first.min(end) as u32..end as u32
	}

	/// The tap under which `position` of the result lies in the window of `place`, one of those that
	/// reach it.
	#[inline]
	pub fn tap(&self, position: u32, place: u32) -> u32 {
		let offset = position as i64 - self.start as i64;
		offset.saturating_sub(place as i64 * self.stride as i64) as u32
	}
}

/// How the positions of a resized image lie along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
	/// Steps between neighbours of the operand.
	pub numerator: i32,
	/// Steps between neighbours of the result.
	pub denominator: i32,
	/// Where the first element of the result lies.
	pub offset: i32,
}

/// An element of a resized image among those it is made from, along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
	/// The element before it and the one behind it, inside the operand.
	pub neighbours: [u32; 2],
	/// The nearness of each, in steps of the scale; together the numerator.
	pub weights: [i32; 2],
}

impl Between {
	/// The nearer neighbour, the later of two that are equally near.
	#[inline]
	pub fn nearest(&self) -> u32 {
		let ([before, behind], [near_before, near_behind]) = (self.neighbours, self.weights);
		if near_behind >= near_before {
			behind
		} else {
			before
		}
	}
}

impl Scale {
	/// The scales of height and width.
	pub fn of(scaling: &Scaling) -> [Self; 2] {
		let [[ny, nx], [dy, dx]] = [scaling.numerator, scaling.denominator];
		let [oy, ox] = scaling.offset;
		[(ny, dy, oy), (nx, dx, ox)].map(|(numerator, denominator, offset)| Self {
			numerator: numerator as i32,
			denominator: denominator as i32,
			offset: offset as i32,
		})
	}

	/// Where `position` of the result lies on an axis of `extent` elements.
	#[inline]
	pub fn between(&self, position: u32, extent: u32) -> Between {
		let numerator = (self.numerator as i64).max(1);
		let steps = position as i64 * self.denominator as i64 + self.offset as i64;
		let (before, rest) = (steps.div_euclid(numerator), steps.rem_euclid(numerator));
		let last = (extent as i64).saturating_sub(1).max(0);
		let inside = |place: i64| place.clamp(0, last) as u32;
		Between {
			neighbours: [inside(before), inside(before.saturating_add(1))],
			weights: [(numerator - rest) as i32, rest as i32],
		}
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

	#[test]
	fn a_position_is_reached_by_the_windows_that_cover_it() {
		for (start, stride, taps, extent) in
			[(0, 1, 1, 3), (0, 2, 3, 4), (-2, 3, 5, 3), (4, 2, 1, 3), (1, 5, 2, 3), (-9, 1, 4, 2)]
		{
			let spread = Spread { start, stride };
			for position in 0..40u32 {
				let covers = |place: &u32| {
					let tap = position as i64 - start as i64 - *place as i64 * stride as i64;
					(0..taps as i64).contains(&tap)
				};
				let expected: Vec<u32> = (0..extent).filter(covers).collect();
				let reached: Vec<u32> = spread.reach(position, taps, extent).collect();
				assert_eq!(reached, expected, "{spread:?} at {position}");
				for place in reached {
					let tap = spread.tap(position, place);
					let back = start as i64 + place as i64 * stride as i64 + tap as i64;
					assert!(tap < taps && back == position as i64);
				}
			}
		}
		let far = Spread { start: i16::MIN as i32, stride: 1 };
		assert!(far.reach(u32::MAX, 1, u32::MAX).is_empty());
	}

	#[test]
	fn a_resized_position_lies_between_neighbours_inside_the_operand() {
		// Twice as large, samples at the middle: -1/4, 1/4, 3/4, 5/4.
		let scale = Scale { numerator: 4, denominator: 2, offset: -1 };
		let at = |position| scale.between(position, 2);
		assert_eq!(at(0), Between { neighbours: [0, 0], weights: [1, 3] });
		assert_eq!(at(1), Between { neighbours: [0, 1], weights: [3, 1] });
		assert_eq!(at(2), Between { neighbours: [0, 1], weights: [1, 3] });
		assert_eq!(at(3), Between { neighbours: [1, 1], weights: [3, 1] });
		assert_eq!([0, 1, 2, 3].map(|position| at(position).nearest()), [0, 0, 1, 1]);
		// Halfway is nearer to the later one.
		let half = Scale { numerator: 2, denominator: 1, offset: 0 };
		assert_eq!(half.between(1, 2).nearest(), 1);
	}
}
