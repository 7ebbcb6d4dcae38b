// SPDX-License-Identifier: Apache-2.0

//! Random programs with data, for tests of anything that evaluates programs.
//!
//! Equal seeds give equal programs, so a failing seed is a reproduction. A fuzzer guides the choices with
//! its own bytes instead, so that a small change of them is a small change of the program.

mod agreement;
mod windowed;

pub use agreement::{assert_agreement, Trace, NO_LIMITS};

use crate::{
	Binary, CheckedProgram, DType, Layout, Op, ProgramBuilder, Reduction, TensorType, Unary,
	ValueId, MAX_OPERANDS, MAX_RANK,
};
use std::sync::Arc;

/// A small random program and data for one iteration of it: the stored bytes of every constant, by
/// number, of every input and of every state.
pub struct RandomProgram {
	/// The program.
	pub program: CheckedProgram,
	/// Stored bytes of each constant; those of inline ones too.
	pub constants: Vec<Arc<[u8]>>,
	/// Stored bytes of each input. Inputs read per iteration hold one tensor for each of
	/// [`iterations`](Self::iterations).
	pub inputs: Vec<Vec<u8>>,
	/// Stored bytes of each state.
	pub state: Vec<Vec<u8>>,
	/// Iterations the inputs suffice for.
	pub iterations: u32,
}

/// The random program of a seed. Every operator occurs, with shapes of at most a few hundred elements
/// and data that favours extremes.
pub fn random_program(seed: u64) -> RandomProgram {
	program_of(Random::new(seed))
}

/// The random program that a fuzzer's bytes choose.
pub fn guided_program(bytes: &[u8]) -> RandomProgram {
	program_of(Random::guided(bytes))
}

fn program_of(random: Random) -> RandomProgram {
	let mut writer = Writer {
		random,
		builder: ProgramBuilder::new(),
		values: Vec::new(),
		constants: Vec::new(),
		used: Vec::new(),
	};
	writer.write()
}

/// Random choices: of the splitmix64 generator, or of given bytes as long as there are any.
#[derive(Clone, Debug)]
pub struct Random {
	state: u64,
	/// What is left of the guiding bytes, the next one last.
	guide: Vec<u8>,
}

impl Random {
	/// Choices that depend on a seed.
	pub fn new(seed: u64) -> Self {
		Self { state: seed, guide: Vec::new() }
	}

	/// Choices that given bytes make, one byte for a choice among at most 256. When they are used up,
	/// the choices of seed 0 follow.
	pub fn guided(bytes: &[u8]) -> Self {
		Self { state: 0, guide: bytes.iter().rev().copied().collect() }
	}

	/// The next number.
	pub fn draw(&mut self) -> u64 {
		self.bytes_of_guide(8).unwrap_or_else(|| self.generate())
	}

	/// A number below `limit`, which is not 0.
	pub fn below(&mut self, limit: u64) -> u64 {
		let bytes = (64 - (limit - 1).leading_zeros()).div_ceil(8).max(1);
		self.bytes_of_guide(bytes).unwrap_or_else(|| self.generate()) % limit
	}

	fn generate(&mut self) -> u64 {
		self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.state;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	/// A number of up to `count` of the guiding bytes, `None` if there are none.
	fn bytes_of_guide(&mut self, count: u32) -> Option<u64> {
		let mut number = u64::from(self.guide.pop()?);
		for _ in 1..count {
			let Some(byte) = self.guide.pop() else { break };
			number = number << 8 | u64::from(byte);
		}
		Some(number)
	}

	/// A number from `low` to `high`, both included.
	pub fn between(&mut self, low: i64, high: i64) -> i64 {
		low + self.below((high - low + 1) as u64) as i64
	}

	/// One of these.
	pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
		&from[self.below(from.len() as u64) as usize]
	}

	/// True once in `n` times.
	pub fn once_in(&mut self, n: u64) -> bool {
		self.below(n) == 0
	}

