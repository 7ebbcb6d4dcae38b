// SPDX-License-Identifier: Apache-2.0

//! The rules of the format, and hostile bytes.

use crate::{
	arbitrary::{random_program, Random},
	*,
};
use codec::Encode;
use proptest::prelude::*;

/// `clamp(input)` as a checkpoint and output, over `[2, 3]` I8.
fn small() -> Program {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I8, [2, 3]);
	let x = builder.input(ty.clone(), Layout::row_major(), false).unwrap();
	let c = builder.constant_inline(ty.clone(), Layout::row_major(), vec![1; 6]).unwrap();
	let s = builder.state(ty).unwrap();
	let y = builder.op(Op::Binary(Binary::Maximum), &[x, c]).unwrap();
	let z = builder.op(Op::Binary(Binary::Minimum), &[y, s]).unwrap();
	builder.next(s, z, Layout::new(&[1, 0])).unwrap();
	builder.output(z, Layout::row_major());
	builder.finish().unwrap().program().clone()
}

fn refusal(change: impl FnOnce(&mut Program)) -> ProgramError {
	let mut program = small();
	change(&mut program);
	let by_value = CheckedProgram::new(program.clone()).unwrap_err();
	assert_eq!(CheckedProgram::decode(&program.encode()).unwrap_err(), by_value);
	by_value
}

#[test]
fn a_checked_program_decodes_to_itself() {
	let program = CheckedProgram::new(small()).unwrap();
	let decoded = CheckedProgram::decode(&program.encode()).unwrap();
	assert_eq!(decoded.program(), program.program());
	assert_eq!(decoded.id(), program.id());
	assert_eq!(decoded.id(), *blake3::hash(&program.encode()).as_bytes());
}

#[test]
fn leaves_have_types_and_layouts() {
	let program = CheckedProgram::new(small()).unwrap();
	let ty = TensorType::new(DType::I8, [2, 3]);
	let columns = Layout::new(&[1, 0]);
	let rows = Layout::row_major();
	assert_eq!(program.leaf_type(Leaf::Input(0)), Some((&ty, &rows)));
	assert_eq!(program.leaf_type(Leaf::Constant(0)), Some((&ty, &rows)));
	assert_eq!(program.leaf_type(Leaf::State(0)), Some((&ty, &columns)));
	assert_eq!(program.leaf_type(Leaf::Checkpoint(0)), Some((&ty, &columns)));
	assert_eq!(program.leaf_type(Leaf::Input(1)), None);
	assert_eq!(program.leaf_type(Leaf::Checkpoint(1)), None);
	assert_eq!(program.value_type(5), None);
}

