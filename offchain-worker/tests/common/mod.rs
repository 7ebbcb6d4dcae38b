// SPDX-License-Identifier: Apache-2.0

//! Small random programs with data full of edge values, and the comparison of two executors.

use std::sync::Arc;
use tensornet_tensor::{
	CheckedProgram, Checkpoint, Constant, ConstantData, CpuExecutor, DType, Executor, Input,
	Layout, Node, Op, Program, TensorType, ValueId, FORMAT,
};
use tensornet_worker::gpu::{GpuDevice, GpuExecutor};

/// A counter-based generator: SplitMix64.
pub struct Rng(u64);

impl Rng {
	/// The generator of a seed.
	pub fn new(seed: u64) -> Self {
		Self(seed)
	}

	/// The next 64 bits.
	pub fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A number in `low..=high`.
	pub fn range(&mut self, low: u32, high: u32) -> u32 {
		low + (self.next() % u64::from(high - low + 1)) as u32
	}

	/// A value of `dtype`: an edge, a small number or any.
	pub fn value(&mut self, dtype: DType) -> i32 {
		let any = self.next() as i32;
		let value = match self.range(0, 3) {
			0 => {
				let edges = [dtype.min(), dtype.max(), 0, 1, -1, dtype.min() / 2, dtype.max() - 1];
				edges[any as u32 as usize % edges.len()]
			}
			1 => any % 70,
			_ => any,
		};
		dtype.wrap(value)
	}

	/// Stored bytes of a tensor with such values.
	pub fn bytes(&mut self, ty: &TensorType) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(ty.bytes() as usize);
		for _ in 0..ty.elements() {
			let value = self.value(ty.dtype);
			bytes.extend_from_slice(&value.to_le_bytes()[..ty.dtype.size() as usize]);
		}
		bytes
	}

	/// A storage order of `rank` axes.
	pub fn layout(&mut self, rank: usize) -> Layout {
		let mut axes: Vec<u8> = (0..rank as u8).collect();
		if self.range(0, 2) == 0 {
			for last in (1..rank).rev() {
				axes.swap(last, self.range(0, last as u32) as usize);
			}
		}
		Layout::new(&axes)
	}

	/// A shape of `rank` axes of 1 to `most`.
	pub fn shape(&mut self, rank: usize, most: u32) -> Vec<u32> {
		(0..rank).map(|_| self.range(1, most)).collect()
	}
}

/// A program under construction, with its data.
pub struct Case {
	program: Program,
	inputs: Vec<Vec<u8>>,
	constants: Vec<Arc<[u8]>>,
}

impl Case {
	/// One operator over operands of these types: the first is an input, the others are inputs or
	/// constants by turns. Its value is the only checkpoint. Layouts and data are random.
	pub fn of(op: Op, operands: &[TensorType], rng: &mut Rng) -> Self {
		let data: Vec<Vec<u8>> = operands.iter().map(|ty| rng.bytes(ty)).collect();
		Self::with_data(op, operands, data, rng)
	}

	/// As [`of`](Self::of), with the operands' stored bytes.
	pub fn with_data(op: Op, operands: &[TensorType], data: Vec<Vec<u8>>, rng: &mut Rng) -> Self {
		let mut case = Self {
			program: Program {
				format: FORMAT,
				inputs: Vec::new(),
				constants: Vec::new(),
				state: Vec::new(),
				nodes: Vec::new(),
				outputs: Vec::new(),
				checkpoints: Vec::new(),
				max_iterations: 1,
			},
			inputs: Vec::new(),
			constants: Vec::new(),
		};
		let as_constant: Vec<bool> =
			(0..operands.len()).map(|n| n > 0 && rng.range(0, 1) == 1).collect();
		// Inputs are numbered before constants, whatever the order of the operands.
		for constants in [false, true] {
			for ((ty, bytes), is_constant) in operands.iter().zip(&data).zip(&as_constant) {
				if *is_constant != constants {
					continue;
				}
				let (ty, layout) = (ty.clone(), rng.layout(ty.rank()));
				if constants {
					let inline = bytes.len() < 64;
					case.program.constants.push(Constant {
						ty,
						layout,
						data: if inline {
							ConstantData::Inline(bytes.clone())
						} else {
							ConstantData::Blob([0; 32])
						},
					});
					case.constants.push(if inline { [].into() } else { bytes[..].into() });
				} else {
					case.program.inputs.push(Input { ty, layout, per_iteration: false });
					case.inputs.push(bytes.clone());
				}
			}
		}
		let (mut input, mut constant) = (0, case.program.inputs.len() as ValueId);
		let operands = as_constant
			.iter()
			.map(|is_constant| {
				let next = if *is_constant { &mut constant } else { &mut input };
				*next += 1;
				*next - 1
			})
			.collect();
		let value = case.program.inputs.len() + case.program.constants.len();
		case.program.nodes.push(Node { op, operands });
		case.program.outputs.push(value as ValueId);
		case.program
			.checkpoints
			.push(Checkpoint { value: value as ValueId, layout: Layout::row_major() });
		// The rank of the result is known once the program is checked.
		let checked = CheckedProgram::new(case.program.clone())
			.unwrap_or_else(|e| panic!("{e}: {:?}", case.program));
		let rank = checked.value_type(value as ValueId).map_or(0, TensorType::rank);
		case.program.checkpoints[0].layout = rng.layout(rank);
		case
	}

	/// Runs the case on `device` and on the CPU and demands equal bits.
	pub fn check(&self, device: &Arc<GpuDevice>) {
		let program = Arc::new(CheckedProgram::new(self.program.clone()).expect("checked before"));
		let inputs: Vec<&[u8]> = self.inputs.iter().map(|bytes| &bytes[..]).collect();
		compare(device, &program, &self.constants, &inputs, &[]);
	}
}

/// Demands that one iteration gives the same checkpoints on `device` and on the CPU; returns them.
pub fn compare(
	device: &Arc<GpuDevice>,
	program: &Arc<CheckedProgram>,
	constants: &[Arc<[u8]>],
	inputs: &[&[u8]],
	state: &[&[u8]],
) -> Vec<Vec<u8>> {
	let expected = CpuExecutor::new(program.clone(), constants.to_vec())
		.expect("the CPU takes every program")
		.run_iteration(inputs, state)
		.expect("the CPU runs every program");
	let got = GpuExecutor::new(device.clone(), program.clone(), constants.to_vec())
		.unwrap_or_else(|e| panic!("{e}: {:?}", program.program()))
		.run(inputs, state)
		.unwrap_or_else(|e| panic!("{e}: {:?}", program.program()));
	for (number, (expected, got)) in expected.iter().zip(&got).enumerate() {
		if expected != got {
			let at = expected.iter().zip(got).position(|(a, b)| a != b);
			panic!(
				"checkpoint {number} differs at byte {at:?} ({} and {} bytes): {:?}",
				expected.len(),
				got.len(),
				program.program()
			);
		}
	}
	assert_eq!(expected.len(), got.len());
	got
}
