// SPDX-License-Identifier: Apache-2.0

//! What surrounds the file-type model of the PyPI package `magika`: its configuration, the tokens it
//! reads from a file, and the rules for files it does not look at.

pub use crate::magika::{calibration, model_directory, package, Magika, NAME};

use crate::error::CompileError;
use serde::Deserialize;
use std::{
	fs::File,
	io::{Read, Seek, SeekFrom},
	path::Path,
};

/// The part of `config.min.json` that decides what the model sees.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
	/// Tokens from the start of the file.
	pub beg_size: usize,
	/// Tokens from its middle. Must be 0.
	pub mid_size: usize,
	/// Tokens from its end.
	pub end_size: usize,
	/// Stands where a file has no byte.
	pub padding_token: i32,
	/// Bytes read from the start and from the end before white space is removed.
	pub block_size: usize,
	/// Files with fewer bytes than this are not shown to the model.
	pub min_file_size_for_dl: usize,
	/// The name of each output.
	pub target_labels_space: Vec<String>,
}

/// What the model is shown, or the label that needs no model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Features {
	/// One token for each input element: a byte, or the padding token.
	Tokens(Vec<i32>),
	/// The file is too short for the model: `empty`, `txt` or `unknown`.
	Rule(&'static str),
}

impl Config {
	/// Parses `config.min.json`.
	pub fn parse(json: &[u8]) -> Result<Self, CompileError> {
		let config: Self = serde_json::from_slice(json)
			.map_err(|error| CompileError::Package(format!("config.min.json: {error}")))?;
		let fits = config.beg_size < config.block_size && config.end_size < config.block_size;
		if !fits || config.mid_size != 0 || config.beg_size < config.min_file_size_for_dl.max(1) {
			return Err(CompileError::Package("config.min.json: unknown feature layout".into()));
		}
		Ok(config)
	}

	/// Reads `config.min.json`.
	pub fn load(path: impl AsRef<Path>) -> Result<Self, CompileError> {
		Self::parse(&std::fs::read(path)?)
	}

	/// The features of a file.
	pub fn features_of(&self, path: impl AsRef<Path>) -> Result<Features, CompileError> {
		let mut file = File::open(path)?;
		self.features(&mut file)
	}

	/// The features of anything with a length: at most two blocks are read.
	///
	/// As the package does it: of the first block, white space is removed on the left and the first
	/// `beg_size` bytes are kept; of the last block (the same one in a short file), white space is
	/// removed on the right and the last `end_size` bytes are kept. What is missing is padding, on
	/// the right of the start and on the left of the end.
	pub fn features(&self, file: &mut (impl Read + Seek)) -> Result<Features, CompileError> {
		let size = file.seek(SeekFrom::End(0))?;
		if size == 0 {
			return Ok(Features::Rule("empty"));
		}
		let block = size.min(self.block_size as u64);
		let mut read = |from: u64| -> Result<Vec<u8>, CompileError> {
			let mut bytes = Vec::with_capacity(block as usize);
			file.seek(SeekFrom::Start(from))?;
			file.by_ref().take(block).read_to_end(&mut bytes)?;
			Ok(bytes)
		};
		let first = read(0)?;
		if size < self.min_file_size_for_dl as u64 {
			return Ok(Features::Rule(by_encoding(&first)));
		}
		let last = read(size - block)?;
		let start = &first[first.iter().take_while(|byte| is_space(**byte)).count()..];
		let end = &last[..last.len() - last.iter().rev().take_while(|b| is_space(**b)).count()];
		if start.len() < self.min_file_size_for_dl {
			return Ok(Features::Rule(by_encoding(&first)));
		}
		let start = &start[..start.len().min(self.beg_size)];
		let end = &end[end.len() - end.len().min(self.end_size)..];
		let mut tokens = Vec::with_capacity(self.beg_size + self.end_size);
		tokens.extend(start.iter().map(|byte| *byte as i32));
		tokens.resize(self.beg_size + self.end_size - end.len(), self.padding_token);
		tokens.extend(end.iter().map(|byte| *byte as i32));
		Ok(Features::Tokens(tokens))
	}
}

/// The white space that Python's `bytes.strip` removes.
fn is_space(byte: u8) -> bool {
	matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn by_encoding(bytes: &[u8]) -> &'static str {
	if std::str::from_utf8(bytes).is_ok() {
		"txt"
	} else {
		"unknown"
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::io::Cursor;

	fn config() -> Config {
		Config {
			beg_size: 12,
			mid_size: 0,
			end_size: 10,
			padding_token: 256,
			block_size: 16,
			min_file_size_for_dl: 8,
			target_labels_space: vec!["a".into()],
		}
	}

	fn tokens(bytes: &[u8]) -> Features {
		config().features(&mut Cursor::new(bytes.to_vec())).unwrap()
	}

	#[test]
	fn short_files_are_decided_without_the_model() {
		assert_eq!(tokens(b""), Features::Rule("empty"));
		assert_eq!(tokens(b"1234567"), Features::Rule("txt"));
		assert_eq!(tokens(b"\xff23"), Features::Rule("unknown"));
		assert_eq!(tokens(b"       1234567"), Features::Rule("txt"));
		assert_eq!(tokens(b"   \n\r\x0b\x0c\t     \xff"), Features::Rule("unknown"));
	}

	#[test]
	fn start_is_padded_on_the_right_and_end_on_the_left() {
		let Features::Tokens(tokens) = tokens(b" abcdefgh\n") else { panic!("too short") };
		assert_eq!(tokens.len(), 22);
		assert_eq!(&tokens[..9], b"abcdefgh\n".map(i32::from));
		assert_eq!(&tokens[9..13], [256; 4]);
		assert_eq!(&tokens[13..], b" abcdefgh".map(i32::from));
	}

	#[test]
	fn long_files_show_only_their_ends() {
		let mut bytes = b"\t\t0123456789abcdefghij".to_vec();
		bytes.extend([b'x'; 100]);
		bytes.extend(b"ABCDEFGHIJKLMNOP  ");
		let Features::Tokens(tokens) = tokens(&bytes) else { panic!("too short") };
		assert_eq!(&tokens[..12], b"0123456789ab".map(i32::from));
		assert_eq!(&tokens[12..], b"GHIJKLMNOP".map(i32::from));
	}

	#[test]
	fn other_feature_layouts_are_refused() {
		let json = br#"{"beg_size":8,"mid_size":1,"end_size":8,"padding_token":256,"block_size":64,
			"min_file_size_for_dl":8,"target_labels_space":[]}"#;
		assert!(Config::parse(json).is_err());
	}
}
