// SPDX-License-Identifier: Apache-2.0

//! Which parts of the leaves one element of a checkpoint depends on.
//!
//! Boxes of elements are carried backwards from the checkpoint through the operators. A box has an
//! extent and an *anchor* on each axis. The anchor stands for the start of the box as a function of
//! the element that is asked for; two boxes with the same anchor start at the same place, so one can
//! be seen to hold the other. Extents are worst cases over all elements.

use super::opening::{opening_bytes, CHUNK};
use crate::{
	check::Origin,
	ops::{
		movement::Movement,
		window::{Grid, Scale, Spread, Track},
		Family, Resize,
	},
	CheckedProgram, DType, Interpolation, Layout, Leaf, Node, ProgramError, TensorType, ValueId,
	MAX_RANK,
};
use alloc::{collections::BTreeMap, vec, vec::Vec};

/// Boxes of one value that are told apart; where there are more, the whole tensor stands for them.
const MAX_BOXES: usize = 16;

/// Boxes that one analysis may carry through an operator.
const MAX_STEPS: u64 = 1 << 16;

/// The start of a span; equal numbers are equal functions of the element asked for.
type Anchor = u32;

/// The anchor of a span that starts at 0.
const START: Anchor = 0;

/// How the start of a span follows from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Derivation {
	/// The coordinate of the element asked for, on that axis of the checkpoint.
	Asked(u8),
	/// Another start and an offset.
	Offset(Anchor, i64),
	/// A window's first tap: position, padding before, stride.
	Window(Anchor, u32, u32),
	/// The first place whose window reaches the start of a span of a transposed convolution: start of
	/// the span, start of the first window, stride, taps.
	Reached(Anchor, i32, u32, u32),
	/// The first element that a resized one is made from: start, numerator, denominator, offset,
	/// extent of the axis, whether it is the nearest.
	Scaled(Anchor, i32, i32, i32, u32, bool),
	/// The quotient of a start.
	Quotient(Anchor, u32),
	/// The start of a mirrored span: start, extent, extent of the axis.
	Mirror(Anchor, u32, u32),
	/// The remainder of a start.
	Remainder(Anchor, u32),
	/// A start that depends on a node's data or regroups its axes: node, operand, axis and the box.
	Node(u16, u8, u8, Vec<Span>),
}

/// A box along one axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
	anchor: Anchor,
	extent: u32,
}

/// One span for each axis; those beyond the rank are whole axes of extent 1.
type Region = [Span; MAX_RANK];

const UNIT: Span = Span { anchor: START, extent: 1 };

/// A search over one program. Keeps the anchors it has met and counts its steps.
pub struct Search<'a> {
	program: &'a CheckedProgram,
	anchors: BTreeMap<Derivation, Anchor>,
	steps: u64,
	/// Bytes of a chunk of the blobs.
	chunk: u64,
}

impl<'a> Search<'a> {
	pub fn new(program: &'a CheckedProgram) -> Self {
		Self { program, anchors: BTreeMap::new(), steps: 0, chunk: CHUNK }
	}

	/// A search that supposes chunks of another size.
	#[cfg(test)]
	pub fn with_chunks(program: &'a CheckedProgram, chunk: u64) -> Self {
		Self { chunk, ..Self::new(program) }
	}

	/// An upper bound on the bytes of the openings that settle one element of a checkpoint.
	pub fn open_bytes(&mut self, checkpoint: u16) -> Result<u64, ProgramError> {
		// Anchors of one checkpoint mean nothing to another.
		self.anchors.clear();
		let claimed = Leaf::Checkpoint(checkpoint);
		let Some(value) = self.program.leaf_value(claimed) else { return Ok(0) };
		let Some(ty) = self.program.value_type(value) else { return Ok(0) };
		let mut asked = [UNIT; MAX_RANK];
		for (axis, (span, extent)) in asked.iter_mut().zip(&ty.shape).enumerate() {
			let anchor = self.anchor(Derivation::Asked(axis as u8));
			*span = canonical(anchor, 1, *extent);
		}
		let mut total = self.leaf_bytes(claimed, &[asked]);
		let mut pending: BTreeMap<ValueId, Vec<Region>> = BTreeMap::new();
		if let Some(node) = self.program.value_node(value) {
			self.through(node, &asked, &mut pending)?;
		}
		// Operands are numbered below their node, so the highest value left has all its boxes.
		while let Some((value, regions)) = pending.pop_last() {
			match self.program.value(value).map(|value| value.origin) {
				Some(Origin::Leaf(leaf)) => {
					total = total.saturating_add(self.leaf_bytes(leaf, &regions));
				}
				Some(Origin::Node(node)) => {
					for region in &regions {
						self.through(node, region, &mut pending)?;
					}
				}
				Some(Origin::Inline(_)) | None => {}
			}
		}
		Ok(total)
	}