	/// A value of a type: small, any, or extreme.
	pub fn value(&mut self, dtype: DType) -> i32 {
		match self.below(8) {
			0 => dtype.min(),
			1 => dtype.max(),
			2 => 0,
			3 | 4 => dtype.wrap(self.between(-8, 8) as i32),
			_ => dtype.wrap(self.draw() as i32),
		}
	}

	/// Stored bytes of a tensor of such values.
	pub fn bytes(&mut self, ty: &TensorType) -> Vec<u8> {
		let size = ty.dtype.size() as usize;
		let elements = (0..ty.elements()).flat_map(|_| {
			let stored = self.value(ty.dtype).to_le_bytes();
			stored.into_iter().take(size)
		});
		elements.collect()
	}
}

struct Writer {
	random: Random,
	builder: ProgramBuilder,
	values: Vec<ValueId>,
	constants: Vec<Arc<[u8]>>,
	used: Vec<ValueId>,
}

const DTYPES: [DType; 4] = [DType::Bool, DType::I8, DType::I16, DType::I32];
const INTEGERS: [DType; 3] = [DType::I8, DType::I16, DType::I32];

impl Writer {
	fn write(&mut self) -> RandomProgram {
		let iterations = self.random.between(1, 3) as u32;
		self.builder.max_iterations(iterations);
		let mut inputs = Vec::new();
		for _ in 0..self.random.between(1, 3) {
			let ty = self.ty();
			let layout = self.layout(ty.rank());
			let per_iteration = self.random.once_in(2);
			let tensors = if per_iteration { iterations } else { 1 };
			inputs.push((0..tensors).flat_map(|_| self.random.bytes(&ty)).collect());
			let value = self.builder.input(ty, layout, per_iteration).expect("few, valid inputs");
			self.values.push(value);
		}
		let mut states = Vec::new();
		let mut state = Vec::new();
		for _ in 0..self.random.below(3) {
			let ty = self.ty();
			state.push(self.random.bytes(&ty));
			let value = self.builder.state(ty.clone()).expect("few, valid states");
			self.values.push(value);
			states.push((value, ty));
		}

		let mut nodes = Vec::new();
		let wanted = self.random.between(1, 14) as usize;
		while nodes.len() < wanted {
			let Some(value) = self.node() else { continue };
			nodes.push(value);
			if self.random.once_in(4) {
				self.commit(value);
			}
		}
		for (state, ty) in states {
			// Any node of the type will do; a clamp of the state itself always is one.
			let fitting: Vec<ValueId> =
				nodes.iter().copied().filter(|node| self.ty_of(*node) == ty).collect();
			let next = match fitting.first() {
				Some(_) => *self.random.pick(&fitting),
				None => {
					let shape = ty.shape.clone();
					let copy = self.builder.op(Op::Reshape { shape }, &[state]);
					let copy = copy.expect("a tensor has its own shape");
					self.used.push(state);
					nodes.push(copy);
					copy
				}
			};
			let layout = self.layout(ty.rank());
			self.builder.next(state, next, layout).expect("the state is there");
		}
		// Whatever nothing uses is an output, as far as there is room; the rest is committed.
		let loose: Vec<ValueId> =
			nodes.iter().copied().filter(|node| !self.used.contains(node)).collect();
		for (number, value) in loose.iter().enumerate() {
			let layout = self.layout(self.ty_of(*value).rank());
			if number < 4 {
				self.builder.output(*value, layout);
			} else {
				self.builder.checkpoint(*value, layout);
			}
		}
		let program = self.builder.clone().finish().expect("the writer keeps the rules");
		let constants = std::mem::take(&mut self.constants);
		RandomProgram { program, constants, inputs, state, iterations }
	}

	fn ty_of(&self, value: ValueId) -> TensorType {
		self.builder.type_of(value).expect("the builder made the value").clone()
	}

	fn commit(&mut self, value: ValueId) {
		let layout = self.layout(self.ty_of(value).rank());
		self.builder.checkpoint(value, layout);
	}

	fn extent(&mut self) -> u32 {
		match self.random.below(6) {
			0 | 1 => 1,
			2 => self.random.between(5, 9) as u32,
			_ => self.random.between(2, 4) as u32,
		}
	}

