// SPDX-License-Identifier: Apache-2.0

//! The real model. These tests need the files that set-up fetches.

mod support;

use std::{
	path::{Path, PathBuf},
	sync::OnceLock,
};
use tensornet_compiler::{
	file_type::{model_directory, Features, Magika},
	Agreement, Compiled,
};
use tensornet_tensor::{analyse, Binary, Limits, Op};

/// The model is compiled once for all tests.
fn compiled() -> &'static (Magika, Compiled) {
	static COMPILED: OnceLock<(Magika, Compiled)> = OnceLock::new();
	COMPILED.get_or_init(|| {
		let magika = Magika::load(model_directory()).expect("run make setup to fetch the model");
		let compiled = magika.compile().unwrap();
		(magika, compiled)
	})
}

/// Up to `limit` files under a directory, spread over its tree.
fn files(root: &Path, limit: usize) -> Vec<PathBuf> {
	let mut found = Vec::new();
	let mut left = vec![root.to_path_buf()];
	while let Some(directory) = left.pop() {
		let Ok(entries) = std::fs::read_dir(directory) else { continue };
		let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
		entries.sort();
		for entry in entries {
			match std::fs::symlink_metadata(&entry) {
				Ok(meta) if meta.is_dir() => left.push(entry),
				Ok(meta) if meta.is_file() && meta.len() > 0 => found.push(entry),
				_ => {}
			}
		}
	}
	let step = (found.len() / limit).max(1);
	found.into_iter().step_by(step).take(limit).collect()
}

#[test]
fn integers_agree_with_the_float_model_on_files_of_this_machine() {
	let (magika, Compiled { package, report }) = compiled();
	println!("{report}");
	let mut executor = package.executor().unwrap();
	let mut agreement = Agreement::default();
	for path in files(Path::new("/usr"), 260) {
		let Ok(Features::Tokens(tokens)) = magika.config.features_of(&path) else { continue };
		let sample: Vec<f32> = tokens.into_iter().map(|token| token as f32).collect();
		let float = magika.model.run(&sample).unwrap();
		let input = package.card.encode_input(&sample).unwrap();
		let output = package.run(&mut executor, &input).unwrap();
		agreement.count(&float, package.card.predict(&output).unwrap().index);
	}
	println!("{agreement:?}");
	assert!(agreement.all >= 200, "{agreement:?}");
	assert!(agreement.share_confident() >= 0.995, "{agreement:?}");
	assert!(agreement.share() >= 0.985, "{agreement:?}");
}

#[test]
fn drawn_elements_of_every_checkpoint_can_be_recomputed_alone() {
	let (magika, Compiled { package, .. }) = compiled();
	let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs");
	let Features::Tokens(tokens) = magika.config.features_of(source).unwrap() else {
		panic!("too short")
	};
	let sample: Vec<f32> = tokens.into_iter().map(|token| token as f32).collect();
	let input = package.card.encode_input(&sample).unwrap();
	support::recompute(package, &input, 40);
}

#[test]
fn arbitration_stays_inside_the_limits_and_sums_are_exact() {
	let (_, Compiled { package, report }) = compiled();
	let analysis = analyse(&package.program, &Limits::default()).unwrap();
	for (node, exact) in package.program.program().nodes.iter().zip(&analysis.exact) {
		// The shift that normalises a variance is the one place where the ranges do not tell.
		assert!(*exact || node.op == Op::Binary(Binary::LogicalLeftShift), "{:?}", node.op);
	}
	assert!(report.open_bytes <= Limits::default().open_bytes);
	assert!(report.macs > 300_000_000);
}

#[test]
fn the_program_is_the_same_on_every_machine() {
	let (_, Compiled { package, report }) = compiled();
	let expected = "388885c4eaefc4592df27c04afcc84ddb9b7c81c5cc82a9233c239f68b77bf07";
	// Another program is another identity: what was registered cannot be found any more.
	assert_eq!(package.card.program_id, expected, "{report}\n{:?}", package.card.constants);
}
