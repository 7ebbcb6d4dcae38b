// SPDX-License-Identifier: Apache-2.0

//! Evaluation of whole programs on the CPU.
//!
//! What is computed together, in which order and in which memory is planned once for a program ([`plan`]).
//! Values are held row-major, each in the width of its element type. Products run on packed panels;
//! elementwise operators are computed in groups, a stretch of elements at a time, also on what comes out
//! of a product. Every number goes through the functions of [`crate::ops`].

mod buffer;
mod conv3d;
mod depthwise;
mod draft;
mod fuse;
mod group;
mod matrix;
mod movement;
mod plan;
mod pointwise;
mod pool;
mod product;
mod reduce;
mod resize;
#[allow(unsafe_code)]
mod simd;
mod stored;
mod target;
mod transpose_conv;
mod view;

use crate::{
	exec::{check_count, check_size},
	ops::Family,
	CheckedProgram, ConstantData, DType, ExecError, Executor, Leaf, Node, TensorType, ValueId,
};
use buffer::{Buffer, Elements, ElementsMut};
pub use matrix::{Number, PackedMatrix, Side};
use plan::{Plan, Unit};
use product::{Panels, Right};
pub use simd::Level;
use std::{
	borrow::Cow,
	sync::Arc,
	time::{Duration, Instant},
};
use target::Target;

/// Runs programs on the cores of this machine, through rayon's current thread pool.
pub struct CpuExecutor {
	program: Arc<CheckedProgram>,
	/// Constants as values; nothing where only products, tables or groups use the constant, which have it
	/// in their own form, or only [`stored`](Self::stored) is read.
	constants: Vec<Buffer>,
	/// The stored bytes of constants that rows are taken from as they are.
	stored: Vec<Option<Arc<dyn Blob>>>,
	/// For each node that multiplies by a constant: that constant, packed. Nothing for other nodes.
	packed: Vec<Vec<Panels>>,
	plan: Plan,
	/// Where values lie, as the plan says.
	buffers: Vec<Buffer>,
	/// Time taken by each unit of the plan and by its checkpoints, since somebody asked for it.
	times: Option<Vec<[Duration; 2]>>,
}

/// The bytes of a blob, wherever they are.
pub trait Blob: AsRef<[u8]> + Send + Sync {}

impl<T: AsRef<[u8]> + Send + Sync> Blob for T {}

/// The memory that an executor holds, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
	/// Constants in the forms in which they are used.
	pub constants: usize,
	/// Blobs of constants that are read as they are stored: they may be mapped from files.
	pub blobs: usize,
	/// Buffers for values, each used for one after the other.
	pub values: usize,
	/// The most bytes of values that are needed at one time.
	pub live: usize,
}

impl CpuExecutor {
	/// An executor for `program`. `constants` holds the stored bytes of every constant, by number;
	/// those that are inside the program may be left empty. Fails if one has the wrong length.
	pub fn new(program: Arc<CheckedProgram>, constants: Vec<Arc<[u8]>>) -> Result<Self, ExecError> {
		let blob = |bytes| Arc::new(bytes) as Arc<dyn Blob>;
		Self::with_blobs(program, constants.into_iter().map(blob).collect())
	}