	fn shape(&mut self, rank: usize) -> Vec<u32> {
		loop {
			let shape: Vec<u32> = (0..rank).map(|_| self.extent()).collect();
			if shape.iter().product::<u32>() <= 300 {
				return shape;
			}
		}
	}

	fn ty(&mut self) -> TensorType {
		let rank = match self.random.below(4) {
			0 => self.random.below(MAX_RANK as u64 + 1) as usize,
			1 => 4,
			_ => self.random.between(2, 3) as usize,
		};
		let dtype = *self.random.pick(&DTYPES);
		TensorType::new(dtype, self.shape(rank))
	}

	fn layout(&mut self, rank: usize) -> Layout {
		let mut axes: Vec<u8> = (0..rank as u8).collect();
		if self.random.once_in(2) {
			for i in (1..rank).rev() {
				axes.swap(i, self.random.below(i as u64 + 1) as usize);
			}
		}
		Layout::new(&axes)
	}

	/// A constant of a type, inline or not.
	fn constant(&mut self, ty: TensorType) -> ValueId {
		let bytes = self.random.bytes(&ty);
		self.constant_of(ty, bytes)
	}

	fn constant_of(&mut self, ty: TensorType, bytes: Vec<u8>) -> ValueId {
		let layout = self.layout(ty.rank());
		self.constants.push(bytes.clone().into());
		let value = if self.random.once_in(2) {
			self.builder.constant_inline(ty, layout, bytes)
		} else {
			let root = *blake3::hash(&bytes).as_bytes();
			self.builder.constant_blob(ty, layout, root)
		};
		value.expect("few, valid constants")
	}

	/// A value of any type: one there is, mostly.
	fn any(&mut self) -> ValueId {
		let from = self.values.clone();
		*self.random.pick(&from)
	}

	/// A value that `fits`: one there is, or a constant of type `otherwise`.
	fn value_that(
		&mut self,
		fits: impl Fn(&TensorType) -> bool,
		otherwise: impl FnOnce(&mut Self) -> TensorType,
	) -> ValueId {
		let found: Vec<ValueId> =
			self.values.iter().copied().filter(|value| fits(&self.ty_of(*value))).collect();
		if found.is_empty() || self.random.once_in(6) {
			let ty = otherwise(self);
			self.constant(ty)
		} else {
			*self.random.pick(&found)
		}
	}

	/// A value of one of these element types: one there is, or one converted.
	fn of_dtype(&mut self, dtypes: &[DType]) -> ValueId {
		let value = self.any();
		if dtypes.contains(&self.ty_of(value).dtype) {
			return value;
		}
		let to = *self.random.pick(dtypes);
		let cast = self.builder.op(Op::Cast { to }, &[value]).expect("every type converts");
		self.used.push(value);
		self.values.push(cast);
		// What no later node picks up must still reach a checkpoint.
		self.commit(cast);
		cast
	}

	/// An operand that broadcasts against `shape`.
	fn partner(&mut self, dtype: DType, shape: &[u32]) -> ValueId {
		let fitting = |ty: &TensorType| {
			ty.dtype == dtype
				&& ty.rank() == shape.len()
				&& ty.shape.iter().zip(shape).all(|(a, b)| a == b || *a == 1 || *b == 1)
				&& ty.shape.iter().zip(shape).map(|(a, b)| a.max(b)).product::<u32>() <= 1000
		};
		let shape = shape.to_vec();
		self.value_that(fitting, |writer| {
			let mut shape = shape;
			for extent in &mut shape {
				if writer.random.once_in(3) {
					*extent = 1;
				}
			}
			TensorType::new(dtype, shape)
		})
	}

