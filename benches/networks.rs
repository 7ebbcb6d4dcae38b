// SPDX-License-Identifier: Apache-2.0

//! One whole network on the CPU path, for `networks.py`, which compares it with rivals.
//!
//! `networks PACKAGE INPUTS THREADS` loads a compiled package (`program.bin`, `constants/`) whose blobs it
//! maps, and the inputs of INPUTS, one stored tensor after the other. It then answers lines on stdin with
//! lines on stdout:
//!
//! - `run COUNT`: runs the first COUNT inputs and says how many seconds that took, and how many seconds all
//!   threads together were on a processor (0 where the system does not say);
//! - `commit COUNT`: the same, and commits to every checkpoint; says the seconds of both and of the
//!   commitments alone;
//! - `times COUNT`: the milliseconds of each part of the plan in the first COUNT inputs and of writing its
//!   checkpoints, one line for each, then an empty line;
//! - `memory`: says the bytes of constants, mapped blobs, values, and the largest live set;
//! - `output INDEX`: says the stored output of an input in hexadecimal.

use memmap2::Mmap;
use std::{
	error::Error,
	fs::{read, File},
	io::{stdin, stdout, BufRead, Write},
	path::Path,
	sync::Arc,
	time::Instant,
};
use tensornet_tensor::{Blob, CheckedProgram, ConstantData, CpuExecutor, Executor};

/// The executor of the package in `directory`.
fn load(directory: &Path) -> Result<CpuExecutor, Box<dyn Error>> {
	let program = Arc::new(CheckedProgram::decode(&read(directory.join("program.bin"))?)?);
	let mut blobs: Vec<Arc<dyn Blob>> = Vec::new();
	for constant in &program.program().constants {
		blobs.push(match &constant.data {
			ConstantData::Inline(_) => Arc::new(Vec::<u8>::new()),
			ConstantData::Blob(root) => {
				let name: String = root.iter().map(|byte| format!("{byte:02x}")).collect();
				let file = File::open(directory.join("constants").join(name))?;
				// SAFETY: nobody changes a package's files, whose names are their hashes, while it runs.
				#[allow(unsafe_code)]
				let map = unsafe { Mmap::map(&file)? };
				Arc::new(map)
			}
		});
	}
	Ok(CpuExecutor::with_blobs(program, blobs)?)
}

/// Seconds that the threads of this process have been on a processor.
fn processor_seconds() -> f64 {
	let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
	let nanoseconds = tasks.filter_map(|task| {
		let times = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
		times.split(' ').next()?.parse::<f64>().ok()
	});
	nanoseconds.sum::<f64>() / 1e9
}

fn serve(mut executor: CpuExecutor, inputs: &[u8]) -> Result<(), Box<dyn Error>> {
	let program = executor.program().clone();
	let bytes = program.program().inputs[0].ty.bytes() as usize;
	let inputs: Vec<&[u8]> = inputs.chunks_exact(bytes).collect();
	let output = program.program().outputs[0];
	let output = program.checkpoint_of(output).ok_or("the output is a checkpoint")? as usize;
	for line in stdin().lock().lines() {
		let line = line?;
		let (word, number) = line.split_once(' ').unwrap_or((&line, "0"));
		let number: usize = number.parse()?;
		let answer = match word {
			"run" => {
				let (start, before) = (Instant::now(), processor_seconds());
				for input in &inputs[..number] {
					executor.run_iteration(&[input], &[])?;
				}
				let wall = start.elapsed().as_secs_f64();
				format!("{wall} {}", processor_seconds() - before)
			}
			"commit" => {
				let start = Instant::now();
				let mut hashing = 0.0;
				for input in &inputs[..number] {
					let checkpoints = executor.run_iteration(&[input], &[])?;
					let before = Instant::now();
					for checkpoint in &checkpoints {
						std::hint::black_box(blake3::hash(checkpoint));
					}
					hashing += before.elapsed().as_secs_f64();
				}
				format!("{} {hashing}", start.elapsed().as_secs_f64())
			}
			"times" => {
				executor.measure();
				for input in &inputs[..number] {
					executor.run_iteration(&[input], &[])?;
				}
				for (name, times) in executor.times() {
					let [unit, stored] = times.map(|time| time.as_secs_f64() * 1e3);
					println!("{unit:.3} {stored:.3} {name}");
				}
				String::new()
			}
			"memory" => {
				let memory = executor.memory();
				let (constants, blobs) = (memory.constants, memory.blobs);
				format!("{constants} {blobs} {} {}", memory.values, memory.live)
			}
			"output" => {
				let checkpoints = executor.run_iteration(&[inputs[number]], &[])?;
				checkpoints[output].iter().map(|byte| format!("{byte:02x}")).collect()
			}
			_ => return Err(format!("unknown request {word}").into()),
		};
		println!("{answer}");
		stdout().flush()?;
	}
	Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
	let words: Vec<String> = std::env::args().skip(1).collect();
	let [directory, inputs, threads] = words.as_slice() else {
		return Err("networks PACKAGE INPUTS THREADS".into());
	};
	let inputs = read(inputs)?;
	let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.parse()?).build()?;
	let executor = load(Path::new(directory))?;
	pool.install(|| serve(executor, &inputs).map_err(|error| error.to_string()))?;
	Ok(())
}
