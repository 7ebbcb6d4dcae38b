// SPDX-License-Identifier: Apache-2.0

//! The devices of this machine: every wgpu adapter and the native CPU path, with what they can hold
//! and how fast they multiply.

use crate::gpu::{GpuDevice, GpuExecutor};
use anyhow::Context;
use serde::Serialize;
use std::{
	sync::Arc,
	time::{Duration, Instant},
};
use tensornet_tensor::{
	CheckedProgram, Checkpoint, Constant, ConstantData, CpuExecutor, DType, Executor, Layout, Node,
	Op, Program, Reduction, TensorType, FORMAT,
};

/// What sort of device computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
	/// A GPU with memory of its own.
	Discrete,
	/// A GPU that shares the machine's memory.
	Integrated,
	/// A GPU given to a virtual machine, or one whose driver does not say.
	Virtual,
	/// The native CPU path.
	Cpu,
	/// A graphics driver that computes on the CPU. Slower than the CPU path, and meant for tests: it
	/// is used only where that is asked for.
	Software,
}

impl DeviceKind {
	/// The kind of an adapter.
	pub fn of(info: &wgpu::AdapterInfo) -> Self {
		match info.device_type {
			wgpu::DeviceType::DiscreteGpu => Self::Discrete,
			wgpu::DeviceType::IntegratedGpu => Self::Integrated,
			wgpu::DeviceType::VirtualGpu | wgpu::DeviceType::Other => Self::Virtual,
			wgpu::DeviceType::Cpu => Self::Software,
		}
	}

	/// Multiply-accumulates a second that even a slow device of this kind reaches; dispatches are
	/// sized by it until the device is measured.
	pub(crate) fn assumed_rate(self) -> u64 {
		match self {
			Self::Discrete => 200_000_000_000,
			Self::Integrated | Self::Virtual => 20_000_000_000,
			Self::Cpu | Self::Software => 500_000_000,
		}
	}

	fn name(self) -> &'static str {
		match self {
			Self::Discrete => "discrete",
			Self::Integrated => "integrated",
			Self::Virtual => "virtual",
			Self::Cpu => "cpu",
			Self::Software => "software",
		}
	}
}

/// A device of this machine.
#[derive(Clone, Debug, Serialize)]
pub struct DeviceInfo {
	/// Name that the driver gives.
	pub name: String,
	/// Graphics interface: `vulkan`, `metal`, `dx12`; `native` for the CPU path.
	pub backend: String,
	/// What sort of device it is.
	pub kind: DeviceKind,
	/// Driver and its version; for the CPU path, the number of threads.
	pub driver: String,
	/// Largest tensor it takes, in elements; none where only memory limits it.
	pub max_tensor_elements: Option<u64>,
	/// Multiply-accumulates of 8-bit integers a second, as measured; none where not measured or
	/// where the device failed, which `error` then explains.
	pub int8_rate: Option<u64>,
	/// Why the device cannot be used.
	pub error: Option<String>,
}

/// The devices of this machine, best first, each measured for a few tenths of a second.
pub fn list() -> Vec<DeviceInfo> {
	let mut devices: Vec<DeviceInfo> = GpuDevice::all()
		.into_iter()
		.map(|(info, opened)| {
			let measured = opened.map_err(anyhow::Error::from).and_then(|device| {
				let device = Arc::new(device);
				let rate = measure_gpu(&device)?;
				Ok((device.max_tensor_bytes() / 4, rate))
			});
			let (max_tensor_elements, int8_rate, error) = match measured {
				Ok((elements, rate)) => (Some(elements), Some(rate), None),
				Err(error) => (None, None, Some(format!("{error:#}"))),
			};
			DeviceInfo {
				backend: info.backend.to_string(),
				kind: DeviceKind::of(&info),
				driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
				name: info.name,
				max_tensor_elements,
				int8_rate,
				error,
			}
		})
		.collect();
	devices.push(cpu());
	devices.sort_by_key(|device| device.kind);
	devices
}

/// The native CPU path, measured.
fn cpu() -> DeviceInfo {
	let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
	let measured = measure_int8_rate(|program, constants| {
		CpuExecutor::new(program, constants).context("the CPU path refused a product")
	});
	let (int8_rate, error) = match measured {
		Ok(rate) => (Some(rate), None),
		Err(error) => (None, Some(format!("{error:#}"))),
	};
	DeviceInfo {
		name: format!("CPU, {}", std::env::consts::ARCH),
		backend: "native".into(),
		kind: DeviceKind::Cpu,
		driver: format!("{threads} threads"),
		max_tensor_elements: None,
		int8_rate,
		error,
	}
}