	/// Adds a random operator and returns its value; `None` if the draw did not fit.
	fn node(&mut self) -> Option<ValueId> {
		let (op, operands) = match self.random.below(28) {
			0 => self.conv(),
			1 => self.mat_mul(),
			2 => self.max_pool(),
			3 => {
				let a = self.of_dtype(&INTEGERS);
				let axis = self.axis(a)?;
				(Op::ArgMax { axis }, vec![a])
			}
			4 => {
				let a = self.of_dtype(&INTEGERS);
				let dtype = self.ty_of(a).dtype;
				let (min, max) = (self.random.value(dtype), self.random.value(dtype));
				(Op::Clamp { min, max }, vec![a])
			}
			5 | 6 => self.binary(),
			7 => {
				let a = self.of_dtype(&INTEGERS);
				let ty = self.ty_of(a);
				let b = self.partner(ty.dtype, &ty.shape);
				let wide = ty.dtype == DType::I32 && self.random.once_in(2);
				let shift = if wide { self.random.below(64) as u8 } else { 0 };
				(Op::Mul { shift }, vec![a, b])
			}
			8 => {
				let a = self.of_dtype(&INTEGERS);
				let ty = self.ty_of(a);
				let b = self.partner(ty.dtype, &ty.shape);
				let round = self.random.once_in(2);
				(Op::ArithmeticRightShift { round }, vec![a, b])
			}
			9 => self.unary(),
			10 => {
				let condition = self.of_dtype(&[DType::Bool]);
				let shape = self.ty_of(condition).shape;
				let dtype = *self.random.pick(&DTYPES);
				let a = self.partner(dtype, &shape);
				let b = self.partner(dtype, &shape);
				(Op::Select, vec![condition, a, b])
			}
			11 => self.reduce()?,
			12 => self.concat()?,
			13 => {
				let a = self.any();
				let ty = self.ty_of(a);
				let pads = |writer: &mut Self| {
					(0..ty.rank()).map(|_| writer.random.below(3) as u32).collect()
				};
				let (before, after) = (pads(self), pads(self));
				(Op::Pad { before, after, value: self.random.value(ty.dtype) }, vec![a])
			}
			14 => self.reshape(),
			15 => {
				let a = self.any();
				let (mut start, mut size) = (Vec::new(), Vec::new());
				for extent in self.ty_of(a).shape {
					let first = self.random.below(extent as u64) as u32;
					start.push(first);
					size.push(self.random.between(1, (extent - first) as i64) as u32);
				}
				(Op::Slice { start, size }, vec![a])
			}
			16 => {
				let a = self.any();
				let rank = self.ty_of(a).rank();
				let mut permutation: Vec<u8> = (0..rank as u8).collect();
				for i in (1..rank).rev() {
					permutation.swap(i, self.random.below(i as u64 + 1) as usize);
				}
				(Op::Transpose { permutation }, vec![a])
			}
			17 => self.gather(),
			18 => {
				let a = self.of_dtype(&[DType::I8, DType::I16]);
				let dtype = self.ty_of(a).dtype;
				let entries = if dtype == DType::I8 { 256u32 } else { 513 };
				let table = self.constant(TensorType::new(dtype, [entries]));
				(Op::Table, vec![a, table])
			}
			19 => self.rescale()?,
			20 => {
				let to = *self.random.pick(&DTYPES);
				let a = self.any();
				(Op::Cast { to }, vec![a])
			}
			21 => {
				let a = self.any();
				if self.random.once_in(2) {
					let axis = self.axis(a)?;
					(Op::Reverse { axis }, vec![a])
				} else {
					let rank = self.ty_of(a).rank();
					let multiples = (0..rank).map(|_| self.random.between(1, 2) as u32).collect();
					(Op::Tile { multiples }, vec![a])
				}
			}
			22 => self.avg_pool(),
			23 => self.conv3d(),
			24 => self.depthwise(),
			25 => self.transpose_conv(),
			26 => self.resize(),
			_ => {
				if self.random.once_in(4) {
					(Op::Identity, vec![self.any()])
				} else {
					self.scatter()
				}
			}
		};
		let value = self.builder.op(op, &operands).ok()?;
		self.used.extend(operands);
		self.values.push(value);
		if self.ty_of(value).elements() > 1500 {
			// Too large to build on: it stays an output.
			self.values.pop();
		}
		Some(value)
	}

	fn axis(&mut self, value: ValueId) -> Option<u8> {
		let rank = self.ty_of(value).rank();
		(rank > 0).then(|| self.random.below(rank as u64) as u8)
	}

