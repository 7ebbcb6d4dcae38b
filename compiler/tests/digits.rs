// SPDX-License-Identifier: Apache-2.0

//! The tiny model, from ONNX to openings of single elements.

mod support;

use support::{digits, Digits};
use tensornet_compiler::{compile, Agreement, OnnxModel, Options, Package};
use tensornet_tensor::{analyse, Executor, Limits};

fn compiled() -> (OnnxModel, Digits, Package) {
	let (model, digits) = digits();
	let options = Options { name: "digits".into(), measured: 8, ..Options::default() };
	let compiled = compile(&model, &digits.calibration, &options).unwrap();
	println!("{}", compiled.report);
	assert!(compiled.report.rows.iter().all(|row| row.snr_db.is_none_or(|snr| snr > 30.0)));
	(model, digits, compiled.package)
}

#[test]
fn integers_agree_with_the_float_model_and_with_the_truth() {
	let (model, digits, package) = compiled();
	let mut executor = package.executor().unwrap();
	let mut agreement = Agreement::default();
	let mut right = 0;
	for (sample, label) in &digits.test {
		let float = model.run(sample).unwrap();
		let input = package.card.encode_input(sample).unwrap();
		let output = package.run(&mut executor, &input).unwrap();
		let integer = package.card.predict(&output).unwrap().index;
		agreement.count(&float, integer);
		right += usize::from(integer == *label);
	}
	let accuracy = right as f64 / digits.test.len() as f64;
	println!("{agreement:?}, accuracy {accuracy:.4}");
	assert!(agreement.share() >= 0.99, "{agreement:?}");
	assert!(accuracy >= 0.95, "accuracy {accuracy}");
}

#[test]
fn every_element_of_every_checkpoint_can_be_recomputed_alone() {
	let (_, digits, package) = compiled();
	let input = package.card.encode_input(&digits.test[3].0).unwrap();
	support::recompute(&package, &input, usize::MAX);
}

#[test]
fn an_element_recomputed_from_another_input_differs() {
	let (_, digits, package) = compiled();
	let inputs: Vec<_> =
		digits.test[..2].iter().map(|(s, _)| package.card.encode_input(s).unwrap()).collect();
	let mut executor = package.executor().unwrap();
	let one = executor.run_iteration(&[&inputs[0]], &[]).unwrap();
	assert!(support::differences(&package, &inputs[1], &[], &one, usize::MAX) > 0);
}

#[test]
fn the_same_model_and_samples_give_the_same_program() {
	let (_, _, a) = compiled();
	let (_, _, b) = compiled();
	assert_eq!(a.card, b.card);
	assert_eq!(
		a.card.program_id, "01b3f75bc5c23f8f37c50d5cbdd4273b941bd53613bbaf7262e302da7e7512f7",
		"changing the program breaks what was registered"
	);
}

#[test]
fn arbitration_stays_inside_the_limits_and_products_are_exact() {
	let (_, _, package) = compiled();
	let analysis = analyse(&package.program, &Limits::default()).unwrap();
	assert!(analysis.exact.iter().all(|exact| *exact));
	assert_eq!(package.card.macs, package.program.macs());
}

#[test]
fn a_saved_package_is_loaded_and_a_damaged_one_refused() {
	let (_, digits, package) = compiled();
	let directory = tempfile::tempdir().unwrap();
	package.save(directory.path()).unwrap();
	let loaded = Package::load(directory.path()).unwrap();
	assert_eq!(loaded.card, package.card);
	let input = package.card.encode_input(&digits.test[0].0).unwrap();
	let run = |package: &Package| package.run(&mut package.executor().unwrap(), &input).unwrap();
	assert_eq!(run(&loaded), run(&package));

	let blob = directory.path().join("constants").join(&package.card.constants[0].root);
	let mut bytes = std::fs::read(&blob).unwrap();
	bytes[0] ^= 1;
	std::fs::write(&blob, bytes).unwrap();
	assert!(Package::load(directory.path()).unwrap_err().to_string().contains("another hash"));
}

#[test]
fn inputs_of_the_wrong_length_are_refused() {
	let (_, _, package) = compiled();
	assert!(package.card.encode_input(&[0.0; 63]).is_err());
	assert!(package.card.decode_output(&[0; 39]).is_err());
}