	fn anchor(&mut self, derivation: Derivation) -> Anchor {
		let next = self.anchors.len() as Anchor + 1;
		*self.anchors.entry(derivation).or_insert(next)
	}

	/// Carries a box of a node's result to its operands.
	fn through(
		&mut self,
		number: u16,
		region: &Region,
		pending: &mut BTreeMap<ValueId, Vec<Region>>,
	) -> Result<(), ProgramError> {
		let program = self.program;
		let (Some(node), Some(out)) =
			(program.node(number), program.value_type(program.node_value(number)))
		else {
			return Ok(());
		};
		let mut joined = 0u64;
		for (place, operand) in node.operands.iter().enumerate() {
			self.steps = self.steps.saturating_add(1);
			if self.steps > MAX_STEPS {
				return Err(ProgramError::TooComplex);
			}
			let Some(ty) = program.value_type(*operand) else { continue };
			let read = self.operand_region(number, node, place, joined, ty, out, region);
			if let Family::Movement(Movement::Concat { axis }) = Family::of(&node.op) {
				let extent = ty.shape.get(axis).copied().unwrap_or(0);
				joined = joined.saturating_add(extent as u64);
			}
			insert(pending.entry(*operand).or_default(), read, ty);
		}
		Ok(())
	}

	/// The box of operand number `place` that `region` of the result needs. `joined` is where that
	/// operand starts in a concatenation.
	fn operand_region(
		&mut self,
		number: u16,
		node: &Node,
		place: usize,
		joined: u64,
		ty: &TensorType,
		out: &TensorType,
		region: &Region,
	) -> Region {
		let whole = whole(ty);
		let [r0, r1, r2, r3, r4, _] = *region;
		let [w0, w1, w2, w3, w4, _] = whole;
		match Family::of(&node.op) {
			Family::Conv(conv) => match place {
				0 => {
					let Some([_, kh, kw, _]) = self.kernel(node) else { return whole };
					let (y, x) = self.window_spans(&conv.grid, [kh, kw], [r1, r2], ty);
					[r0, y, x, w3, UNIT, UNIT]
				}
				1 => [r3, w1, w2, w3, UNIT, UNIT],
				_ => bias_region(r3, ty),
			},
			Family::Conv3d(conv) => match place {
				0 => {
					let Some([_, kd, kh, kw, _]) = self.kernel(node) else { return whole };
					let z = self.window_span(conv.depth, kd, r1, extent_of(ty, 1));
					let grid = conv.plane.grid;
					let y = self.window_span(grid.vertical, kh, r2, extent_of(ty, 2));
					let x = self.window_span(grid.horizontal, kw, r3, extent_of(ty, 3));
					[r0, z, y, x, w4, UNIT]
				}
				1 => [r4, w1, w2, w3, w4, UNIT],
				_ => bias_region(r4, ty),
			},
			Family::Depthwise(conv) => {
				let Some([kh, kw, channels, filters]) = self.kernel(node) else { return whole };
				match place {
					0 => {
						let (y, x) = self.window_spans(&conv.grid, [kh, kw], [r1, r2], ty);
						[r0, y, x, self.quotient(r3, filters, channels), UNIT, UNIT]
					}
					1 => {
						let channel = self.quotient(r3, filters, channels);
						let filter = self.remainder(r3, filters);
						[w0, w1, channel, filter, UNIT, UNIT]
					}
					_ => bias_region(r3, ty),
				}
			}
			Family::TransposeConv(conv) => match place {
				0 => {
					let Some([_, kh, kw, _]) = self.kernel(node) else { return whole };
					let [down, across] = conv.spread;
					let y = self.reached_span(down, kh, r1, extent_of(ty, 1));
					let x = self.reached_span(across, kw, r2, extent_of(ty, 2));
					[r0, y, x, w3, UNIT, UNIT]
				}
				1 => [r3, w1, w2, w3, UNIT, UNIT],
				_ => bias_region(r3, ty),
			},
			Family::AvgPool(pool) => {
				let (y, x) = self.window_spans(&pool.grid, pool.kernel, [r1, r2], ty);
				[r0, y, x, r3, UNIT, UNIT]
			}
			Family::Resize(resize) => {
				let [vertical, horizontal] = resize.scales;
				let y = self.scaled_span(vertical, &resize, r1, extent_of(ty, 1));
				let x = self.scaled_span(horizontal, &resize, r2, extent_of(ty, 2));
				[r0, y, x, r3, UNIT, UNIT]
			}
			Family::MatMul { .. } => match place {
				0 => [r0, r1, w2, UNIT, UNIT, UNIT],
				_ => [r0, w1, r2, UNIT, UNIT, UNIT],
			},
			Family::MaxPool { kernel, grid } => {
				let (y, x) = self.window_spans(&grid, kernel, [r1, r2], ty);
				[r0, y, x, r3, UNIT, UNIT]
			}
			Family::ArgMax { axis } => {
				let mut read = whole;
				let kept = read.iter_mut().enumerate().filter(|(number, _)| *number != axis);
				for ((_, span), asked) in kept.zip(region) {
					*span = *asked;
				}
				read
			}
			Family::Reduce { axis, .. } => {
				let mut read = *region;
				if let (Some(span), Some(all)) = (read.get_mut(axis), whole.get(axis)) {
					*span = *all;
				}
				read
			}
			Family::Pointwise(_) => {
				let mut read = whole;
				let shift = out.rank();
				for (axis, (span, extent)) in read.iter_mut().zip(&ty.shape).enumerate() {
					let aligned = (axis + shift).checked_sub(ty.rank());
					if let Some(asked) = aligned.and_then(|axis| region.get(axis)) {
						*span = if *extent > 1 { *asked } else { UNIT };
					}
				}
				read
			}
			Family::Table => {
				if place == 0 {
					return *region;
				}
				let entries = if ty.dtype == DType::I16 { 2 } else { 1 };
				self.data_span(number, place, region, w0, entries)
			}
			Family::Gather => {
				if place == 1 {
					return [r0, r1, UNIT, UNIT, UNIT, UNIT];
				}
				let asked = [r0, r1, UNIT, UNIT, UNIT, UNIT];
				let [index, ..] = self.data_span(number, place, &asked, w1, 1);
				[r0, index, r2, UNIT, UNIT, UNIT]
			}
			Family::Scatter => match place {
				0 => *region,
				1 => [r0, w1, UNIT, UNIT, UNIT, UNIT],
				_ => {
					let asked = [r0, r1, UNIT, UNIT, UNIT, UNIT];
					let [found, ..] = self.data_span(number, place, &asked, w1, 1);
					[r0, found, r2, UNIT, UNIT, UNIT]
				}
			},
			Family::Movement(movement) => {
				self.moved(number, &movement, joined, ty, out, region).unwrap_or(whole)
			}
		}
	}

