// SPDX-License-Identifier: Apache-2.0

//! What surrounds the voice-activity model of the PyPI package `silero-vad` at 16 kHz: how it is read, and how a
//! recording becomes its input.
//!
//! In every iteration the model reads 512 new samples with the last 64 before them in front, so a recording is cut
//! into frames that overlap. This is done outside the program: an input may overlap as it likes, and a state for it
//! would be committed in every iteration. What the model remembers, the two tensors of an LSTM, is the program's state.

use crate::{error::CompileError, file_type::model_directory, onnx::OnnxModel, ports::Ports};
use std::path::PathBuf;

/// Name of the model, and of the folder of its file.
pub const NAME: &str = "silero-vad-6.2.3";

/// Samples in a second.
pub const RATE: u32 = 16_000;

/// New samples in each frame.
pub const FRAME: usize = 512;

/// Samples of the frame before that each frame begins with.
pub const CONTEXT: usize = 64;

/// The file in which set-up puts the model.
pub fn model_path() -> PathBuf {
	model_directory().with_file_name(NAME).join("silero_vad.onnx")
}

/// How the model's inputs and outputs are used: one frame of data, the rate fixed, the state carried.
pub fn ports() -> Ports {
	Ports {
		shape: vec![1, CONTEXT + FRAME],
		fixed: vec![("sr".into(), vec![RATE as f64])],
		..Ports::default()
	}
}

/// Reads the model that set-up fetched.
pub fn load() -> Result<OnnxModel, CompileError> {
	OnnxModel::load_with(model_path(), &ports())
}

/// A recording from -1 to 1 as the input of all iterations. The last frame is filled up with 0; an empty recording
/// is one frame of silence.
pub fn frames(recording: &[f32]) -> Vec<f32> {
	let count = recording.len().div_ceil(FRAME).max(1);
	let mut frames = Vec::with_capacity(count * (CONTEXT + FRAME));
	for frame in 0..count {
		let places = (0..CONTEXT + FRAME).map(|place| (frame * FRAME + place).checked_sub(CONTEXT));
		let sample = |place: Option<usize>| place.and_then(|place| recording.get(place)).copied();
		frames.extend(places.map(|place| sample(place).unwrap_or(0.0)));
	}
	frames
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn frames_begin_with_the_end_of_the_frame_before() {
		let recording: Vec<f32> = (1..=700).map(|x| x as f32).collect();
		let frames = frames(&recording);
		assert_eq!(frames.len(), 2 * 576);
		assert_eq!((frames[63], frames[64], frames[575]), (0.0, 1.0, 512.0));
		assert_eq!((frames[576], frames[639], frames[640]), (449.0, 512.0, 513.0));
		assert_eq!((frames[576 + 64 + 187], frames[576 + 64 + 188]), (700.0, 0.0));
		assert_eq!(super::frames(&[]), vec![0.0; 576]);
	}
}
