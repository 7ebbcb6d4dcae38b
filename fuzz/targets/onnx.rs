// SPDX-License-Identifier: Apache-2.0

//! Any bytes as an ONNX model: they are read or refused, within the memory that is set, and what is read can be run.
//!
//! The parser underneath may panic; the compiler turns that into an error. So the fuzzer must not see a panic
//! that is caught: its hook, which ends the process, is taken out, and what comes through ends it all the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tensornet_compiler::{OnnxModel, Ports};

/// Larger inputs are read, but not run: their time would be the fuzzer's.
const MOST: usize = 1 << 12;

fuzz_target!(init: std::panic::set_hook(Box::new(|_| ())), |bytes: &[u8]| {
	let ports = Ports::default();
	let Ok(model) = OnnxModel::parse_with(bytes, &ports) else { return };
	let work: u64 = (0..model.graph().nodes.len()).map(|node| model.graph().work(node)).sum();
	let elements: usize = model.input_shape().iter().product();
	if elements <= MOST && work < 1 << 20 {
		let _ = model.run(&vec![0.5; elements]);
	}
});
