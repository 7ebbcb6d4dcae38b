// SPDX-License-Identifier: Apache-2.0

//! Whole models give the same bits on the GPU path and on the CPU path, in every checkpoint.
//!
//! Needs an adapter like `differential`, and the reference model that the set-up script fetches.

use std::{path::PathBuf, sync::Arc};
use tensornet_compiler::{compile, OnnxModel, Options, Package};
use tensornet_tensor::Executor;
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
			let expected = cpu.run_iteration(&[&input], &[]).expect("runs");
			let got = gpu.run(&[&input], &[]).expect("runs");
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
