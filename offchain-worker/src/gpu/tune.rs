// SPDX-License-Identifier: Apache-2.0

//! Which kernel of the family makes products of bytes fastest on a device.
//!
//! Sizes are taken together whose extents have the same next power of two. When the first product of such
//! a class comes, every kernel that suits it makes one on random bytes, with bias and rescale, has to
//! give the bits of the CPU, and is timed. The fastest is kept in a file by device, driver and the text of
//! the kernels: a file that is damaged or of other kernels counts for nothing and is written anew.

use super::{
	error::GpuError,
	executor::GpuExecutor,
	handle::GpuDevice,
	product::{Choice, Size, Variant},
};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};
use tensornet_tensor::{
	Binary, CheckedProgram, Checkpoint, Constant, ConstantData, CpuExecutor, DType, Executor,
	Layout, Node, Op, Program, TensorType, FORMAT,
};

/// Name of the file.
const FILE: &str = "gpu-products.json";

/// Largest extents of a class: batches, rows, depth and columns.
const LARGEST: [u32; 4] = [256, 4096, 8192, 8192];

/// Multiply-accumulates of a product that is measured, at most. The CPU makes it as well.
const MACS: u64 = 1 << 32;

/// Part of a second that a measured product may take by the device's rate.
const PART: u64 = 4;

/// What is known about a device, and where it is kept.
pub(crate) struct Tuner {
	file: PathBuf,
	/// Root of all texts of the kernels.
	kernels: String,
	device: String,
	known: Mutex<Known>,
}

/// The fastest kernel of each class.
type Known = BTreeMap<String, Fastest>;

/// The fastest kernel of a class.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fastest {
	kernel: String,
	/// Multiply-accumulates a second.
	rate: u64,
}

/// The content of the file.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
	kernels: String,
	/// By adapter and driver.
	devices: BTreeMap<String, Known>,
}

impl Tuner {
	/// What the file in `folder` says about a device.
	pub(crate) fn open(folder: &Path, info: &wgpu::AdapterInfo) -> Self {
		let wgpu::AdapterInfo { name, backend, driver, driver_info, .. } = info;
		let device = format!("{name} ({backend}, {driver} {driver_info})");
		let mut texts = blake3::Hasher::new();
		for variant in Variant::ALL {
			texts.update(variant.source().as_bytes());
		}
		let kernels = texts.finalize().to_hex().to_string();
		let file = folder.join(FILE);
		let known = read(&file, &kernels).devices.remove(&device).unwrap_or_default();
		Self { file, kernels, device, known: Mutex::new(known) }
	}

	/// The fastest kernel for a product of about this size, measured now if it is not known; none where
	/// it cannot be measured. Fails if no kernel gives the right bits.
	pub(crate) fn choose(
		&self,
		device: &GpuDevice,
		size: Size,
	) -> Result<Option<Choice>, GpuError> {
		let class = class(size);
		// Held while it measures: two measurements at a time would disturb each other.
		let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(choice) = known.get(&name(class)).and_then(Fastest::choice) {
			return Ok(Some(choice));
		}
		let (variant, rate) = match fastest(device, class) {
			Ok(fastest) => fastest,
			Err(error @ GpuError::WrongBits(_)) => return Err(error),
			Err(error) => {
				tracing::warn!(%error, size = name(class), "no product of this size was measured");
				return Ok(None);
			}
		};
		tracing::info!(kernel = %variant, rate, size = name(class), "products were measured");
		known.insert(name(class), Fastest { kernel: variant.to_string(), rate });
		if let Err(error) = self.write(&known) {
			tracing::warn!(%error, file = %self.file.display(), "measurements were not kept");
		}
		Ok(Some(Choice { variant, rate: Some(rate) }))
	}

	/// Writes the file. What it says about other devices stays.
	fn write(&self, known: &Known) -> io::Result<()> {
		let mut stored = read(&self.file, &self.kernels);
		stored.kernels.clone_from(&self.kernels);
		stored.devices.insert(self.device.clone(), known.clone());
		if let Some(folder) = self.file.parent() {
			fs::create_dir_all(folder)?;
		}
		// Whole or not at all, whoever else writes.
		let unfinished = self.file.with_extension(format!("{}.tmp", std::process::id()));
		fs::write(&unfinished, serde_json::to_vec_pretty(&stored)?)?;
		fs::rename(&unfinished, &self.file)
	}
}

impl Fastest {
	fn choice(&self) -> Option<Choice> {
		let variant = Variant::named(&self.kernel)?;
		Some(Choice { variant, rate: Some(self.rate).filter(|rate| *rate > 0) })
	}
}