/// Measures a GPU and lets it size its dispatches by the result.
pub fn measure_gpu(device: &Arc<GpuDevice>) -> anyhow::Result<u64> {
	let rate = measure_int8_rate(|program, constants| {
		Ok(GpuExecutor::new(device.clone(), program, constants)?)
	})?;
	device.set_rate(rate);
	Ok(rate)
}

/// Multiply-accumulates a second in products of square int8 matrices. The matrices grow until a run
/// takes long enough to be measured or they are as large as any network's.
///
/// The operands are constants and only a maximum over rows is read back, so that the figure is the
/// device's and not that of the way to it. `make` gets the program and its constants.
pub fn measure_int8_rate<E: Executor>(
	make: impl Fn(Arc<CheckedProgram>, Vec<Arc<[u8]>>) -> anyhow::Result<E>,
) -> anyhow::Result<u64> {
	const ENOUGH: Duration = Duration::from_millis(150);
	let mut size = 128u32;
	loop {
		let program = Arc::new(products(size)?);
		let bytes: Arc<[u8]> =
			(0..size * size).map(|i| (i.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect();
		let mut executor = make(program.clone(), vec![bytes.clone(), bytes])?;
		// The first run compiles kernels and touches memory.
		executor.run_iteration(&[], &[])?;
		let start = Instant::now();
		executor.run_iteration(&[], &[])?;
		let took = start.elapsed();
		if took >= ENOUGH || size >= 4096 {
			return Ok((program.macs() as f64 / took.as_secs_f64().max(1e-9)) as u64);
		}
		size *= if took * 16 < ENOUGH { 4 } else { 2 };
	}
}

/// A chain of products of `size` x `size` int8 constants, reduced to the largest element of each
/// column.
fn products(size: u32) -> anyhow::Result<CheckedProgram> {
	const PRODUCTS: u16 = 4;
	let constant = Constant {
		ty: TensorType::new(DType::I8, [1, size, size]),
		layout: Layout::row_major(),
		// Nothing fetches it: the bytes are made here.
		data: ConstantData::Blob([0; 32]),
	};
	let mut nodes = Vec::new();
	let mut left = 0;
	for product in 0..PRODUCTS {
		let value = 2 + 2 * product;
		let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		nodes.push(Node { op, operands: vec![left, 1] });
		nodes.push(Node { op: Op::Cast { to: DType::I8 }, operands: vec![value] });
		left = value + 1;
	}
	let op = Op::Reduce { reduction: Reduction::Max, axis: 1 };
	nodes.push(Node { op, operands: vec![left] });
	let value = left + 1;
	let program = Program {
		format: FORMAT,
		inputs: Vec::new(),
		constants: vec![constant.clone(), constant],
		state: Vec::new(),
		nodes,
		outputs: vec![value],
		checkpoints: vec![Checkpoint { value, layout: Layout::row_major() }],
		max_iterations: 1,
	};
	CheckedProgram::new(program).context("the measuring program was refused")
}

/// Prints the devices of this machine: a table, or one JSON array.
pub fn print(json: bool) -> anyhow::Result<()> {
	let devices = list();
	if json {
		println!("{}", serde_json::to_string_pretty(&devices)?);
		return Ok(());
	}
	println!("{:<10} {:<8} {:>14}  NAME", "KIND", "BACKEND", "INT8 MAC/s");
	for device in devices {
		let rate = device.int8_rate.map_or("-".into(), human);
		let about = device.error.map_or(device.driver, |error| format!("cannot be used: {error}"));
		let (kind, backend) = (device.kind.name(), device.backend);
		println!("{kind:<10} {backend:<8} {rate:>14}  {} ({about})", device.name);
	}
	Ok(())
}

/// A rate with three or four significant digits and a decimal prefix.
pub(crate) fn human(rate: u64) -> String {
	let prefixes = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
	let rate = rate as f64;
	match prefixes.iter().find(|(size, _)| rate >= *size) {
		Some((size, prefix)) => format!("{:.1} {prefix}", rate / size),
		None => format!("{rate}"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn rates_are_printed_with_a_prefix() {
		assert_eq!(human(2_500_000_000), "2.5 G");
		assert_eq!(human(12), "12");
	}

	#[test]
	fn the_cpu_is_listed_with_a_rate() {
		let device = cpu();
		assert_eq!(device.kind, DeviceKind::Cpu);
		assert!(device.int8_rate.is_some_and(|rate| rate > 0), "{device:?}");
	}
}
