// SPDX-License-Identifier: Apache-2.0

//! An opened adapter: device, queue, limits and the pipelines compiled so far.

use super::{
	error::GpuError,
	kernel::Kernel,
	product::{MAX_INVOCATIONS, WORKGROUP_BYTES},
};
use crate::devices::DeviceKind;
use std::{
	borrow::Cow,
	collections::HashMap,
	panic::{catch_unwind, AssertUnwindSafe},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::Duration,
};

/// Most buffers that a kernel binds: parameters, output and four operands.
const STORAGE_BUFFERS: u32 = 6;

/// An opened GPU. Shared by the executors that use it; compiled pipelines are kept for all of them.
pub(crate) struct Gpu {
	device: wgpu::Device,
	queue: wgpu::Queue,
	limits: wgpu::Limits,
	rate: AtomicU64,
	/// Set by wgpu's callbacks: why the device is gone, and errors outside any scope.
	fault: Arc<Mutex<Option<GpuError>>>,
	cache: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
	modules: HashMap<Cow<'static, str>, wgpu::ShaderModule>,
	layouts: HashMap<usize, (wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
	/// By file and pipeline constant.
	pipelines: HashMap<(Cow<'static, str>, Option<u32>), Pipeline>,
}

/// A compiled kernel with the layout of its bindings.
#[derive(Clone)]
pub(crate) struct Pipeline {
	pub pipeline: wgpu::ComputePipeline,
	pub layout: wgpu::BindGroupLayout,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
	// The data behind these locks is valid after any panic: maps of finished entries.
	mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
	/// Opens an adapter with the largest buffers it offers.
	pub(crate) fn open(adapter: &wgpu::Adapter) -> Result<Arc<Self>, GpuError> {
		let info = adapter.get_info();
		let offered = adapter.limits();
		let needed = wgpu::Limits::downlevel_defaults();
		if offered.max_compute_invocations_per_workgroup < MAX_INVOCATIONS
			|| offered.max_compute_workgroup_size_x < 64
			|| offered.max_compute_workgroup_storage_size < WORKGROUP_BYTES
			|| offered.max_storage_buffers_per_shader_stage < STORAGE_BUFFERS
		{
			return Err(GpuError::Unusable(format!(
				"{} lacks compute workgroups of {MAX_INVOCATIONS} or {STORAGE_BUFFERS} storage buffers",
				info.name
			)));
		}
		let limits = wgpu::Limits {
			max_buffer_size: offered.max_buffer_size,
			max_storage_buffer_binding_size: offered.max_storage_buffer_binding_size,
			max_storage_buffers_per_shader_stage: STORAGE_BUFFERS,
			max_compute_invocations_per_workgroup: MAX_INVOCATIONS,
			max_compute_workgroup_size_x: 256.min(offered.max_compute_workgroup_size_x),
			max_compute_workgroups_per_dimension: offered.max_compute_workgroups_per_dimension,
			min_storage_buffer_offset_alignment: offered.min_storage_buffer_offset_alignment,
			..needed.or_worse_values_from(&offered)
		};
		let descriptor = wgpu::DeviceDescriptor {
			label: Some("tensornet"),
			required_limits: limits.clone(),
			..Default::default()
		};
		let (device, queue) = pollster::block_on(adapter.request_device(&descriptor))
			.map_err(|e| GpuError::Unusable(format!("{}: {e}", info.name)))?;

		let fault = Arc::new(Mutex::new(None));
		let on_lost = fault.clone();
		device.set_device_lost_callback(move |_, message| {
			*lock(&on_lost) = Some(GpuError::DeviceLost(message));
		});
		let on_error = fault.clone();
		device.on_uncaptured_error(Arc::new(move |error| {
			lock(&on_error).get_or_insert(classify(error));
		}));

		let rate = AtomicU64::new(DeviceKind::of(&info).assumed_rate());
		let cache = Mutex::default();
		Ok(Arc::new(Self { device, queue, limits, rate, fault, cache }))
	}

	/// Largest tensor the adapter takes, in bytes on the device (four for each element).
	pub(crate) fn max_tensor_bytes(&self) -> u64 {
		let limits = &self.limits;
		limits
			.max_storage_buffer_binding_size
			.min(limits.max_buffer_size)
			// Kernels index elements with 32 bits.
			.min(u32::MAX as u64)
			& !3
	}

	/// Multiply-accumulates a second that dispatches are sized by: a cautious guess for the kind of
	/// device until a measurement replaces it.
	pub(crate) fn rate(&self) -> u64 {
		self.rate.load(Ordering::Relaxed)
	}

	/// Sets the rate that later executors size their dispatches by.
	pub(crate) fn set_rate(&self, macs_per_second: u64) {
		self.rate.store(macs_per_second.max(1_000_000), Ordering::Relaxed);
	}

	/// Why the device can no longer be used, if it cannot.
	pub(crate) fn fault(&self) -> Option<GpuError> {
		lock(&self.fault).clone()
	}

	/// Gives the device up: what it holds is invalid afterwards and [`fault`](Self::fault) says so.
	pub(crate) fn destroy(&self) {
		self.device.destroy();
		lock(&self.fault).get_or_insert(GpuError::DeviceLost("destroyed".into()));
	}

	pub(crate) fn device(&self) -> &wgpu::Device {
		&self.device
	}

	pub(crate) fn queue(&self) -> &wgpu::Queue {
		&self.queue
	}

	/// Alignment of parameter blocks in their buffer.
	pub(crate) fn alignment(&self) -> u64 {
		self.limits.min_storage_buffer_offset_alignment.into()
	}

	/// A grid of at least `groups` workgroups, folded into two dimensions where one is too short.
	pub(crate) fn grid(&self, groups: u64) -> (u32, u32) {
		let most = u64::from(self.limits.max_compute_workgroups_per_dimension.max(1));
		let x = groups.clamp(1, most);
		let y = groups.div_ceil(x).clamp(1, most);
		(x as u32, y as u32)
	}

	/// Most workgroups of one dispatch.
	pub(crate) fn max_groups(&self) -> u64 {
		let most = u64::from(self.limits.max_compute_workgroups_per_dimension.max(1));
		most * most
	}

	/// Runs `body` and turns every error that wgpu reports meanwhile into a value.
	pub(crate) fn scoped<T>(
		&self,
		body: impl FnOnce() -> Result<T, GpuError>,
	) -> Result<T, GpuError> {
		if let Some(fault) = self.fault() {
			return Err(fault);
		}
		let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
		let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
		let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
		let result = body();
		// The first cause wins: exhausted memory makes later calls invalid.
		let mut caught = None;
		for scope in [memory, validation, internal] {
			caught = caught.or(pollster::block_on(scope.pop()).map(classify));
		}
		// A lost device explains everything else.
		match self.fault().or(caught) {
			Some(error) => Err(error),
			None => result,
		}
	}

	/// Waits until all submitted work is done.
	pub(crate) fn wait(&self, limit: Duration) -> Result<(), GpuError> {
		let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(limit) };
		// wgpu panics here when the driver reports a lost device.
		match catch_unwind(AssertUnwindSafe(|| self.device.poll(poll))) {
			Ok(Ok(_)) => Ok(()),
			Ok(Err(_)) => Err(GpuError::Hung(limit.as_secs())),
			Err(_) => {
				let lost = GpuError::DeviceLost("the driver failed while waiting".into());
				Err(lock(&self.fault).get_or_insert(lost).clone())
			}
		}
	}

	/// Marks a device that does not finish, and keeps its objects for ever: dropping them would wait
	/// for the device.
	pub(crate) fn abandon(self: &Arc<Self>, fault: GpuError) {
		lock(&self.fault).get_or_insert(fault);
		std::mem::forget(self.clone());
	}

	/// The pipeline of a kernel, compiled on first use.
	pub(crate) fn pipeline(&self, kernel: Kernel) -> Pipeline {
		let name = kernel.name();
		let key = (name.clone(), kernel.op());
		let mut cache = lock(&self.cache);
		if let Some(found) = cache.pipelines.get(&key) {
			return found.clone();
		}
		let module = cache
			.modules
			.entry(name.clone())
			.or_insert_with(|| {
				self.device.create_shader_module(wgpu::ShaderModuleDescriptor {
					label: Some(&name),
					source: wgpu::ShaderSource::Wgsl(Cow::Owned(kernel.source())),
				})
			})
			.clone();
		let (layout, pipeline_layout) = cache
			.layouts
			.entry(kernel.operands())
			.or_insert_with(|| self.layouts(kernel.operands()))
			.clone();
		let constants: Vec<(&str, f64)> =
			kernel.op().map(|op| ("OP", f64::from(op))).into_iter().collect();
		let pipeline = self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
			label: Some(&name),
			layout: Some(&pipeline_layout),
			module: &module,
			entry_point: Some("main"),
			compilation_options: wgpu::PipelineCompilationOptions {
				constants: &constants,
				// The matrix kernels write every staged element before they read it.
				zero_initialize_workgroup_memory: false,
			},
			cache: None,
		});
		let made = Pipeline { pipeline, layout };
		cache.pipelines.insert(key, made.clone());
		made
	}

	fn layouts(&self, operands: usize) -> (wgpu::BindGroupLayout, wgpu::PipelineLayout) {
		let entries: Vec<_> = (0..operands as u32 + 2)
			.map(|binding| wgpu::BindGroupLayoutEntry {
				binding,
				visibility: wgpu::ShaderStages::COMPUTE,
				ty: wgpu::BindingType::Buffer {
					ty: wgpu::BufferBindingType::Storage { read_only: binding != 1 },
					has_dynamic_offset: false,
					min_binding_size: None,
				},
				count: None,
			})
			.collect();
		let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
			label: None,
			entries: &entries,
		});
		let pipeline = self.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
			label: None,
			bind_group_layouts: &[Some(&layout)],
			immediate_size: 0,
		});
		(layout, pipeline)
	}
}

fn classify(error: wgpu::Error) -> GpuError {
	match error {
		wgpu::Error::OutOfMemory { .. } => GpuError::OutOfMemory,
		wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
			GpuError::Refused(description)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use tensornet_tensor::ExecError;

	#[test]
	fn exhausted_memory_means_that_the_job_is_too_large_for_this_device() {
		let error = classify(wgpu::Error::OutOfMemory { source: "no memory".into() });
		assert_eq!(error, GpuError::OutOfMemory);
		assert!(matches!(ExecError::from(error), ExecError::TooLarge(_)));
	}
}