	/// A span whose start depends on data read at `asked`: `entries` long if that is one element, the
	/// `whole` axis otherwise. In the first place of a region.
	fn data_span(
		&mut self,
		number: u16,
		place: usize,
		asked: &Region,
		whole: Span,
		entries: u32,
	) -> Region {
		let one = asked.iter().all(|span| span.extent == 1);
		let span = if one {
			let derivation = Derivation::Node(number, place as u8, 0, asked.to_vec());
			canonical(self.anchor(derivation), entries, whole.extent)
		} else {
			whole
		};
		[span, UNIT, UNIT, UNIT, UNIT, UNIT]
	}

	fn window_spans(
		&mut self,
		grid: &Grid,
		[height, width]: [u32; 2],
		[rows, columns]: [Span; 2],
		ty: &TensorType,
	) -> (Span, Span) {
		let (h, w) = (extent_of(ty, 1), extent_of(ty, 2));
		(
			self.window_span(grid.vertical, height, rows, h),
			self.window_span(grid.horizontal, width, columns, w),
		)
	}

	fn window_span(&mut self, track: Track, taps: u32, asked: Span, extent: u32) -> Span {
		let moved = (asked.extent as u64).saturating_sub(1).saturating_mul(track.stride as u64);
		let reach = (taps as u64).saturating_sub(1).saturating_mul(track.dilation as u64);
		let length = moved.saturating_add(reach).saturating_add(1).min(extent as u64) as u32;
		let anchor = match (track.pad, track.stride) {
			(0, 1) => asked.anchor,
			(pad, stride) => self.anchor(Derivation::Window(asked.anchor, pad, stride)),
		};
		canonical(anchor, length, extent)
	}