	fn zero_point(&mut self, dtype: DType) -> i32 {
		match self.random.below(4) {
			0 => 0,
			1 => self.random.value(DType::I16),
			_ => self.random.value(dtype) / 2,
		}
	}

	fn narrow(&mut self) -> DType {
		*self.random.pick(&[DType::I8, DType::I16])
	}

	/// A value of rank `N` that `fits`, or a constant of a narrow type; with its shape.
	fn shaped<const N: usize>(
		&mut self,
		fits: impl Fn(&TensorType) -> bool,
	) -> (ValueId, [u32; N]) {
		let shape_of = |ty: &TensorType| <[u32; N]>::try_from(&ty.shape[..]).ok();
		let found: Vec<(ValueId, [u32; N])> = self
			.values
			.iter()
			.map(|value| (*value, self.ty_of(*value)))
			.filter(|(_, ty)| fits(ty))
			.filter_map(|(value, ty)| Some((value, shape_of(&ty)?)))
			.collect();
		if found.is_empty() || self.random.once_in(6) {
			let dtype = self.narrow();
			let mut shape = [0; N];
			shape.copy_from_slice(&self.shape(N));
			(self.constant(TensorType::new(dtype, shape)), shape)
		} else {
			*self.random.pick(&found)
		}
	}

	fn scatter(&mut self) -> (Op, Vec<ValueId>) {
		let (values, [n, rows, c]) = self.shaped::<3>(|_| true);
		let dtype = self.ty_of(values).dtype;
		let width = self.extent();
		let indices = TensorType::new(DType::I32, [n, width]);
		// Mostly indices that occur, some beyond either end.
		let bytes = (0..indices.elements()).flat_map(|_| {
			let index = self.random.between(-1, rows as i64 + 1) as i32;
			index.to_le_bytes()
		});
		let bytes = bytes.collect();
		let indices = self.constant_of(indices, bytes);
		let fits = |ty: &TensorType| ty.dtype == dtype && ty.shape == [n, width, c];
		let input = self.value_that(fits, |_| TensorType::new(dtype, [n, width, c]));
		(Op::Scatter, vec![values, indices, input])
	}

	fn mat_mul(&mut self) -> (Op, Vec<ValueId>) {
		let narrow = |ty: &TensorType| ty.rank() == 3 && matches!(ty.dtype, DType::I8 | DType::I16);
		let (a, [n, _, c]) = self.shaped::<3>(narrow);
		let dtype = self.narrow();
		let b = self.value_that(
			|ty| narrow(ty) && ty.shape[0] == n && ty.shape[1] == c,
			|writer| {
				let columns = writer.random.between(1, 9) as u32;
				TensorType::new(dtype, [n, c, columns])
			},
		);
		let (a_zero, b_zero) = (self.zero_point(DType::I16), self.zero_point(DType::I8));
		let op = Op::MatMul { a_zero_point: a_zero as i16, b_zero_point: b_zero as i16 };
		(op, vec![a, b])
	}

	fn binary(&mut self) -> (Op, Vec<ValueId>) {
		use Binary::*;
		let (op, dtypes): (Binary, &[DType]) = match self.random.below(3) {
			0 => (*self.random.pick(&[Add, Sub, IntDiv]), &[DType::I32]),
			1 => (*self.random.pick(&[LogicalAnd, LogicalOr, LogicalXor]), &[DType::Bool]),
			_ => {
				let any = [
					Maximum,
					Minimum,
					BitwiseAnd,
					BitwiseOr,
					BitwiseXor,
					LogicalLeftShift,
					LogicalRightShift,
					Equal,
					Greater,
					GreaterEqual,
				];
				(*self.random.pick(&any), &INTEGERS)
			}
		};
		let a = self.of_dtype(dtypes);
		let ty = self.ty_of(a);
		let b = self.partner(ty.dtype, &ty.shape);
		let operands = if self.random.once_in(2) { vec![a, b] } else { vec![b, a] };
		(Op::Binary(op), operands)
	}

