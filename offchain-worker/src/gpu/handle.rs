// SPDX-License-Identifier: Apache-2.0

//! The GPU that a worker uses: found among the adapters, and opened again after it was lost.

use super::{
	device::Gpu,
	error::GpuError,
	product::{Choice, Size, Variant},
	tune::Tuner,
};
use crate::devices::DeviceKind;
use std::{
	path::Path,
	sync::{Arc, Mutex, PoisonError},
	time::Duration,
};

/// A device gets this long for an iteration, and a multiple of the estimate on top.
const PATIENCE: Duration = Duration::from_secs(60);

/// A GPU of this machine. When the device behind it is lost, hung or broken, the next executor made
/// on it opens it anew; executors made before stay failed.
pub struct GpuDevice {
	info: wgpu::AdapterInfo,
	memory_limit: Option<u64>,
	packs: bool,
	patience: Duration,
	/// The kernel that makes all products of bytes.
	kernel: Option<Variant>,
	tuner: Option<Tuner>,
	current: Mutex<Arc<Gpu>>,
}

impl GpuDevice {
	/// Opens the best adapter of this machine: discrete before integrated before virtual ones.
	/// Software adapters, which compute on the CPU, are considered only with `allow_software`.
	pub fn open(allow_software: bool) -> Result<Self, GpuError> {
		let mut first_failure = None;
		for adapter in adapters() {
			if DeviceKind::of(&adapter.get_info()) == DeviceKind::Software && !allow_software {
				continue;
			}
			match Self::from_adapter(&adapter) {
				Ok(device) => return Ok(device),
				Err(error) => first_failure = first_failure.or(Some(error)),
			}
		}
		Err(first_failure.unwrap_or(GpuError::NoAdapter))
	}

	/// Every adapter of this machine, software ones included, best first, opened where possible.
	pub fn all() -> Vec<(wgpu::AdapterInfo, Result<Self, GpuError>)> {
		let with_info = |adapter: &wgpu::Adapter| (adapter.get_info(), Self::from_adapter(adapter));
		adapters().iter().map(with_info).collect()
	}

	fn from_adapter(adapter: &wgpu::Adapter) -> Result<Self, GpuError> {
		let gpu = Gpu::open(adapter)?;
		let info = adapter.get_info();
		Ok(Self {
			info,
			memory_limit: None,
			packs: true,
			patience: PATIENCE,
			kernel: None,
			tuner: None,
			current: Mutex::new(gpu),
		})
	}

	/// Refuses programs that need more than `bytes` of device and staging memory.
	pub fn with_memory_limit(mut self, bytes: u64) -> Self {
		self.memory_limit = Some(bytes);
		self
	}

	/// Whether products of bytes are made four at a time, as they are unless this says otherwise:
	/// even where no instruction does it, the operands are read faster. The result is the same.
	pub fn with_packed_products(mut self, packed: bool) -> Self {
		self.packs = packed;
		self
	}

	/// Measures which kernel makes products of bytes of a size fastest, when the first one of about that
	/// size comes, and keeps what it finds in a file in `folder`. Each kernel has to compute the same bits
	/// as the CPU before it is measured.
	pub fn with_tuning(mut self, folder: &Path) -> Self {
		self.tuner = Some(Tuner::open(folder, &self.info));
		self
	}

	/// Names of the kernels of products of bytes.
	pub fn product_kernels() -> Vec<String> {
		Variant::ALL.iter().map(Variant::to_string).collect()
	}

	/// Makes all products of bytes with one of [`product_kernels`](Self::product_kernels); none if there is
	/// none of that name. The result is the same.
	pub fn with_product_kernel(mut self, name: &str) -> Option<Self> {
		self.kernel = Some(Variant::named(name)?);
		Some(self)
	}

	/// How long an iteration may take on top of fifty times its estimate before the device counts as
	/// hung: 60 s unless this says otherwise.
	pub fn with_patience(mut self, patience: Duration) -> Self {
		self.patience = patience;
		self
	}

	/// Name that the driver gives.
	pub fn name(&self) -> &str {
		&self.info.name
	}

	/// Name, backend and driver of the adapter.
	pub fn info(&self) -> &wgpu::AdapterInfo {
		&self.info
	}

	/// What sort of device this is.
	pub fn kind(&self) -> DeviceKind {
		DeviceKind::of(&self.info)
	}

	/// Largest tensor the adapter takes, in bytes on the device: four for each element.
	pub fn max_tensor_bytes(&self) -> u64 {
		self.current().max_tensor_bytes()
	}

	/// Multiply-accumulates a second that dispatches are sized by.
	pub fn rate(&self) -> u64 {
		self.current().rate()
	}

	/// Sets the rate that later executors size their dispatches by, in multiply-accumulates a second.
	pub fn set_rate(&self, macs_per_second: u64) {
		self.current().set_rate(macs_per_second);
	}

	/// Gives the device up, as if the driver had lost it. Executors made on it fail from now on.
	pub fn lose(&self) {
		self.current().destroy();
	}

	/// Most bytes that an executor may hold.
	pub(crate) fn memory_limit(&self) -> Option<u64> {
		self.memory_limit
	}

	/// Whether products of bytes are made four at a time.
	pub(crate) fn packs(&self) -> bool {
		self.packs
	}

	/// How long an iteration may take on top of a multiple of its estimate.
	pub(crate) fn patience(&self) -> Duration {
		self.patience
	}

	/// Which kernel makes a product of bytes of some size.
	pub(crate) fn choose(&self, size: Size) -> Result<Choice, GpuError> {
		let usual = || Choice { variant: Variant::usual(size, self.kind()), rate: None };
		match (self.kernel, &self.tuner) {
			(Some(variant), _) => Ok(Choice { variant, rate: None }),
			(None, Some(tuner)) => Ok(tuner.choose(self, size)?.unwrap_or_else(usual)),
			(None, None) => Ok(usual()),
		}
	}

	/// The opened device, opened anew if it has failed since.
	pub(crate) fn working(&self) -> Result<Arc<Gpu>, GpuError> {
		let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(fault) = current.fault() {
			tracing::warn!(%fault, device = self.name(), "opening the device again");
			let same = |adapter: &wgpu::Adapter| {
				let info = adapter.get_info();
				info.backend == self.info.backend
					&& info.vendor == self.info.vendor
					&& info.device == self.info.device
					&& info.device_pci_bus_id == self.info.device_pci_bus_id
					&& info.name == self.info.name
			};
			let adapter = adapters().into_iter().find(same).ok_or(GpuError::NoAdapter)?;
			let opened = Gpu::open(&adapter)?;
			opened.set_rate(current.rate());
			*current = opened;
		}
		Ok(current.clone())
	}

	fn current(&self) -> Arc<Gpu> {
		self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
	}
}

/// The adapters of this machine, best kind first.
fn adapters() -> Vec<wgpu::Adapter> {
	let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
		backends: wgpu::Backends::PRIMARY,
		// The driver's validation layers are for developing kernels; wgpu's own checks stay on.
		flags: wgpu::InstanceFlags::empty(),
		..wgpu::InstanceDescriptor::new_without_display_handle()
	});
	let mut adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
	adapters.sort_by_key(|adapter| DeviceKind::of(&adapter.get_info()));
	adapters
}