	/// The extents of a convolution's weight.
	fn kernel<const N: usize>(&self, node: &Node) -> Option<[u32; N]> {
		let ty = self.program.value_type(*node.operands.get(1)?)?;
		ty.shape.as_slice().try_into().ok()
	}

	/// The places on an axis of `extent` elements whose windows of `taps` taps reach a span.
	fn reached_span(&mut self, spread: Spread, taps: u32, asked: Span, extent: u32) -> Span {
		let Spread { start, stride } = spread;
		let reach = (asked.extent as u64).saturating_add(taps as u64).saturating_sub(2);
		let length = (reach / stride.max(1) as u64).saturating_add(1).min(extent as u64) as u32;
		let anchor = self.anchor(Derivation::Reached(asked.anchor, start, stride, taps));
		canonical(anchor, length, extent)
	}

	/// The elements on an axis of `extent` elements that a span of a resized axis is made from.
	fn scaled_span(&mut self, scale: Scale, resize: &Resize, asked: Span, extent: u32) -> Span {
		let Scale { numerator, denominator, offset } = scale;
		let nearest = resize.interpolation == Interpolation::Nearest;
		let moved = (asked.extent as u64).saturating_sub(1).saturating_mul(denominator as u64);
		let neighbours = if nearest { 1 } else { 2 };
		let length = moved.div_ceil(numerator.max(1) as u64).saturating_add(neighbours);
		let derivation =
			Derivation::Scaled(asked.anchor, numerator, denominator, offset, extent, nearest);
		canonical(self.anchor(derivation), length.min(extent as u64) as u32, extent)
	}

	/// The `extent` groups of `each` neighbours that a span touches.
	fn quotient(&mut self, asked: Span, each: u32, extent: u32) -> Span {
		if each <= 1 {
			return asked;
		}
		// The span may start at the last of its group.
		let reach = (asked.extent as u64).saturating_add(each as u64).saturating_sub(2);
		let length = (reach / each as u64).saturating_add(1).min(extent as u64) as u32;
		let anchor = self.anchor(Derivation::Quotient(asked.anchor, each));
		canonical(anchor, length, extent)
	}

	/// The places of a span inside groups of `each` neighbours.
	fn remainder(&mut self, asked: Span, each: u32) -> Span {
		if asked.extent == 1 {
			let anchor = self.anchor(Derivation::Remainder(asked.anchor, each));
			canonical(anchor, 1, each)
		} else {
			Span { anchor: START, extent: each }
		}
	}

	fn offset(&mut self, span: Span, by: i64, extent: u32) -> Span {
		let anchor = match by {
			0 => span.anchor,
			_ => self.anchor(Derivation::Offset(span.anchor, by)),
		};
		canonical(anchor, span.extent, extent)
	}

