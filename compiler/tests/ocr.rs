// SPDX-License-Identifier: Apache-2.0

//! The networks of `rapidocr-onnxruntime`. Text direction: convolutions with residuals, gates over all positions and a
//! kernel for each channel. Text recognition: the same with attention. Needs the files that set-up fetches.

mod support;

use std::sync::OnceLock;
use tensornet_compiler::{
	compile, file_type::model_directory, Agreement, Compiled, OnnxModel, Options, Targets,
};
use tensornet_tensor::{analyse, Limits};

const HEIGHT: usize = 48;
const WIDTH: usize = 192;

/// Numbers from a linear congruential generator.
struct Random(u32);

impl Random {
	fn below(&mut self, limit: usize) -> usize {
		self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		(self.0 >> 8) as usize % limit
	}
}

/// An image of strokes in rows, like writing: `[1, 3, 48, 192]`, from -1 to 1.
fn writing(seed: u32) -> Vec<f32> {
	strokes(seed, WIDTH)
}

/// The same of any width.
fn strokes(seed: u32, width: usize) -> Vec<f32> {
	let mut random = Random(seed.wrapping_mul(2_654_435_761));
	let paper = random.below(256) as f32 / 127.5 - 1.0;
	let ink = if paper > 0.0 { paper - 1.0 } else { paper + 1.0 };
	let mut image = vec![paper; 3 * HEIGHT * width];
	let end = 60 + random.below(width - 60);
	for left in (4..end.saturating_sub(14)).step_by(14) {
		for _ in 0..2 + random.below(3) {
			let (mut x, mut y) = (left + random.below(9), 10 + random.below(26));
			let (right, down) = (random.below(2), 1 - random.below(2));
			for _ in 0..4 + random.below(16) {
				for channel in 0..3 {
					for (dx, dy) in [(0, 0), (1, 0), (0, 1)] {
						let place = (channel * HEIGHT + (y + dy).min(HEIGHT - 1)) * width;
						image[place + (x + dx).min(width - 1)] = ink;
					}
				}
				x = (x + right).min(left + 12);
				y = (y + down.max(1 - right)).min(40);
			}
		}
	}
	for row in image.chunks_mut(width) {
		row[end..].fill(0.0);
	}
	image
}

fn compiled(operands: Option<f64>) -> (OnnxModel, Compiled) {
	let directory = model_directory().with_file_name("rapidocr-1.4.4");
	let model = OnnxModel::load_for(directory.join("cls.onnx"), &[1, 3, HEIGHT, WIDTH])
		.expect("run make setup to fetch the model");
	let calibration: Vec<_> = (0..16).map(writing).collect();
	let targets = Targets { operands, ..Targets::default() };
	let options = Options { name: "cls".into(), measured: 2, targets, ..Options::default() };
	let compiled = compile(&model, &calibration, &options).unwrap();
	println!("{}", compiled.report);
	(model, compiled)
}

/// In sixteen bits, compiled once for all tests.
fn words() -> &'static (OnnxModel, Compiled) {
	static COMPILED: OnceLock<(OnnxModel, Compiled)> = OnceLock::new();
	COMPILED.get_or_init(|| compiled(None))
}

fn agreement((model, compiled): &(OnnxModel, Compiled), samples: u32) -> Agreement {
	let package = &compiled.package;
	let mut executor = package.executor().unwrap();
	let mut agreement = Agreement::default();
	for seed in 1000..1000 + samples {
		let sample = writing(seed);
		let input = package.card.encode_input(&sample).unwrap();
		let output = package.run(&mut executor, &input).unwrap();
		let index = package.card.predict(&output).unwrap().index;
		agreement.count(&model.run(&sample).unwrap(), index);
	}
	println!("{agreement:?}");
	agreement
}

#[test]
fn integers_agree_with_the_float_model_on_strokes_it_has_not_seen() {
	assert!(agreement(words(), 60).share() >= 0.98);
}

#[test]
fn drawn_elements_of_every_checkpoint_can_be_recomputed_alone() {
	let package = &words().1.package;
	let input = package.card.encode_input(&writing(77)).unwrap();
	support::recompute(package, &input, 5);
}

#[test]
fn few_tensors_are_committed_and_arbitration_stays_inside_the_limits() {
	let Compiled { package, report } = &words().1;
	let limits = Limits::default();
	assert!(analyse(&package.program, &limits).is_ok());
	assert!(report.element_macs <= limits.macs && report.open_bytes <= limits.open_bytes);
	let exchanged: u64 =
		report.rows.iter().map(|row| row.shape.iter().product::<u32>() as u64 * 2).sum();
	assert!(report.committed_bytes * 4 < exchanged, "{} of {exchanged}", report.committed_bytes);
}

#[test]
fn measured_operands_get_eight_bits_where_the_output_does_not_mind() {
	let words_alone = &words().1;
	let both = compiled(Some(26.0));
	let bytes = both.1.report.rows.iter().filter(|row| row.dtype == "i8").count();
	let words = both.1.report.rows.iter().filter(|row| row.dtype == "i16").count();
	println!("{bytes} operands of eight bits, {words} of sixteen");
	assert!(bytes >= 10 && words >= 10, "{bytes} of eight bits, {words} of sixteen");
	assert!(both.1.report.committed_bytes < words_alone.report.committed_bytes);
	assert!(agreement(&both, 60).share() >= 0.95);
}

#[test]
fn attention_is_recomputed_element_by_element_and_reads_what_the_float_model_reads() {
	const WIDTH: usize = 96;
	let path = model_directory().with_file_name("rapidocr-1.4.4").join("rec.onnx");
	let model = OnnxModel::load_for(path, &[1, 3, HEIGHT, WIDTH]).expect("run make setup");
	let calibration: Vec<_> = (0..8).map(|seed| strokes(seed, WIDTH)).collect();
	let options = Options { name: "rec".into(), measured: 2, ..Options::default() };
	let Compiled { package, report } = compile(&model, &calibration, &options).unwrap();
	println!("{report}");
	let operators: Vec<&str> = report.rows.iter().map(|row| row.operator.as_str()).collect();
	for operator in ["matmul", "softmax", "layer norm", "avg pool", "concat"] {
		assert!(operators.contains(&operator), "{operator}");
	}
	let sample = strokes(99, WIDTH);
	let input = package.card.encode_input(&sample).unwrap();
	support::recompute(&package, &input, 3);

	let width = package.card.output.shape.last().copied().unwrap() as usize;
	let output = package.run(&mut package.executor().unwrap(), &input).unwrap();
	let output = package.card.decode_output(&output).unwrap();
	let largest =
		|row: &[f64]| (0..width).fold(0, |best, i| if row[i] > row[best] { i } else { best });
	let float: Vec<f64> = model.run(&sample).unwrap().into_iter().map(f64::from).collect();
	let pairs = output.chunks(width).zip(float.chunks(width));
	let same = pairs.clone().filter(|(a, b)| largest(a) == largest(b)).count();
	assert!(same * 10 >= pairs.len() * 9, "{same} of {}", pairs.len());
}