/// The content of the file, if it is there, whole and of these kernels.
fn read(file: &Path, kernels: &str) -> Stored {
	let bytes = match fs::read(file) {
		Ok(bytes) => bytes,
		Err(error) => {
			if error.kind() != io::ErrorKind::NotFound {
				tracing::warn!(%error, file = %file.display(), "measurements cannot be read");
			}
			return Stored::default();
		}
	};
	match serde_json::from_slice::<Stored>(&bytes) {
		Ok(stored) if stored.kernels == kernels => stored,
		Ok(_) => Stored::default(),
		Err(error) => {
			tracing::warn!(%error, file = %file.display(), "measurements are damaged: measuring anew");
			Stored::default()
		}
	}
}

/// The largest size of the class of `size`.
fn class(size: Size) -> Size {
	let Size { batches, rows, depth, columns } = size;
	let [batches, rows, depth, columns] =
		[(batches, LARGEST[0]), (rows, LARGEST[1]), (depth, LARGEST[2]), (columns, LARGEST[3])]
			.map(|(extent, largest)| extent.min(largest).next_power_of_two());
	Size { batches, rows, depth, columns }
}

fn name(class: Size) -> String {
	let Size { batches, rows, depth, columns } = class;
	format!("{batches}x{rows}x{depth}x{columns}")
}

/// `size` with its largest extents halved until it has no more than `most` multiply-accumulates.
fn affordable(mut size: Size, most: u64) -> Size {
	while size.macs() > most {
		let extents = [&mut size.batches, &mut size.rows, &mut size.depth, &mut size.columns];
		match extents.into_iter().max() {
			Some(largest) if *largest > 1 => *largest /= 2,
			_ => break,
		}
	}
	size
}

/// The fastest kernel that gives the bits of the CPU, and its rate.
fn fastest(device: &GpuDevice, class: Size) -> Result<(Variant, u64), GpuError> {
	let size = affordable(class, MACS.min(device.rate() / PART));
	let trial = Trial::new(size)?;
	let mut fastest: Option<(Variant, Duration)> = None;
	let mut failure = GpuError::Inconsistent;
	let suits = |variant: &Variant| variant.suits(size, device.kind());
	for variant in Variant::ALL.into_iter().filter(suits) {
		match trial.time(device, variant) {
			Ok(took) => {
				tracing::debug!(kernel = %variant, ?took, size = name(size), "measured");
				if fastest.is_none_or(|(_, least)| took < least) {
					fastest = Some((variant, took));
				}
			}
			Err(error) => {
				tracing::warn!(%error, kernel = %variant, "this kernel is not used");
				failure = error;
			}
		}
	}
	let (variant, took) = fastest.ok_or(failure)?;
	Ok((variant, (size.macs() as f64 / took.as_secs_f64().max(1e-9)) as u64))
}

/// A product on random bytes with its result.
struct Trial {
	program: Arc<CheckedProgram>,
	constants: Vec<Arc<[u8]>>,
	expected: Vec<Vec<u8>>,
}

impl Trial {
	fn new(size: Size) -> Result<Self, GpuError> {
		let (program, constants) = trial(size);
		let program = CheckedProgram::new(program).map_err(|_| GpuError::Inconsistent)?;
		let program = Arc::new(program);
		let expected = CpuExecutor::new(program.clone(), constants.clone())
			.and_then(|mut cpu| cpu.run_iteration(&[], &[]))
			.map_err(|_| GpuError::Inconsistent)?;
		Ok(Self { program, constants, expected })
	}

	/// Time that one kernel takes, if it gives the right bits.
	fn time(&self, device: &GpuDevice, variant: Variant) -> Result<Duration, GpuError> {
		let choose = |_: Size| Ok(Choice { variant, rate: None });
		let (program, constants) = (self.program.clone(), self.constants.clone());
		let mut executor = GpuExecutor::choosing(device, program, constants, &choose)?;
		if executor.run(&[], &[])? != self.expected {
			return Err(GpuError::WrongBits(variant.to_string()));
		}
		executor.time_products()
	}
}

