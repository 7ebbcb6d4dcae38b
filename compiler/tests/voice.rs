// SPDX-License-Identifier: Apache-2.0

//! The voice-activity model of `silero-vad`: a transform, convolutions and an LSTM, with its state carried from frame to
//! frame. Needs the file that set-up fetches. How it does on recordings of speech is measured by the example `voice`.

mod support;

use std::sync::OnceLock;
use tensornet_compiler::{compile, voice, Agreement, Compiled, OnnxModel, Options, Targets};
use tensornet_tensor::{analyse, Limits};

/// Seconds of something like vowels, a new one every third of a second, with pauses: a buzz through three resonances.
fn vowels(seed: usize, seconds: usize) -> Vec<f32> {
	const RATE: f32 = voice::RATE as f32;
	const SHAPES: [[f32; 3]; 5] = [
		[730.0, 1090.0, 2440.0],
		[270.0, 2290.0, 3010.0],
		[300.0, 870.0, 2240.0],
		[530.0, 1840.0, 2480.0],
		[570.0, 840.0, 2410.0],
	];
	let count = seconds * voice::RATE as usize;
	let mut memory = [[0f32; 2]; 3];
	let (mut phase, mut noise) = (0f32, seed as u32 * 77 + 1);
	let mut sound = Vec::with_capacity(count);
	for at in 0..count {
		let time = at as f32 / RATE;
		let part = (time * 3.0) as usize + seed;
		let pitch = 100.0 + 40.0 * (seed % 3) as f32 + 25.0 * (time * 2.3).sin();
		phase += pitch / RATE;
		noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		let hiss = (noise >> 8) as f32 / (1 << 23) as f32 - 1.0;
		let silent = part % 7 < 2;
		let buzz = if phase >= 1.0 && !silent { 1.0 } else { 0.0 };
		phase -= phase.floor();
		let mut sum = hiss * 0.02;
		for (memory, frequency) in memory.iter_mut().zip(SHAPES[part % 5]) {
			let radius = (-std::f32::consts::PI * 90.0 / RATE).exp();
			let turn = 2.0 * radius * (std::f32::consts::TAU * frequency / RATE).cos();
			let next = buzz + turn * memory[0] - radius * radius * memory[1];
			*memory = [next, memory[0]];
			sum += next * 0.05;
		}
		sound.push(sum.clamp(-1.0, 1.0));
	}
	sound
}

fn compiled() -> &'static (OnnxModel, Compiled) {
	static COMPILED: OnceLock<(OnnxModel, Compiled)> = OnceLock::new();
	COMPILED.get_or_init(|| {
		let model = voice::load().expect("run make setup to fetch the model");
		let calibration: Vec<_> = (0..4).map(|seed| voice::frames(&vowels(seed, 4))).collect();
		let targets = Targets { weights: Some(50.0), operands: None };
		let options = Options { measured: 1, targets, ..Options::default() };
		let compiled = compile(&model, &calibration, &options).unwrap();
		println!("{}", compiled.report);
		(model, compiled)
	})
}

#[test]
fn a_whole_recording_is_one_job_that_decides_as_the_float_model_does() {
	let (model, Compiled { package, .. }) = compiled();
	let mut agreement = Agreement::default();
	let mut speech = 0;
	for seed in 20..24 {
		let frames = voice::frames(&vowels(seed, 6));
		let float = model.run(&frames).unwrap();
		let found = package.run_all(&mut package.executor().unwrap(), &frames).unwrap();
		assert_eq!((float.len(), found.len()), (188, 188));
		speech += float.iter().filter(|probability| **probability >= 0.5).count();
		for (float, found) in float.iter().zip(found.iter().flatten()) {
			agreement.count_decision(*float as f64, *found);
		}
	}
	println!("{agreement:?}, speech in {speech}");
	assert!((50..agreement.all - 50).contains(&speech), "speech in {speech} frames");
	assert!(agreement.share() >= 0.98, "{agreement:?}");
}

#[test]
fn the_state_of_the_lstm_is_the_programs_and_its_elements_can_be_recomputed() {
	let (_, Compiled { package, report }) = compiled();
	let states = &package.card.states;
	let shapes: Vec<&[u32]> = states.iter().map(|state| state.shape.as_slice()).collect();
	assert_eq!(shapes, [&[1, 1, 128][..], &[1, 1, 128], &[1024, 1]]);
	assert_eq!(states[1].dtype, "i32");
	let limits = Limits::default();
	assert!(analyse(&package.program, &limits).is_ok());
	assert!(report.element_macs <= limits.macs && report.open_bytes <= limits.open_bytes);
	let frames = voice::frames(&vowels(30, 1)[..6 * voice::FRAME]);
	let before = support::recompute_all(package, &frames, 3);
	assert!(before[1] != before[2] && before[5] != before[6]);
}