#[test]
fn every_rule_has_its_refusal() {
	use ProgramError::*;
	let ty = TensorType::new(DType::I8, [2, 3]);
	let input = Input { ty: ty.clone(), layout: Layout::row_major(), per_iteration: false };
	let negate = |operand| Node { op: Op::Unary(Unary::Negate), operands: vec![operand] };
	assert_eq!(refusal(|p| p.format = 2), UnknownFormat);
	assert_eq!(refusal(|p| p.max_iterations = 0), NoIterations);
	assert_eq!(refusal(|p| p.outputs.clear()), NoOutput);
	assert_eq!(refusal(|p| p.inputs = vec![input.clone(); 32]), TooMany);
	assert_eq!(refusal(|p| p.outputs = vec![4; 33]), TooMany);
	assert_eq!(refusal(|p| p.nodes = vec![negate(0); 4097]), TooMany);
	assert_eq!(refusal(|p| p.constants = vec![p.constants[0].clone(); 1025]), TooMany);
	assert_eq!(refusal(|p| p.inputs[0].ty.shape = vec![2, 0]), BadType { value: 0 });
	assert_eq!(refusal(|p| p.inputs[0].ty.shape = vec![1; 7]), BadType { value: 0 });
	assert_eq!(refusal(|p| p.inputs[0].ty.shape = vec![u32::MAX; 6]), BadType { value: 0 });
	assert_eq!(refusal(|p| p.inputs[0].layout.0 = vec![0, 1]), BadLayout { value: 0 });
	assert_eq!(refusal(|p| p.inputs[0].layout.0 = vec![1, 1]), BadLayout { value: 0 });
	assert_eq!(refusal(|p| p.checkpoints[0].layout.0 = vec![2, 0]), BadLayout { value: 4 });
	let short = ConstantData::Inline(vec![1; 5]);
	assert_eq!(refusal(|p| p.constants[0].data = short), InlineSize { constant: 0 });
	assert_eq!(refusal(|p| p.state[0].next = 3), BadNext { state: 0 });
	assert_eq!(refusal(|p| p.state[0].next = 0), BadNext { state: 0 });
	assert_eq!(
		refusal(|p| {
			// Without the state's type at its next.
			p.state[0].ty.dtype = DType::I16;
			p.nodes[1] = negate(3);
		}),
		BadNext { state: 0 }
	);
	assert_eq!(refusal(|p| p.outputs[0] = 3), OutputNotCommitted { output: 0 });
	let at = |value| Checkpoint { value, layout: Layout::row_major() };
	assert_eq!(refusal(|p| p.checkpoints.insert(0, at(0))), BadCheckpoint { checkpoint: 0 });
	assert_eq!(refusal(|p| p.checkpoints.push(at(4))), BadCheckpoint { checkpoint: 1 });
	assert_eq!(refusal(|p| p.checkpoints.push(at(3))), BadCheckpoint { checkpoint: 1 });
	assert_eq!(refusal(|p| p.checkpoints.push(at(5))), BadCheckpoint { checkpoint: 1 });
	assert_eq!(refusal(|p| p.nodes[0].operands[0] = 3), OperandOrder { node: 0 });
	assert_eq!(refusal(|p| p.nodes[0].operands[0] = u16::MAX), OperandOrder { node: 0 });
	assert_eq!(refusal(|p| p.nodes[0].operands = vec![0; 65]), OperandCount { node: 0 });
	assert_eq!(refusal(|p| p.nodes.push(negate(4))), Unused { node: 2 });
	assert_eq!(
		refusal(|p| {
			p.nodes =
				(0..65u16).map(|number| negate(if number == 0 { 0 } else { number + 2 })).collect();
			p.outputs = vec![67];
			p.checkpoints[0].value = 67;
			p.state[0].next = 67;
		}),
		TooDeep { node: 64 }
	);
}

#[test]
fn a_checkpoint_restarts_the_depth() {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I8, [1]);
	let mut x = builder.input(ty, Layout::row_major(), false).unwrap();
	for depth in 1..=200 {
		x = builder.op(Op::Unary(Unary::Negate), &[x]).unwrap();
		if depth % 64 == 0 {
			builder.checkpoint(x, Layout::row_major());
		}
	}
	builder.output(x, Layout::row_major());
	let program = builder.finish().unwrap();
	let parts: Vec<u64> = (0..4).map(|number| program.checkpoint_macs(number)).collect();
	assert_eq!(parts, [64, 64, 64, 8]);
	assert_eq!(program.macs(), 200);
}

#[test]
fn shared_work_is_attributed_once() {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I32, [10]);
	let x = builder.input(ty, Layout::row_major(), false).unwrap();
	let shared = builder.op(Op::Unary(Unary::Abs), &[x]).unwrap();
	let a = builder.op(Op::Unary(Unary::Negate), &[shared]).unwrap();
	let b = builder.op(Op::Unary(Unary::Clz), &[shared]).unwrap();
	builder.output(a, Layout::row_major());
	builder.output(b, Layout::row_major());
	let program = builder.finish().unwrap();
	assert_eq!((program.checkpoint_macs(0), program.checkpoint_macs(1)), (20, 10));
	assert_eq!(program.macs(), 30);
}