	/// The box of the only operand of a movement, or of the one of a concatenation that starts at
	/// `joined`.
	fn moved(
		&mut self,
		number: u16,
		movement: &Movement,
		joined: u64,
		ty: &TensorType,
		out: &TensorType,
		region: &Region,
	) -> Option<Region> {
		let mut read = [UNIT; MAX_RANK];
		match movement {
			Movement::Concat { axis } => {
				read = *region;
				let asked = *region.get(*axis)?;
				*read.get_mut(*axis)? = self.offset(asked, -(joined as i64), *ty.shape.get(*axis)?);
			}
			Movement::Pad { before, value: _ } => {
				let axes = read.iter_mut().zip(region).zip(*before).zip(&ty.shape);
				for (((span, asked), before), extent) in axes {
					*span = self.offset(*asked, -(*before as i64), *extent);
				}
			}
			Movement::Slice { start } => {
				let axes = read.iter_mut().zip(region).zip(*start).zip(&ty.shape);
				for (((span, asked), start), extent) in axes {
					*span = self.offset(*asked, *start as i64, *extent);
				}
			}
			Movement::Transpose { permutation } => {
				for (asked, axis) in region.iter().zip(*permutation) {
					*read.get_mut(*axis as usize)? = *asked;
				}
			}
			Movement::Tile => {
				for ((span, asked), extent) in read.iter_mut().zip(region).zip(&ty.shape) {
					*span = self.remainder(*asked, *extent);
				}
			}
			Movement::Reverse { axis } => {
				read = *region;
				let (asked, extent) = (*region.get(*axis)?, *ty.shape.get(*axis)?);
				let derivation = Derivation::Mirror(asked.anchor, asked.extent, extent);
				*read.get_mut(*axis)? = canonical(self.anchor(derivation), asked.extent, extent);
			}
			Movement::Identity => read = *region,
			Movement::Reshape { .. } => {
				for group in groups(&ty.shape, &out.shape) {
					self.regroup(number, &group, ty, out, region, &mut read)?;
				}
			}
		}
		Some(read)
	}

	/// Carries the axes of one group of a reshape.
	fn regroup(
		&mut self,
		number: u16,
		group: &Group,
		ty: &TensorType,
		out: &TensorType,
		region: &Region,
		read: &mut Region,
	) -> Option<()> {
		let to = ty.shape.get(group.operand.clone())?;
		let from = out.shape.get(group.result.clone())?;
		let asked = region.get(group.result.clone())?;
		let places = read.get_mut(group.operand.clone())?;
		// Axes of extent 1 carry nothing: a group with one other axis on both sides passes it on.
		let wide = |shape: &[u32]| shape.iter().filter(|extent| **extent > 1).count();
		if wide(to) <= 1 && wide(from) <= 1 {
			let span = from.iter().zip(asked).find(|(extent, _)| **extent > 1).map(|(_, s)| *s);
			for (place, extent) in places.iter_mut().zip(to) {
				*place = if *extent > 1 { span? } else { UNIT };
			}
			return Some(());
		}
		// Otherwise the box lies inside `length` consecutive elements of the group, starting at a
		// multiple of `grain`.
		let (mut length, mut grain, mut stride) = (1u64, 1u64, 1u64);
		let mut compact = true;
		for (extent, span) in from.iter().zip(asked).rev() {
			let last = (span.extent as u64).saturating_sub(1);
			length = length.saturating_add(last.saturating_mul(stride));
			stride = stride.saturating_mul(*extent as u64);
			compact &= span.extent == *extent;
			if compact {
				grain = stride;
			}
		}
		let mut stride = to.iter().fold(1u64, |all, extent| all.saturating_mul(*extent as u64));
		let mut wraps = false;
		for (axis, (place, extent)) in places.iter_mut().zip(to).enumerate() {
			stride = stride.checked_div(*extent as u64)?;
			// Steps of this axis that the elements touch when they start as late as they can in one.
			let latest = stride.saturating_sub(gcd(grain, stride));
			let touched = latest.saturating_add(length).saturating_sub(1).checked_div(stride)?;
			let touched = touched.saturating_add(1);
			let extent_touched = if wraps { *extent as u64 } else { touched.min(*extent as u64) };
			let key = asked.to_vec();
			let derivation = Derivation::Node(number, group.operand.start as u8, axis as u8, key);
			*place = canonical(self.anchor(derivation), extent_touched as u32, *extent);
			wraps |= touched > 1;
		}
		Some(())
	}

	/// The openings of these boxes of one leaf.
	fn leaf_bytes(&self, leaf: Leaf, regions: &[Region]) -> u64 {
		let Some((ty, layout)) = self.program.leaf_type(leaf) else { return 0 };
		let program = self.program.program();
		let repeated = match leaf {
			Leaf::Input(number) => {
				program.inputs.get(number as usize).is_some_and(|input| input.per_iteration)
			}
			Leaf::Constant(_) | Leaf::State(_) | Leaf::Checkpoint(_) => false,
		};
		let tensors = if repeated { program.max_iterations as u64 } else { 1 };
		let blob = ty.bytes().saturating_mul(tensors);
		let size = ty.dtype.size();
		let all = regions.iter().fold(0u64, |sum, region| {
			let Stretches { run, runs, grain } = stretches(region, ty, layout);
			let align = gcd(grain.saturating_mul(size), self.chunk);
			let run = run.saturating_mul(size);
			sum.saturating_add(opening_bytes(blob, run, runs, align, self.chunk))
		});
		// Several boxes never need more than the whole tensor.
		all.min(opening_bytes(blob, ty.bytes(), 1, size, self.chunk))
	}
}