	/// Like [`new`](Self::new), with constants that may be mapped from files: most are read once and let
	/// go, those that rows are taken from are read where they are.
	pub fn with_blobs(
		program: Arc<CheckedProgram>,
		constants: Vec<Arc<dyn Blob>>,
	) -> Result<Self, ExecError> {
		let parts = program.program();
		check_count("constants", parts.constants.len(), constants.len())?;
		let mut bytes: Vec<Cow<[u8]>> = Vec::with_capacity(constants.len());
		for (number, (constant, given)) in parts.constants.iter().zip(&constants).enumerate() {
			match &constant.data {
				ConstantData::Inline(inside) => bytes.push(Cow::Borrowed(inside)),
				ConstantData::Blob(_) => {
					let leaf = Leaf::Constant(number as u16);
					let given: &[u8] = (**given).as_ref();
					check_size(leaf, constant.ty.bytes(), given)?;
					bytes.push(Cow::Borrowed(given));
				}
			}
		}
		let first = parts.inputs.len();
		let number_of = |value: ValueId| {
			let number = (value as usize).checked_sub(first)?;
			(number < parts.constants.len()).then_some(number)
		};
		let decoded = |number: usize| {
			let constant = &parts.constants[number];
			let (ty, count) = (&constant.ty, constant.ty.elements() as usize);
			let mut buffer = Buffer::new(ty.bytes() as usize);
			let room = buffer.elements_mut(ty.dtype, count);
			stored::decode(ty, &constant.layout, &bytes[number], room);
			buffer
		};
		let elements_of = |number: usize, buffer: &Buffer| {
			let ty = &parts.constants[number].ty;
			buffer.elements(ty.dtype, ty.elements() as usize).widened()
		};
		let plan = Plan::of(&program, |value| {
			let number = number_of(value)?;
			Some(elements_of(number, &decoded(number)))
		})?;

		let mut packed: Vec<Vec<Panels>> = Vec::new();
		packed.resize_with(parts.nodes.len(), Vec::new);
		let mut needed = vec![false; constants.len()];
		let mut stored: Vec<Option<Arc<dyn Blob>>> = vec![None; constants.len()];
		for unit in &plan.units {
			let mut need = |value: ValueId| {
				if let Some(number) = number_of(value) {
					needed[number] = true;
				}
			};
			let node = match unit {
				Unit::Node(node) => Some(*node),
				Unit::Group(group) => {
					group.reads().for_each(&mut need);
					group.product
				}
			};
			let Some((number, node)) = node.map(|number| (number, &parts.nodes[number as usize]))
			else {
				continue;
			};
			let family = Family::of(&node.op);
			for (place, operand) in node.operands.iter().enumerate() {
				let root = plan.roots[*operand as usize];
				let Some(constant) = number_of(root) else { continue };
				if is_product(&family) && place == 1 {
					let right = ty(&program, *operand);
					let buffer = decoded(constant);
					let elements = buffer.elements(right.dtype, right.elements() as usize);
					let left = ty(&program, node.operands[0]);
					packed[number as usize] = pack(&family, left, right, elements);
				} else if matches!(family, Family::Gather)
					&& place == 0 && as_stored(&parts.constants[constant])
				{
					stored[constant] = Some(constants[constant].clone());
				} else {
					need(root);
				}
			}
		}
		for checkpoint in &parts.checkpoints {
			if let Some(number) = number_of(plan.roots[checkpoint.value as usize]) {
				needed[number] = true;
			}
		}
		let decoded = |(number, needed): (usize, &bool)| match needed {
			true => decoded(number),
			false => Buffer::default(),
		};
		let constants = needed.iter().enumerate().map(decoded).collect();
		let buffers = plan.allocate();
		drop(bytes);
		Ok(Self { program, constants, stored, packed, plan, buffers, times: None })
	}

	/// The program this executor was made for.
	pub fn program(&self) -> &Arc<CheckedProgram> {
		&self.program
	}

	/// The memory that it holds. What one operator needs for itself while it runs is not counted.
	pub fn memory(&self) -> Memory {
		let panels = self.packed.iter().flatten().map(Panels::bytes).sum::<usize>();
		let decoded = self.constants.iter().map(Buffer::bytes).sum::<usize>();
		Memory {
			constants: panels + decoded,
			blobs: self.stored.iter().flatten().map(|blob| (**blob).as_ref().len()).sum(),
			values: self.buffers.iter().map(Buffer::bytes).sum(),
			live: self.plan.live,
		}
	}

	/// From now on measures what iterations spend their time on.
	pub fn measure(&mut self) {
		self.times = Some(vec![Default::default(); self.plan.units.len()]);
	}

	/// What is computed together, in order, by name; the time it took since [`measure`](Self::measure),
	/// and that of writing its checkpoints. Empty before that.
	pub fn times(&self) -> Vec<(String, [Duration; 2])> {
		let name = |unit: &Unit| unit.name(&self.program);
		let times = self.times.iter().flatten();
		self.plan.units.iter().map(name).zip(times.copied()).collect()
	}

	/// The last value of each thing that is computed together, and the time it took since
	/// [`measure`](Self::measure) without its checkpoints. Empty before that.
	pub fn times_by_value(&self) -> Vec<(ValueId, Duration)> {
		let last = |unit: &Unit| {
			self.plan.writes(&self.program, unit).into_iter().max().unwrap_or_default()
		};
		let times = self.times.iter().flatten();
		self.plan.units.iter().map(last).zip(times.map(|[computing, _]| *computing)).collect()
	}

