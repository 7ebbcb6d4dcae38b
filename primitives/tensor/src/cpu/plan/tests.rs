// SPDX-License-Identifier: Apache-2.0

//! Plans of made-up programs.

use super::*;
use crate::{
	arbitrary::random_program, Binary, DType, Layout, Op, ProgramBuilder, TensorType, Unary,
};

fn plan(program: &CheckedProgram) -> Plan {
	let first = program.program().inputs.len();
	let constants = &program.program().constants;
	Plan::of(program, |value| {
		let constant = constants.get((value as usize).checked_sub(first)?)?;
		Some(vec![0; constant.ty.elements() as usize])
	})
	.unwrap()
}

/// The units during which each value must be there: 0 for what is there from the start.
fn times(program: &CheckedProgram, plan: &Plan) -> Vec<Option<(usize, usize)>> {
	let mut times = vec![None; program.value_count()];
	for (value, place) in plan.places.iter().enumerate() {
		if place.is_some() {
			times[value] = Some((0, 0));
		}
	}
	for (number, unit) in plan.units.iter().enumerate() {
		for value in plan.writes(program, unit) {
			times[value as usize] = Some((number + 1, number + 1));
		}
		for value in plan.reads(program, unit) {
			if let Some((_, last)) = &mut times[value as usize] {
				*last = number + 1;
			}
		}
	}
	times
}

#[test]
fn values_that_are_needed_at_one_time_never_share_a_buffer() {
	let mut shared = 0;
	for seed in 0..300 {
		let program = random_program(seed).program;
		let plan = plan(&program);
		let times = times(&program, &plan);
		for (a, of_a) in times.iter().enumerate() {
			for (b, of_b) in times.iter().enumerate().skip(a + 1) {
				let (Some(of_a), Some(of_b)) = (of_a, of_b) else { continue };
				if plan.places[a] == plan.places[b] {
					assert!(of_a.1 < of_b.0 || of_b.1 < of_a.0, "seed {seed}: {a} and {b}");
					shared += 1;
				}
			}
		}
		for (value, place) in plan.places.iter().enumerate() {
			let bytes = crate::cpu::ty(&program, value as ValueId).bytes() as usize;
			assert!(place.is_none_or(|place| plan.buffers[place] >= bytes), "seed {seed}");
		}
		assert!(plan.buffers.iter().sum::<usize>() >= plan.live, "seed {seed}");
	}
	assert!(shared > 300, "buffers are used again: {shared}");
}

#[test]
fn a_wide_value_that_is_only_read_to_become_narrow_is_not_kept() {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I32, [8, 16]);
	let input = builder.input(ty, Layout::row_major(), false).unwrap();
	let wide = builder.op(Op::Unary(Unary::BitwiseNot), &[input]).unwrap();
	let cast = |builder: &mut ProgramBuilder, to| builder.op(Op::Cast { to }, &[wide]).unwrap();
	let bytes = cast(&mut builder, DType::I8);
	let turned = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[bytes]).unwrap();
	let halves = cast(&mut builder, DType::I16);
	let turned_halves = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[halves]).unwrap();
	builder.output(turned, Layout::row_major());
	builder.output(turned_halves, Layout::row_major());
	let mut committed = builder.clone();
	let places = |builder: ProgramBuilder| {
		let mut values = [wide, halves];
		let program = builder.finish_with_values(&mut values).unwrap();
		let plan = plan(&program);
		values.map(|value| plan.places[value as usize].is_some())
	};
	assert_eq!(places(builder), [false, true]);
	// What somebody else needs is not made narrow only.
	committed.output(wide, Layout::row_major());
	assert_eq!(places(committed), [true, true]);
}

#[test]
fn everything_is_made_before_it_is_read() {
	for seed in 0..300 {
		let program = random_program(seed).program;
		let plan = plan(&program);
		let mut made = vec![false; program.value_count()];
		for (value, made) in made.iter_mut().enumerate() {
			*made = program.value_node(value as ValueId).is_none();
		}
		for unit in &plan.units {
			for value in plan.reads(&program, unit) {
				let own = plan.writes(&program, unit).contains(&value);
				assert!(made[value as usize] && !own, "seed {seed}: {value}");
			}
			for value in plan.writes(&program, unit) {
				made[value as usize] = true;
			}
		}
		for checkpoint in &program.program().checkpoints {
			assert!(made[plan.roots[checkpoint.value as usize] as usize], "seed {seed}");
		}
	}
}

#[test]
fn a_long_chain_is_one_group_and_a_ladder_takes_as_little_memory_as_it_needs() {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I32, [100, 10]);
	let x = builder.input(ty, Layout::row_major(), false).unwrap();
	let mut value = x;
	for _ in 0..20 {
		value = builder.op(Op::Binary(Binary::Add), &[value, x]).unwrap();
	}
	builder.output(value, Layout::row_major());
	let program = builder.clone().finish().unwrap();
	let chain = plan(&program);
	assert_eq!(chain.units.len(), 1);
	assert_eq!((chain.live, chain.buffers.len()), (8000, 2));

	// Every rung is moved, which no group does.
	for _ in 0..20 {
		let turned = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[value]).unwrap();
		value = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[turned]).unwrap();
	}
	builder.output(value, Layout::row_major());
	let ladder = plan(&builder.finish().unwrap());
	assert_eq!(ladder.units.len(), 41);
	assert_eq!((ladder.live, ladder.buffers.iter().sum()), (8000, 8000));
}
