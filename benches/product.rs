// SPDX-License-Identifier: Apache-2.0

//! The int8 matrix product of the CPU path beside `rten-gemm` and beside a naive loop.
//!
//! `cd benches && cargo bench --bench product [-- FILTER]`
//!
//! Each case multiplies the same numbers on both sides, checks once that the results are equal, and
//! then takes samples of ours and of the rival in turn, so that both see the same noise of the machine.
//! After criterion's own report of ours it prints both medians in GOPS (two operations for each
//! multiply-accumulate) and their ratio, above 1 where ours is faster, and the same of the best samples,
//! which say more on a machine that others use. Right sides that are weights are packed beforehand on
//! both sides; those that are activations are packed inside the measurement. `RAYON_NUM_THREADS` sets
//! the threads of both.

use criterion::{criterion_group, criterion_main, Criterion};
use rayon::prelude::*;
use rten_gemm::{GemmExecutor, GemmInputA, GemmInputB, GemmOptions, QuantParams};
use rten_tensor::NdTensorView;
use std::{
	hint::black_box,
	time::{Duration, Instant},
};
use tensornet_tensor::{DType, Level, PackedMatrix, Side};

/// Rows, depth and columns of a product, and how often it is made with other numbers.
#[derive(Clone, Copy)]
struct Shape {
	batches: usize,
	rows: usize,
	depth: usize,
	columns: usize,
}

impl Shape {
	const fn new(rows: usize, depth: usize, columns: usize) -> Self {
		Self { batches: 1, rows, depth, columns }
	}

	fn operations(&self) -> f64 {
		2.0 * (self.batches * self.rows * self.depth * self.columns) as f64
	}

	fn left(&self) -> usize {
		self.rows * self.depth
	}

	fn right(&self) -> usize {
		self.depth * self.columns
	}

	fn out(&self) -> usize {
		self.rows * self.columns
	}
}

/// Numbers of both sides, and room for both results.
struct Case {
	shape: Shape,
	a: Vec<i8>,
	/// `a + 128`, as the rival wants it.
	a_unsigned: Vec<u8>,
	b: Vec<i8>,
	ours: Vec<i32>,
	theirs: Vec<i32>,
}

fn noise(count: usize, mut state: u64) -> Vec<i8> {
	let mut next = move || {
		state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(state >> 56) as i8
	};
	(0..count).map(|_| next()).collect()
}

impl Case {
	fn new(shape: Shape) -> Self {
		let a = noise(shape.batches * shape.left(), 1);
		Self {
			shape,
			a_unsigned: a.iter().map(|a| *a as u8 ^ 0x80).collect(),
			a,
			b: noise(shape.batches * shape.right(), 2),
			ours: vec![0; shape.batches * shape.out()],
			theirs: vec![0; shape.batches * shape.out()],
		}
	}

	/// The right side number `batch`, packed.
	fn pack(&self, level: Level, batch: usize) -> PackedMatrix {
		let Shape { depth, columns, .. } = self.shape;
		let b = &self.b[batch * self.shape.right()..][..self.shape.right()];
		PackedMatrix::pack(level, Side::Columns, [depth, columns], [DType::I8; 2], [0; 2], b)
	}
}

/// Samples of ours and of the rival, in seconds for one product.
#[derive(Default)]
struct Samples {
	ours: Vec<f64>,
	theirs: Vec<f64>,
}

/// The median; leaves the samples sorted.
fn median(samples: &mut [f64]) -> f64 {
	samples.sort_by(f64::total_cmp);
	samples[samples.len() / 2]
}

/// Measures `ours` and `theirs` in turn on a case and prints the ratio.
fn pair(
	criterion: &mut Criterion,
	name: &str,
	shape: Shape,
	mut ours: impl FnMut(),
	mut theirs: impl FnMut(),
) {
	let mut samples = Samples::default();
	criterion.bench_function(name, |bencher| {
		bencher.iter_custom(|runs| {
			let [our_time, their_time] = [&mut ours as &mut dyn FnMut(), &mut theirs].map(|work| {
				let start = Instant::now();
				(0..runs).for_each(|_| work());
				start.elapsed()
			});
			samples.ours.push(our_time.as_secs_f64() / runs as f64);
			samples.theirs.push(their_time.as_secs_f64() / runs as f64);
			our_time
		});
	});
	if samples.ours.is_empty() {
		return;
	}
	let gops = |seconds: f64| shape.operations() / seconds / 1e9;
	let [ours, theirs] = [&mut samples.ours, &mut samples.theirs].map(|samples| {
		let median = median(samples);
		(median, samples[0])
	});
	println!(
		"{name}: {:.0} GOPS (best {:.0}), rival {:.0} GOPS (best {:.0}), ratio {:.2} (best {:.2})",
		gops(ours.0),
		gops(ours.1),
		gops(theirs.0),
		gops(theirs.1),
		theirs.0 / ours.0,
		theirs.1 / ours.1,
	);
}

fn rival(
	gemm: &GemmExecutor<u8, i8, i32>,
	shape: Shape,
	a: &[u8],
	b: GemmInputB<i8>,
	out: &mut [i32],
) {
	let zero_points = vec![128u8; shape.rows];
	let a = NdTensorView::from_data([shape.rows, shape.depth], a);
	let options = GemmOptions {
		a_quant: Some(QuantParams { zero_point: &zero_points }),
		..GemmOptions::default()
	};
	gemm.gemm(out, GemmInputA::Unpacked(a), b, options).expect("the shapes fit");
}

