// SPDX-License-Identifier: Apache-2.0

//! Whole models give the same bits on the GPU path and on the CPU path, in every checkpoint.
//!
//! Needs an adapter like `differential`, and the reference model that the set-up script fetches.

use std::{path::PathBuf, sync::Arc, time::Instant};
use tensornet_compiler::{compile, voice, OnnxModel, Options, Package, Targets};
use tensornet_tensor::{run_job, Executor};
use tensornet_worker::gpu::{GpuDevice, GpuExecutor};

fn device() -> GpuDevice {
	GpuDevice::open(true).expect("this test needs a Vulkan adapter: install mesa-vulkan-drivers")
}

/// Numbers from a linear congruential generator, below `limit`.
fn sample(seed: u32, length: usize, limit: u32) -> Vec<f32> {
	let mut state = seed;
	let next = || {
		state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		((state >> 8) % limit) as f32
	};
	std::iter::repeat_with(next).take(length).collect()
}

/// Compares every checkpoint, with and without packed products.
fn compare(package: &Package, samples: &[Vec<f32>]) {
	let constants = package.constant_bytes().expect("a complete package");
	let mut cpu = package.executor().expect("fits");
	for packed in [true, false] {
		let device = Arc::new(device().with_packed_products(packed));
		let mut gpu =
			GpuExecutor::new(device, package.program.clone(), constants.clone()).expect("fits");
		for (number, sample) in samples.iter().enumerate() {
			let input = package.card.encode_input(sample).expect("of the input's size");
			let start = Instant::now();
			let expected = cpu.run_iteration(&[&input], &[]).expect("runs");
			let on_cpu = start.elapsed();
			let got = gpu.run(&[&input], &[]).expect("runs");
			let on_gpu = start.elapsed() - on_cpu;
			println!("sample {number}: GPU {on_gpu:?}, CPU {on_cpu:?}, packed: {packed}");
			let differs = expected.iter().zip(&got).position(|(a, b)| a != b);
			assert_eq!(differs, None, "checkpoint of sample {number}, packed: {packed}");
			assert_eq!(expected.len(), got.len());
		}
	}
}

#[test]
fn the_digits_model_gives_the_same_bits() {
	let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../compiler/tests/data/digits.onnx");
	let model = OnnxModel::load(path).expect("in the repository");
	let samples: Vec<_> = (0..16).map(|seed| sample(seed, 64, 17)).collect();
	let compiled = compile(&model, &samples, &Options::default()).expect("compiles");
	compare(&compiled.package, &samples);
}

#[test]
fn the_file_type_model_gives_the_same_bits() {
	let cache = match std::env::var_os("TENSORNET_CACHE") {
		Some(cache) => PathBuf::from(cache),
		None => PathBuf::from(std::env::var_os("HOME").expect("a home")).join(".cache/tensornet"),
	};
	let path = cache.join("models/magika-1.0.3/model.onnx");
	let model = OnnxModel::load(&path)
		.unwrap_or_else(|e| panic!("{}: {e}. Run scripts/setup.sh", path.display()));
	let samples: Vec<_> = (0..3).map(|seed| sample(seed, 2048, 257)).collect();
	let compiled = compile(&model, &samples, &Options::default()).expect("compiles");
	compare(&compiled.package, &samples);
}

/// Sound with pauses: a buzz whose pitch moves, and some noise.
fn sound(seed: u32, samples: usize) -> Vec<f32> {
	let noise = sample(seed, samples, 1 << 16);
	let mut phase = 0f32;
	let mut buzz = |at: usize| {
		let time = at as f32 / voice::RATE as f32;
		phase += (120.0 + 30.0 * (time * 3.0).sin()) / voice::RATE as f32;
		phase -= phase.floor();
		if (time * 5.0) as u32 % 4 < 3 {
			phase - 0.5
		} else {
			0.0
		}
	};
	let sample = |(at, noise): (usize, &f32)| buzz(at) * 0.5 + (noise / 32_768.0 - 1.0) * 0.02;
	noise.iter().enumerate().map(sample).collect()
}

/// A whole job: the state of the LSTM goes from frame to frame on both sides.
#[test]
fn the_voice_activity_model_gives_the_same_bits_frame_after_frame() {
	let model = voice::load().expect("in the cache: run scripts/setup.sh");
	let calibration = [voice::frames(&sound(1, 8 * voice::FRAME))];
	let targets = Targets { weights: Some(50.0), operands: None };
	let options = Options { targets, ..Options::default() };
	let package = compile(&model, &calibration, &options).expect("compiles").package;
	let Package { program, card, .. } = &package;
	let frames = voice::frames(&sound(2, 6 * voice::FRAME));
	let input = card.encode_input(&frames).expect("of the input's size");
	let iterations = card.iterations_of(&frames).expect("whole frames");
	let states = card.first_states().expect("a complete package");
	let states: Vec<&[u8]> = states.iter().map(Vec::as_slice).collect();
	let run = |executor: &mut dyn Executor| {
		let mut trace = Vec::new();
		let mut sink = |_: u32, checkpoints: &[Vec<u8>]| {
			trace.push(checkpoints.to_vec());
			Ok(())
		};
		run_job(executor, program, &[&input], &states, iterations, &mut sink).expect("runs");
		trace
	};
	let constants = package.constant_bytes().expect("a complete package");
	let mut gpu = GpuExecutor::new(Arc::new(device()), program.clone(), constants).expect("fits");
	let (expected, got) = (run(&mut package.executor().expect("fits")), run(&mut gpu));
	assert_eq!(iterations, 6);
	for (frame, (expected, got)) in expected.iter().zip(&got).enumerate() {
		let differs = expected.iter().zip(got).position(|(a, b)| a != b);
		assert_eq!(differs, None, "checkpoint of frame {frame}");
	}
	assert_eq!(expected.len(), got.len());
}