	/// Computes one unit into `outputs`, one for each value that it makes.
	fn run(&self, unit: &Unit, mut outputs: Vec<ElementsMut>) -> Result<(), ExecError> {
		match unit {
			Unit::Node(number) => match outputs.pop() {
				Some(out) => self.node(*number, out),
				None => Ok(()),
			},
			Unit::Group(group) => {
				let value = |root: ValueId| self.elements(root);
				match group.product {
					None => {
						group.bind(Level::detected(), value)?.run(outputs);
						Ok(())
					}
					Some(product) if group.is_only_product() => match outputs.pop() {
						Some(out) => self.product(product, Target::Sums(out.words()?)),
						None => Ok(()),
					},
					Some(product) => {
						let bound = group.bind(Level::detected(), value)?;
						let target = Target::Group { group: &bound, first: 0, outputs };
						self.product(product, target)
					}
				}
			}
		}
	}

	/// A product that a group may begin with.
	fn product(&self, number: u16, target: Target) -> Result<(), ExecError> {
		let node = self.node_of(number);
		let out = self.type_of(self.program.node_value(number));
		let value = |place: usize| self.elements(node.operands[place]);
		let operand_type = |place: usize| self.type_of(node.operands[place]);
		let packed = self.packed[number as usize].first();
		match Family::of(&node.op) {
			Family::Conv(conv) => {
				let fresh;
				let panels = match packed {
					Some(panels) => panels,
					None => {
						let family = Family::Conv(conv);
						fresh = pack(&family, operand_type(0), operand_type(1), value(1)?);
						&fresh[0]
					}
				};
				let (input, kernel, bias) = (operand_type(0), operand_type(1), value(2)?.words()?);
				product::conv(&conv, input, value(0)?, kernel, panels, bias, out, target);
			}
			Family::MatMul { a_zero_point, b_zero_point } => {
				let right = match packed {
					Some(panels) => Right::Packed(panels),
					None => Right::Value(operand_type(1), value(1)?),
				};
				let zero_points = [a_zero_point, b_zero_point];
				product::mat_mul(zero_points, [operand_type(0), out], value(0)?, &right, target);
			}
			_ => return Err(ExecError::Inconsistent),
		}
		Ok(())
	}

	/// An operator by itself.
	fn node(&self, number: u16, out: ElementsMut) -> Result<(), ExecError> {
		let node = self.node_of(number);
		let out_type = self.type_of(self.program.node_value(number));
		let value = |place: usize| self.elements(node.operands[place]);
		let operand_type = |place: usize| self.type_of(node.operands[place]);
		let family = Family::of(&node.op);
		let fresh;
		let panels: &[Panels] = match &self.packed[number as usize][..] {
			[] if is_product(&family) => {
				fresh = pack(&family, operand_type(0), operand_type(1), value(1)?);
				&fresh
			}
			packed => packed,
		};
		match family {
			Family::Conv3d(conv) => {
				let (input, kernel) = (operand_type(0), operand_type(1));
				let bias = value(2)?.words()?;
				conv3d::run(&conv, input, value(0)?, kernel, panels, bias, out_type, out.words()?);
			}
			Family::TransposeConv(conv) => {
				let (input, kernel) = (operand_type(0), operand_type(1));
				let (panels, bias) = (&panels[0], value(2)?.words()?);
				let out = out.words()?;
				transpose_conv::run(&conv, input, value(0)?, kernel, panels, bias, out_type, out);
			}
			Family::Depthwise(conv) => {
				let operands = [(operand_type(0), value(0)?), (operand_type(1), value(1)?)];
				depthwise::run(&conv, operands, value(2)?.words()?, out_type, out.words()?);
			}
			Family::AvgPool(pool) => {
				pool::average(&pool, [operand_type(0), out_type], value(0)?, out)?;
			}
			Family::Resize(resize) => {
				resize::run(&resize, [operand_type(0), out_type], value(0)?, out)?;
			}
			Family::MaxPool { kernel, grid } => {
				pool::largest(kernel, &grid, [operand_type(0), out_type], value(0)?, out)?;
			}
			Family::ArgMax { axis } => {
				reduce::arg_max(operand_type(0), value(0)?, axis, out.words()?);
			}
			Family::Reduce { reduction, axis } => {
				reduce::reduce(reduction, operand_type(0), value(0)?, axis, out)?;
			}
			Family::Gather => {
				let root = self.plan.roots[node.operands[0] as usize];
				let values = match self.stored_constant(root) {
					Some(bytes) => movement::Rows::Stored(bytes),
					None => movement::Rows::Value(value(0)?),
				};
				let types = [operand_type(0), operand_type(1)];
				movement::gather(types, values, value(1)?.words()?, out)?;
			}
			Family::Scatter => {
				let types = [operand_type(0), operand_type(1)];
				movement::scatter(types, [value(0)?, value(2)?], value(1)?.words()?, out)?;
			}
			Family::Movement(movement) => {
				let types: Vec<_> = (0..node.operands.len()).map(operand_type).collect();
				let operands =
					(0..node.operands.len()).map(value).collect::<Result<Vec<_>, _>>()?;
				movement::run(&movement, &types, &operands, out_type, out)?;
			}
			Family::Conv(_) | Family::MatMul { .. } | Family::Pointwise(_) | Family::Table => {
				// The plan puts these into groups.
				return Err(ExecError::Inconsistent);
			}
		}
		Ok(())
	}

