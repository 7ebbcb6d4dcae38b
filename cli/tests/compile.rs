// SPDX-License-Identifier: Apache-2.0

//! `tensornet compile`, from a model and samples in files to a program that can be inspected.

use serde_json::Value;
use std::{
	path::Path,
	process::{Command, Output},
};

fn tensornet(arguments: &[&str]) -> Output {
	let binary = Command::new(env!("CARGO_BIN_EXE_tensornet")).args(arguments).output();
	binary.expect("the binary runs")
}

fn digits() -> String {
	format!("{}/../compiler/tests/data/digits.onnx", env!("CARGO_MANIFEST_DIR"))
}

/// Bare f32 samples of the input of the digits model.
fn samples(directory: &Path) -> String {
	let folder = directory.join("samples");
	std::fs::create_dir(&folder).unwrap();
	for sample in 0..4u32 {
		let pixels =
			(0..64).flat_map(|pixel| (((pixel * 7 + sample * 5) % 17) as f32).to_le_bytes());
		std::fs::write(folder.join(format!("{sample}.f32")), pixels.collect::<Vec<u8>>()).unwrap();
	}
	folder.display().to_string()
}

#[test]
fn a_model_becomes_a_program_with_its_constants_and_a_report_of_every_layer() {
	let directory = tempfile::tempdir().unwrap();
	let out = directory.path().join("digits.tnp").display().to_string();
	let samples = samples(directory.path());
	let arguments = ["compile", &digits(), "--calibration", &samples, "--out", &out, "--report"];
	let output = tensornet(&[&arguments[..], &["--json"]].concat());
	assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	let result: Value = serde_json::from_slice(&output.stdout).unwrap();
	let report = &result["report"];
	let rows = report["rows"].as_array().unwrap();
	assert_eq!(rows.len(), 3);
	// What each layer costs in time is told, and adds up.
	for times in ["milliseconds", "byte_milliseconds"] {
		let all = report[times].as_f64().unwrap();
		let layers: f64 = rows.iter().map(|row| row[times].as_f64().unwrap()).sum();
		assert!(all > 0.0 && (all - layers).abs() < 1e-9 * all, "{times}: {layers} of {all}");
	}
	let constants = std::fs::read_dir(directory.path().join("digits.constants")).unwrap();
	assert!(constants.count() >= 2);

	let inspected = tensornet(&["program", "inspect", &out, "--json"]);
	let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
	assert!(inspected.to_string().contains(result["id"].as_str().unwrap()));
}

#[test]
fn samples_that_do_not_fit_are_named_and_nothing_is_written() {
	let directory = tempfile::tempdir().unwrap();
	let samples = samples(directory.path());
	std::fs::write(directory.path().join("samples/9.f32"), [0; 12]).unwrap();
	let out = directory.path().join("digits.tnp");
	let name = out.display().to_string();
	let output = tensornet(&["compile", &digits(), "--calibration", &samples, "--out", &name]);
	assert_eq!(output.status.code(), Some(1));
	let error = String::from_utf8_lossy(&output.stderr).into_owned();
	assert!(error.contains("9.f32: 3 numbers, not 64"), "{error}");
	assert!(!out.exists());
}