	fn unary(&mut self) -> (Op, Vec<ValueId>) {
		use Unary::*;
		let (op, dtypes): (Unary, &[DType]) = match self.random.below(3) {
			0 => (*self.random.pick(&[Abs, Clz]), &[DType::I32]),
			1 => (LogicalNot, &[DType::Bool]),
			_ => (*self.random.pick(&[Negate, BitwiseNot]), &INTEGERS),
		};
		let a = self.of_dtype(dtypes);
		(Op::Unary(op), vec![a])
	}

	fn reduce(&mut self) -> Option<(Op, Vec<ValueId>)> {
		use Reduction::*;
		let (reduction, dtypes): (Reduction, &[DType]) = match self.random.below(3) {
			0 => (*self.random.pick(&[Sum, Product]), &[DType::I32]),
			1 => (*self.random.pick(&[All, Any]), &[DType::Bool]),
			_ => (*self.random.pick(&[Max, Min]), &INTEGERS),
		};
		let a = self.of_dtype(dtypes);
		let axis = self.axis(a)?;
		Some((Op::Reduce { reduction, axis }, vec![a]))
	}

	fn concat(&mut self) -> Option<(Op, Vec<ValueId>)> {
		let first = self.any();
		let ty = self.ty_of(first);
		let axis = self.axis(first)?;
		let mut operands = vec![first];
		for _ in 0..self.random.between(1, 3.min(MAX_OPERANDS as i64 - 1)) {
			let fits = |other: &TensorType| {
				other.dtype == ty.dtype
					&& other.rank() == ty.rank()
					&& (0..ty.rank()).all(|i| i == axis as usize || other.shape[i] == ty.shape[i])
			};
			let next = self.value_that(fits, |writer| {
				let mut shape = ty.shape.clone();
				shape[axis as usize] = writer.extent();
				TensorType::new(ty.dtype, shape)
			});
			operands.push(next);
		}
		Some((Op::Concat { axis }, operands))
	}

	fn reshape(&mut self) -> (Op, Vec<ValueId>) {
		let a = self.any();
		// The prime factors of the element count, dealt to new axes.
		let mut left = self.ty_of(a).elements() as u32;
		let rank = self.random.between(1, 5) as usize;
		let mut shape = vec![1; rank];
		let mut factor = 2;
		while left > 1 {
			if left.is_multiple_of(factor) {
				left /= factor;
				let axis = self.random.below(rank as u64) as usize;
				shape[axis] *= factor;
			} else {
				factor += 1;
			}
		}
		(Op::Reshape { shape }, vec![a])
	}

	fn gather(&mut self) -> (Op, Vec<ValueId>) {
		let dtype = *self.random.pick(&DTYPES);
		let values =
			self.value_that(|ty| ty.rank() == 3, |writer| TensorType::new(dtype, writer.shape(3)));
		let batches = self.ty_of(values).shape[0];
		let indices = self.value_that(
			|ty| ty.rank() == 2 && ty.dtype == DType::I32 && ty.shape[0] == batches,
			|writer| {
				let width = writer.extent();
				TensorType::new(DType::I32, [batches, width])
			},
		);
		(Op::Gather, vec![values, indices])
	}

	fn rescale(&mut self) -> Option<(Op, Vec<ValueId>)> {
		let a = self.of_dtype(&INTEGERS);
		let ty = self.ty_of(a);
		let per_channel = self.random.once_in(2);
		let channels = if per_channel { *ty.shape.last()? } else { 1 };
		let multiplier = self.constant(TensorType::new(DType::I32, [channels]));
		let shift = if self.random.once_in(3) {
			self.constant(TensorType::new(DType::I8, [channels]))
		} else {
			let shifts = (0..channels).map(|_| self.random.between(20, 45) as u8).collect();
			self.constant_of(TensorType::new(DType::I8, [channels]), shifts)
		};
		let output = *self.random.pick(&INTEGERS);
		let op = Op::Rescale {
			output,
			input_zero_point: self.zero_point(ty.dtype),
			output_zero_point: self.zero_point(output),
			per_channel,
		};
		Some((op, vec![a, multiplier, shift]))
	}
}