	fn node_of(&self, number: u16) -> &Node {
		&self.program.program().nodes[number as usize]
	}

	fn type_of(&self, value: ValueId) -> &TensorType {
		ty(&self.program, value)
	}

	/// The number of a value that is a constant.
	fn constant(&self, value: ValueId) -> Option<usize> {
		let number = (value as usize).checked_sub(self.program.program().inputs.len())?;
		(number < self.constants.len()).then_some(number)
	}

	fn stored_constant(&self, root: ValueId) -> Option<&[u8]> {
		self.stored[self.constant(root)?].as_ref().map(|blob| (**blob).as_ref())
	}

	/// The elements of a value that the plan has a place for while it is read.
	fn elements(&self, value: ValueId) -> Result<Elements<'_>, ExecError> {
		let root = self.plan.roots[value as usize];
		let ty = self.type_of(root);
		let buffer = match (self.plan.places[root as usize], self.constant(root)) {
			(Some(place), _) => &self.buffers[place],
			(None, Some(number)) => &self.constants[number],
			(None, None) => return Err(ExecError::Inconsistent),
		};
		Ok(buffer.elements(ty.dtype, ty.elements() as usize))
	}

	fn iteration(&mut self, inputs: &[&[u8]], state: &[&[u8]]) -> Result<Vec<Vec<u8>>, ExecError> {
		let program = self.program.clone();
		let parts = program.program();
		check_count("inputs", parts.inputs.len(), inputs.len())?;
		check_count("states", parts.state.len(), state.len())?;
		let supplied = (0..inputs.len())
			.map(|number| (Leaf::Input(number as u16), inputs[number]))
			.chain((0..state.len()).map(|number| (Leaf::State(number as u16), state[number])));
		for (leaf, bytes) in supplied {
			let (Some((ty, layout)), Some(value)) =
				(program.leaf_type(leaf), program.leaf_value(leaf))
			else {
				continue;
			};
			check_size(leaf, ty.bytes(), bytes)?;
			if let Some(place) = self.plan.places[value as usize] {
				let room = self.buffers[place].elements_mut(ty.dtype, ty.elements() as usize);
				stored::decode(ty, layout, bytes, room);
			}
		}

		// Checkpoints that share the elements of something that is there from the start.
		let mut checkpoints = vec![Vec::new(); parts.checkpoints.len()];
		for (number, stored) in checkpoints.iter_mut().enumerate() {
			let root = self.plan.roots[parts.checkpoints[number].value as usize];
			if program.value_node(root).is_none() {
				*stored = self.encoded(number)?;
			}
		}
		for number in 0..self.plan.units.len() {
			let values = self.plan.writes(&program, &self.plan.units[number]);
			let mut made: Vec<(ValueId, usize, Buffer)> = Vec::with_capacity(values.len());
			for value in values {
				if let Some(place) = self.plan.places[value as usize] {
					made.push((value, place, std::mem::take(&mut self.buffers[place])));
				}
			}
			let outputs = made.iter_mut().map(|(value, _, buffer)| {
				let ty = ty(&program, *value);
				buffer.elements_mut(ty.dtype, ty.elements() as usize)
			});
			let outputs = outputs.collect();
			let start = self.times.is_some().then(Instant::now);
			let done = self.run(&self.plan.units[number], outputs);
			let computed = start.map(|start| start.elapsed());
			let mut values = Vec::with_capacity(made.len());
			for (value, place, buffer) in made {
				self.buffers[place] = buffer;
				values.push(value);
			}
			done?;
			for value in values {
				for number in self.plan.commits(value) {
					checkpoints[*number] = self.encoded(*number)?;
				}
			}
			if let (Some(start), Some(computed), Some(times)) = (start, computed, &mut self.times) {
				let [unit, stored] = &mut times[number];
				*unit += computed;
				*stored += start.elapsed() - computed;
			}
		}
		Ok(checkpoints)
	}

	/// The stored bytes of a checkpoint whose value has just been made.
	fn encoded(&self, number: usize) -> Result<Vec<u8>, ExecError> {
		let checkpoint = Leaf::Checkpoint(number as u16);
		let (ty, layout) = self.program.leaf_type(checkpoint).ok_or(ExecError::Inconsistent)?;
		let value = self.program.program().checkpoints[number].value;
		Ok(stored::encode(ty, layout, self.elements(value)?))
	}
}