/// A program that multiplies two constants, adds a bias and rescales to bytes, and its constants. Both
/// operands are packed when they are uploaded, so that the product alone is timed.
fn trial(size: Size) -> (Program, Vec<Arc<[u8]>>) {
	let Size { batches, rows, depth, columns } = size;
	let types = [
		TensorType::new(DType::I8, [batches, rows, depth]),
		TensorType::new(DType::I8, [batches, depth, columns]),
		TensorType::new(DType::I32, [1, 1, columns]),
		TensorType::new(DType::I32, [columns]),
		TensorType::new(DType::I8, [columns]),
	];
	// Sums of `depth` products of bytes deviate by about 2^(12 + half); results should by 2^6.
	let half = depth.ilog2() / 2;
	let shift = (37 + half) as u8;
	let mut state = 0x9e37_79b9_7f4a_7c15u64;
	let mut noise = |count: u64| -> Vec<u8> {
		let next = || {
			state = state
				.wrapping_mul(6_364_136_223_846_793_005)
				.wrapping_add(1_442_695_040_888_963_407);
			(state >> 56) as u8
		};
		std::iter::repeat_with(next).take(count as usize).collect()
	};
	let constants = vec![
		noise(types[0].elements()),
		noise(types[1].elements()),
		noise(types[2].elements())
			.iter()
			.flat_map(|byte| (i32::from(*byte as i8) << (6 + half)).to_le_bytes())
			.collect(),
		// Between 2^30 and 2^31, as a compiler makes them.
		noise(types[3].elements())
			.iter()
			.flat_map(|byte| ((1 << 30) + (i32::from(*byte) << 20)).to_le_bytes())
			.collect(),
		vec![shift; columns as usize],
	];
	let of = |ty: TensorType| Constant {
		ty,
		layout: Layout::row_major(),
		// Nothing fetches it: the bytes are made here.
		data: ConstantData::Blob([0; 32]),
	};
	let rescale = Op::Rescale {
		output: DType::I8,
		input_zero_point: 0,
		output_zero_point: -5,
		per_channel: true,
	};
	let program = Program {
		format: FORMAT,
		inputs: Vec::new(),
		constants: types.map(of).into(),
		state: Vec::new(),
		nodes: vec![
			Node { op: Op::MatMul { a_zero_point: 3, b_zero_point: 0 }, operands: vec![0, 1] },
			Node { op: Op::Binary(Binary::Add), operands: vec![5, 2] },
			Node { op: rescale, operands: vec![6, 3, 4] },
		],
		outputs: vec![7],
		checkpoints: vec![Checkpoint { value: 7, layout: Layout::row_major() }],
		max_iterations: 1,
	};
	(program, constants.into_iter().map(Arc::from).collect())
}

#[cfg(test)]
mod tests {
	use super::*;

	fn size(batches: u32, rows: u32, depth: u32, columns: u32) -> Size {
		Size { batches, rows, depth, columns }
	}

	#[test]
	fn sizes_with_the_same_powers_of_two_are_one_class() {
		assert_eq!(class(size(1, 100, 384, 1000)), class(size(1, 128, 500, 1024)));
		assert_ne!(class(size(1, 64, 384, 1000)), class(size(1, 65, 384, 1000)));
		assert_eq!(class(size(1, 1 << 20, 131_071, 3)), size(1, 4096, 8192, 4));
	}

	#[test]
	fn what_is_measured_has_few_enough_products() {
		assert_eq!(affordable(size(1, 4096, 4096, 4096), 1 << 30), size(1, 1024, 1024, 1024));
		assert_eq!(affordable(size(1, 1, 8192, 64), 1 << 20), size(1, 1, 8192, 64));
		assert_eq!(affordable(size(2, 2, 2, 2), 0), size(1, 1, 1, 1));
	}

	#[test]
	fn a_trial_is_a_program_whose_result_says_something() {
		for size in [size(1, 1, 16, 1), size(2, 33, 100, 17), size(1, 8, 8192, 8)] {
			let trial = Trial::new(size).expect("a valid program");
			let distinct: std::collections::BTreeSet<u8> =
				trial.expected[0].iter().copied().collect();
			let elements = trial.expected[0].len();
			assert!(distinct.len() * 4 >= elements.min(128), "{size:?}: {distinct:?}");
		}
	}

	#[test]
	fn a_kernel_that_gives_other_bits_than_the_cpu_is_never_used() {
		let device = GpuDevice::open(true)
			.expect("this test needs a Vulkan adapter: install mesa-vulkan-drivers");
		let mut trial = Trial::new(size(1, 2, 40, 3)).expect("a valid program");
		let variant = Variant::ALL[0];
		assert!(trial.time(&device, variant).is_ok_and(|took| took > Duration::ZERO));
		trial.expected[0][4] ^= 1;
		assert_eq!(trial.time(&device, variant), Err(GpuError::WrongBits(variant.to_string())));
	}

	#[test]
	fn a_damaged_file_and_one_of_other_kernels_count_for_nothing() {
		let folder = tempfile::tempdir().expect("a folder");
		let file = folder.path().join(FILE);
		assert!(read(&file, "a").devices.is_empty());
		let known = BTreeMap::from([(
			"1x1x1x1".to_owned(),
			Fastest { kernel: Variant::ALL[0].to_string(), rate: 1 },
		)]);
		let devices = BTreeMap::from([("d".to_owned(), known)]);
		let whole = serde_json::to_vec(&Stored { kernels: "a".into(), devices }).expect("JSON");
		fs::write(&file, &whole).expect("written");
		assert_eq!(read(&file, "a").devices.len(), 1);
		assert!(read(&file, "b").devices.is_empty());
		fs::write(&file, &whole[..whole.len() / 2]).expect("written");
		assert!(read(&file, "a").devices.is_empty());
	}
}
