// SPDX-License-Identifier: Apache-2.0

//! The engine: runs programs on the chosen device, one at a time.

use anyhow::Result;
use std::sync::{Arc, Mutex};
use tensornet_client::{
	execution::{Materials, Tamper, Trace},
	BlobStore,
};
use tensornet_tensor::{CpuExecutor, Executor};

use crate::gpu::{GpuDevice, GpuExecutor};

/// Where programs run.
enum Device {
	Cpu,
	Gpu(Arc<GpuDevice>),
}

/// A device with a queue of one: jobs wait for each other. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
	device: Arc<Device>,
	name: Arc<str>,
	loaded: Arc<Mutex<Option<Loaded>>>,
}

/// The program that ran last stays on the device: the next job often uses it again.
struct Loaded {
	program: [u8; 32],
	executor: Box<dyn Executor + Send>,
}

impl Engine {
	/// Runs programs on the native CPU path.
	pub fn cpu() -> Self {
		Self::new(Device::Cpu, "cpu")
	}

	/// Runs programs on a GPU.
	pub fn gpu(device: Arc<GpuDevice>) -> Self {
		let name = device.name().to_owned();
		Self::new(Device::Gpu(device), &name)
	}

	fn new(device: Device, name: &str) -> Self {
		Self { device: Arc::new(device), name: name.into(), loaded: Default::default() }
	}

	/// Name of the device.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Runs a job and keeps its trace in `store`. Waits for the job before it. If the device fails,
	/// what was loaded on it is dropped, and the next call starts afresh.
	pub fn execute(
		&self,
		materials: &Materials,
		store: &BlobStore,
		tamper: Option<Tamper>,
	) -> Result<Trace> {
		let mut loaded = self.loaded.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
		let program = materials.program.id();
		let mut current = match loaded.take() {
			Some(current) if current.program == program => current,
			_ => Loaded { program, executor: self.load(materials)? },
		};
		let trace = materials.execute(current.executor.as_mut(), store, tamper)?;
		*loaded = Some(current);
		Ok(trace)
	}

	fn load(&self, materials: &Materials) -> Result<Box<dyn Executor + Send>> {
		let (program, constants) = (materials.program.clone(), materials.constants.clone());
		Ok(match &*self.device {
			Device::Cpu => Box::new(
				CpuExecutor::new(program, constants)
					.map_err(|error| anyhow::anyhow!("the program cannot be loaded: {error}"))?,
			),
			Device::Gpu(device) => Box::new(
				GpuExecutor::new(device.clone(), program, constants)
					.map_err(|error| anyhow::anyhow!("the program cannot be loaded: {error}"))?,
			),
		})
	}
}