/// A span cut to its axis; one that covers the axis starts at 0.
fn canonical(anchor: Anchor, length: u32, extent: u32) -> Span {
	if length >= extent {
		Span { anchor: START, extent }
	} else {
		Span { anchor, extent: length }
	}
}

fn whole(ty: &TensorType) -> Region {
	let mut region = [UNIT; MAX_RANK];
	for (span, extent) in region.iter_mut().zip(&ty.shape) {
		span.extent = *extent;
	}
	region
}

fn extent_of(ty: &TensorType, axis: usize) -> u32 {
	ty.shape.get(axis).copied().unwrap_or(1)
}

/// The bias of a span of filters: theirs, or the only one.
fn bias_region(filters: Span, bias: &TensorType) -> Region {
	let read = if bias.shape == [1] { UNIT } else { filters };
	[read, UNIT, UNIT, UNIT, UNIT, UNIT]
}

/// Whether every element of `inner` is one of `outer`, wherever they lie.
fn holds(outer: &Region, inner: &Region, ty: &TensorType) -> bool {
	outer.iter().zip(inner).zip(ty.shape.iter().chain(core::iter::repeat(&1))).all(
		|((outer, inner), extent)| {
			outer.extent >= *extent
				|| (outer.anchor == inner.anchor && outer.extent >= inner.extent)
		},
	)
}

/// Adds a box to those of a value, keeping none that another holds.
fn insert(regions: &mut Vec<Region>, region: Region, ty: &TensorType) {
	if regions.iter().any(|held| holds(held, &region, ty)) {
		return;
	}
	regions.retain(|held| !holds(&region, held, ty));
	regions.push(region);
	if regions.len() > MAX_BOXES {
		*regions = vec![whole(ty)];
	}
}

/// A box in storage order.
struct Stretches {
	/// Elements of one contiguous stretch.
	run: u64,
	/// Number of stretches.
	runs: u64,
	/// Every stretch starts at a multiple of so many elements.
	grain: u64,
}

fn stretches(region: &Region, ty: &TensorType, layout: &Layout) -> Stretches {
	let mut found = Stretches { run: 1, runs: 1, grain: 1 };
	let mut contiguous = true;
	for position in (0..ty.rank()).rev() {
		let axis = layout.0.get(position).map_or(position, |axis| *axis as usize);
		let (Some(span), Some(extent)) = (region.get(axis), ty.shape.get(axis)) else { continue };
		if contiguous {
			found.run = found.run.saturating_mul(span.extent as u64);
			contiguous = span.extent == *extent;
			if contiguous {
				found.grain = found.run;
			}
		} else {
			found.runs = found.runs.saturating_mul(span.extent as u64);
		}
	}
	found
}

/// Axes of operand and result that hold the same elements in the same order.
struct Group {
	operand: core::ops::Range<usize>,
	result: core::ops::Range<usize>,
}

/// Splits a reshape into the smallest groups of axes with equal element counts.
fn groups(operand: &[u32], result: &[u32]) -> Vec<Group> {
	let mut groups = Vec::new();
	let (mut i, mut j) = (0, 0);
	while i < operand.len() || j < result.len() {
		let (start_i, start_j) = (i, j);
		let (mut a, mut b) = (1u64, 1u64);
		let take = |from: &[u32], place: &mut usize, product: &mut u64| {
			*product = product.saturating_mul(from.get(*place).copied().unwrap_or(1) as u64);
			*place = place.saturating_add(1).min(from.len());
		};
		take(operand, &mut i, &mut a);
		take(result, &mut j, &mut b);
		while a != b && (i < operand.len() || j < result.len()) {
			if (a < b && i < operand.len()) || j >= result.len() {
				take(operand, &mut i, &mut a);
			} else {
				take(result, &mut j, &mut b);
			}
		}
		groups.push(Group { operand: start_i..i, result: start_j..j });
	}
	groups
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
	while b != 0 {
		(a, b) = (b, a % b);
	}
	a
}
