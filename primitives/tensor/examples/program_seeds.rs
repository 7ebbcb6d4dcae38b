// SPDX-License-Identifier: Apache-2.0

//! Writes encoded random programs to a folder: what the fuzz target `program_bytes` starts from.
//!
//!   program_seeds FOLDER [COUNT]
//!
//! Only short ones, so that a mutation is likely to hit something that matters.

use std::{env, error::Error, fs, path::PathBuf};
use tensornet_tensor::arbitrary::random_program;

/// The longest encoding that is written, in bytes.
const LONGEST: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
	let mut arguments = env::args().skip(1);
	let folder = PathBuf::from(arguments.next().ok_or("usage: program_seeds FOLDER [COUNT]")?);
	let count: usize = arguments.next().map_or(Ok(300), |count| count.parse())?;
	fs::create_dir_all(&folder)?;
	let short = (0u64..).map(|seed| (seed, random_program(seed).program.encode()));
	for (seed, bytes) in short.filter(|(_, bytes)| bytes.len() <= LONGEST).take(count) {
		fs::write(folder.join(format!("random-{seed}")), bytes)?;
	}
	Ok(())
}