#[test]
fn long_trailing_and_empty_bytes_are_refused() {
	let mut bytes = small().encode();
	bytes.push(0);
	assert_eq!(CheckedProgram::decode(&bytes).unwrap_err(), ProgramError::NotCanonical);
	assert_eq!(CheckedProgram::decode(&[]).unwrap_err(), ProgramError::Malformed);
	let long = vec![0; MAX_PROGRAM_BYTES + 1];
	assert_eq!(CheckedProgram::decode(&long).unwrap_err(), ProgramError::TooLong);
	let mut program = small();
	let ty = TensorType::new(DType::I8, [MAX_PROGRAM_BYTES as u32]);
	let data = ConstantData::Inline(vec![0; MAX_PROGRAM_BYTES]);
	program.constants.push(Constant { ty, layout: Layout::row_major(), data });
	assert_eq!(CheckedProgram::new(program).unwrap_err(), ProgramError::TooLong);
}

#[test]
fn a_length_that_is_not_in_its_shortest_form_is_refused() {
	let bytes = small().encode();
	// The second byte is the number of inputs, a compact 1; the same in two bytes is not canonical.
	assert_eq!(bytes[1], 4);
	let mut longer = vec![bytes[0], 5, 0];
	longer.extend(&bytes[2..]);
	assert!(matches!(
		CheckedProgram::decode(&longer).unwrap_err(),
		ProgramError::Malformed | ProgramError::NotCanonical
	));
}

#[test]
fn promised_lengths_allocate_nothing() {
	// Four thousand million inputs, promised by six bytes.
	let bytes = [FORMAT, 3, 0xff, 0xff, 0xff, 0xff];
	assert_eq!(CheckedProgram::decode(&bytes).unwrap_err(), ProgramError::Malformed);
	// As many nodes as fit in the longest program, two bytes each.
	let mut bytes = vec![FORMAT, 0, 0, 0];
	let nodes = (MAX_PROGRAM_BYTES as u32 - 100) / 2;
	bytes.extend(codec::Compact(nodes).encode());
	bytes.extend([16u8, 0].repeat(nodes as usize));
	bytes.extend([0, 0, 1, 0, 0, 0]);
	let refused = CheckedProgram::decode(&bytes).unwrap_err();
	assert!(matches!(refused, ProgramError::Malformed | ProgramError::TooMany));
}

/// What an arbiter does with bytes: decode, analyse, evaluate. Must not panic whatever they are.
fn judge(bytes: &[u8]) -> bool {
	struct Noise;
	impl LeafSource for Noise {
		fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
			let seed = index ^ ((codec::Encode::encode(&leaf)[0] as u64) << 40);
			(index % 101 != 100).then(|| Random::new(seed).draw() as i32)
		}
	}
	let Ok(program) = CheckedProgram::decode(bytes) else { return false };
	assert_eq!(program.encode(), bytes);
	let analysis = analyse(&program, &Limits::default());
	let checkpoints = program.program().checkpoints.len() as u16;
	for checkpoint in 0..=checkpoints {
		for index in [0, 1, 17, u64::MAX] {
			let mut budget = 100_000;
			let result = eval_element(&program, &Noise, checkpoint, index, &mut budget);
			assert_ne!(result, Err(EvalError::Inconsistent));
			if let Ok(analysis) = &analysis {
				let enough = analysis.checkpoints.get(checkpoint as usize).map_or(0, |c| c.macs);
				if enough <= 100_000 {
					assert_ne!(result, Err(EvalError::OutOfBudget));
				}
			}
		}
	}
	true
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(512))]

	#[test]
	fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
		judge(&bytes);
	}

	#[test]
	fn mutated_programs_are_evaluated_or_refused(
		seed in 0u64..2000,
		changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
		cut in proptest::option::of(any::<prop::sample::Index>()),
	) {
		let mut bytes = random_program(seed).program.encode();
		for (place, value) in changes {
			let place = place.index(bytes.len());
			bytes[place] = value;
		}
		if let Some(cut) = cut {
			bytes.truncate(cut.index(bytes.len()));
		}
		judge(&bytes);
	}
}

#[test]
fn some_mutations_survive_the_checks() {
	// Otherwise the property above would show nothing about evaluation.
	let mut survivors = 0;
	for seed in 0..300 {
		let mut bytes = random_program(seed).program.encode();
		let mut random = Random::new(seed);
		let place = random.below(bytes.len() as u64) as usize;
		bytes[place] ^= 1 << random.below(8);
		survivors += judge(&bytes) as u32;
	}
	assert!(survivors > 30, "{survivors}");
}