/// A product with weights, packed beforehand.
fn weights(criterion: &mut Criterion, name: &str, shape: Shape) {
	let gemm = GemmExecutor::<u8, i8, i32>::new();
	let mut case = Case::new(shape);
	let packed = case.pack(Level::detected(), 0);
	let b = NdTensorView::from_data([shape.depth, shape.columns], &case.b[..]);
	let their_packed = gemm.prepack_b(b);
	packed.multiply(&case.a, &mut case.ours);
	let their_b = || GemmInputB::Packed(&their_packed);
	rival(&gemm, shape, &case.a_unsigned, their_b(), &mut case.theirs);
	assert_eq!(case.ours, case.theirs, "{name}: both compute the same");
	let (a, a_unsigned) = (&case.a, &case.a_unsigned);
	let (ours, theirs) = (&mut case.ours, &mut case.theirs);
	let mut multiply = || packed.multiply(black_box(a), black_box(ours));
	pair(criterion, name, shape, &mut multiply, || {
		rival(&gemm, shape, black_box(a_unsigned), their_b(), black_box(theirs));
	});
	if shape.rows == 1 {
		// The rival has a path of its own for one row, which takes b as it is.
		pair(criterion, &format!("{name} unpacked"), shape, multiply, || {
			let b = GemmInputB::Unpacked(b);
			rival(&gemm, shape, black_box(a_unsigned), b, black_box(theirs));
		});
	}
}

/// Products of activations with activations.
fn activations(criterion: &mut Criterion, name: &str, shape: Shape) {
	let gemm = GemmExecutor::<u8, i8, i32>::new();
	let mut case = Case::new(shape);
	let (mut ours, mut theirs) = (std::mem::take(&mut case.ours), std::mem::take(&mut case.theirs));
	let case = &case;
	let multiply = |out: &mut [i32]| {
		out.par_chunks_mut(shape.out()).enumerate().for_each(|(batch, out)| {
			let a = &case.a[batch * shape.left()..][..shape.left()];
			case.pack(Level::detected(), batch).multiply(black_box(a), out);
		});
	};
	let their_multiply = |out: &mut [i32]| {
		out.par_chunks_mut(shape.out()).enumerate().for_each(|(batch, out)| {
			let a = &case.a_unsigned[batch * shape.left()..][..shape.left()];
			let b = &case.b[batch * shape.right()..][..shape.right()];
			let b = NdTensorView::from_data([shape.depth, shape.columns], b);
			rival(&gemm, shape, black_box(a), GemmInputB::Unpacked(b), out);
		});
	};
	multiply(&mut ours);
	their_multiply(&mut theirs);
	assert_eq!(ours, theirs, "{name}: both compute the same");
	pair(criterion, name, shape, || multiply(&mut ours), || their_multiply(&mut theirs));
}

fn squares(criterion: &mut Criterion) {
	for size in [256, 512, 1024, 2048, 4096] {
		weights(criterion, &format!("square {size}"), Shape::new(size, size, size));
	}
}

/// Sequence of 128, hidden 384, inner 1536, twelve heads of 32.
fn mini_lm(criterion: &mut Criterion) {
	for batch in [1, 32] {
		let rows = 128 * batch;
		for (layer, depth, columns) in
			[("projection", 384, 384), ("inner", 384, 1536), ("outer", 1536, 384)]
		{
			let name = format!("minilm batch {batch} {layer}");
			weights(criterion, &name, Shape::new(rows, depth, columns));
		}
		for (part, depth, columns) in [("scores", 32, 128), ("context", 128, 32)] {
			let name = format!("minilm batch {batch} {part}");
			let shape = Shape { batches: 12 * batch, rows: 128, depth, columns };
			activations(criterion, &name, shape);
		}
	}
}

fn few_rows(criterion: &mut Criterion) {
	for rows in [1, 4, 16] {
		for (depth, columns) in [(384, 1536), (1024, 4096), (4096, 4096)] {
			let name = format!("{rows} rows {depth} x {columns}");
			weights(criterion, &name, Shape::new(rows, depth, columns));
		}
	}
}

fn naive(shape: Shape, a: &[i8], b: &[i8], out: &mut [i32]) {
	for (a, out) in a.chunks(shape.depth).zip(out.chunks_mut(shape.columns)) {
		for (column, out) in out.iter_mut().enumerate() {
			*out = 0;
			for (k, a) in a.iter().enumerate() {
				*out += *a as i32 * b[k * shape.columns + column] as i32;
			}
		}
	}
}

/// Every level on one thread, beside a naive loop.
fn levels(criterion: &mut Criterion) {
	let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a thread");
	let shape = Shape::new(512, 512, 512);
	let mut case = Case::new(shape);
	for level in Level::available() {
		let name = format!("one thread {}", level.name());
		let packed = case.pack(level, 0);
		packed.multiply(&case.a, &mut case.ours);
		naive(shape, &case.a, &case.b, &mut case.theirs);
		assert_eq!(case.ours, case.theirs, "{name}: both compute the same");
		let (a, b) = (&case.a, &case.b);
		let (ours, theirs) = (&mut case.ours, &mut case.theirs);
		pair(
			criterion,
			&name,
			shape,
			|| pool.install(|| packed.multiply(black_box(a), black_box(ours))),
			|| naive(shape, black_box(a), black_box(b), black_box(theirs)),
		);
	}
}

fn configured() -> Criterion {
	Criterion::default()
		.sample_size(20)
		.warm_up_time(Duration::from_millis(300))
		.measurement_time(Duration::from_millis(1000))
		.without_plots()
}

criterion_group! {
	name = benches;
	config = configured();
	targets = squares, mini_lm, few_rows, levels
}
criterion_main!(benches);