impl Executor for CpuExecutor {
	fn run_iteration(
		&mut self,
		inputs: &[&[u8]],
		state: &[&[u8]],
	) -> Result<Vec<Vec<u8>>, ExecError> {
		if rayon::current_thread_index().is_some() {
			return self.iteration(inputs, state);
		}
		// Into the pool once, not for each operator.
		let mut result = Ok(Vec::new());
		rayon::scope(|_| result = self.iteration(inputs, state));
		result
	}
}

/// Whether the stored bytes of a constant are its elements in order, and come from a blob.
fn as_stored(constant: &crate::Constant) -> bool {
	matches!(constant.data, ConstantData::Blob(_))
		&& constant.layout.0.is_empty()
		&& constant.ty.dtype != DType::Bool
}

/// Whether the operator multiplies by packed panels of its second operand.
fn is_product(family: &Family) -> bool {
	match family {
		Family::Conv(_) | Family::Conv3d(_) | Family::TransposeConv(_) | Family::MatMul { .. } => {
			true
		}
		Family::Depthwise(_)
		| Family::AvgPool(_)
		| Family::MaxPool { .. }
		| Family::ArgMax { .. }
		| Family::Reduce { .. }
		| Family::Resize(_)
		| Family::Pointwise(_)
		| Family::Table
		| Family::Gather
		| Family::Scatter
		| Family::Movement(_) => false,
	}
}

/// The second operand of a product as its evaluator wants it; nothing for other operators.
fn pack(family: &Family, left: &TensorType, right: &TensorType, elements: Elements) -> Vec<Panels> {
	let one = |side: Side, zero_points: [i32; 2]| {
		vec![Panels::pack(side, zero_points, left.dtype, right, elements)]
	};
	match family {
		Family::Conv(conv) => one(Side::Rows, [conv.input_zero_point, conv.weight_zero_point]),
		Family::MatMul { a_zero_point, b_zero_point } => {
			one(Side::Columns, [*a_zero_point, *b_zero_point])
		}
		Family::Conv3d(conv) => conv3d::pack(conv, left.dtype, right, elements),
		Family::TransposeConv(conv) => {
			vec![transpose_conv::pack(conv, left.dtype, right, elements)]
		}
		Family::Depthwise(_)
		| Family::AvgPool(_)
		| Family::MaxPool { .. }
		| Family::ArgMax { .. }
		| Family::Reduce { .. }
		| Family::Resize(_)
		| Family::Pointwise(_)
		| Family::Table
		| Family::Gather
		| Family::Scatter
		| Family::Movement(_) => Vec::new(),
	}
}

/// Type of a value that the check has seen.
fn ty(program: &CheckedProgram, value: ValueId) -> &TensorType {
	program.value_type(value).expect("a checked program's operands exist")
}
