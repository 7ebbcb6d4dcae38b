// SPDX-License-Identifier: Apache-2.0

//! A program made ready on a device: its buffers, pipelines and bind groups are built once and
//! replayed for every iteration.

use super::{
	device::Gpu,
	error::GpuError,
	handle::GpuDevice,
	lower::{lower, Action, Bounds, Buffer, Choose, Dispatch, Lowered, Upload},
};
use std::{
	sync::{mpsc, Arc},
	time::{Duration, Instant},
};
use tensornet_tensor::{CheckedProgram, ConstantData, ExecError, Executor, Leaf};

/// Bytes reserved for one parameter block; a multiple of every adapter's binding alignment.
pub(crate) const PARAMS_SLOT: u64 = 256;

/// One dispatch, and one submission, is sized to take about this part of a second.
const DISPATCHES_PER_SECOND: u64 = 20;

/// A device gets this many times the estimate of an iteration on top of its patience.
const PATIENCE_FACTOR: u64 = 50;

/// How long a sample of products takes at least, where that takes no more than `REPEATED` of them.
const SAMPLE: Duration = Duration::from_millis(20);
const REPEATED: u128 = 256;

/// Samples of which the least counts.
const SAMPLES: u32 = 3;

/// What takes this long is timed once.
const LONG: Duration = Duration::from_secs(1);

/// Executes a program on a GPU, bit for bit like the native evaluator. Intermediate tensors stay on
/// the device; only checkpoints are read back, narrowed and laid out on the device.
pub struct GpuExecutor {
	gpu: Arc<Gpu>,
	inputs: Vec<Uploaded>,
	state: Vec<Uploaded>,
	steps: Vec<Step>,
	outputs: Vec<Output>,
	bytes: u64,
	work: u64,
	patience: Duration,
}

/// A tensor that is uploaded in each iteration.
struct Uploaded {
	raw: wgpu::Buffer,
	bytes: u64,
}

#[derive(Clone)]
enum Step {
	Dispatch {
		pipeline: wgpu::ComputePipeline,
		bindings: wgpu::BindGroup,
		grid: (u32, u32),
		work: u64,
		/// Whether it is a part of a product of bytes.
		multiplies: bool,
	},
	Download {
		from: wgpu::Buffer,
		output: usize,
	},
}

/// A checkpoint's way to the host.
struct Output {
	staging: wgpu::Buffer,
	bytes: u64,
}

impl GpuExecutor {
	/// Makes `program` ready on `device`. `constants` are the stored bytes of its constants, in order;
	/// those of inline ones are taken from the program and may be empty here.
	///
	/// Fails with [`GpuError::TensorTooLarge`] or [`GpuError::OverMemoryLimit`] before anything is
	/// allocated, with [`GpuError::Count`] or [`GpuError::Size`] for constants that are
	/// not the program's, and as the device fails otherwise.
	pub fn new(
		device: Arc<GpuDevice>,
		program: Arc<CheckedProgram>,
		constants: Vec<Arc<[u8]>>,
	) -> Result<Self, GpuError> {
		Self::choosing(&device, program, constants, &|size| device.choose(size))
	}

	/// As [`new`](Self::new), with the kernels of products that `choose` says.
	pub(crate) fn choosing(
		device: &GpuDevice,
		program: Arc<CheckedProgram>,
		constants: Vec<Arc<[u8]>>,
		choose: &Choose,
	) -> Result<Self, GpuError> {
		let declared = &program.program().constants;
		if declared.len() != constants.len() {
			let (expected, found) = (declared.len(), constants.len());
			return Err(GpuError::Count { what: "constants", expected, found });
		}
		let gpu = device.working()?;
		let bounds = Bounds {
			work: (gpu.rate() / DISPATCHES_PER_SECOND).max(1 << 20),
			rate: gpu.rate(),
			groups: gpu.max_groups(),
			bytes: gpu.max_tensor_bytes(),
			packed: device.packs(),
		};
		let lowered = lower(&program, bounds, choose)?;
		// Measuring products may have lost the device that the bounds are of.
		let gpu = device.working()?;
		let slots = Slots::assign(&lowered);
		let staging: u64 = lowered.checkpoints.iter().map(|b| b.next_multiple_of(4)).sum();
		let bytes = slots.sizes.iter().sum::<u64>() + staging;
		if let Some(limit) = device.memory_limit().filter(|limit| bytes > *limit) {
			return Err(GpuError::OverMemoryLimit { bytes, limit });
		}
		let patience = device.patience();
		gpu.scoped(|| Self::build(&gpu, &program, &constants, &lowered, &slots, bytes, patience))
	}

	fn build(
		gpu: &Arc<Gpu>,
		program: &CheckedProgram,
		constants: &[Arc<[u8]>],
		lowered: &Lowered,
		slots: &Slots,
		bytes: u64,
		patience: Duration,
	) -> Result<Self, GpuError> {
		let buffers: Vec<wgpu::Buffer> =
			slots.sizes.iter().map(|size| storage(gpu, *size)).collect();
		let resolve = |id: usize| &buffers[slots.of[id]];

		let uploads = lowered.inputs.iter().chain(&lowered.state);
		let preparing: Vec<&Dispatch> = uploads.flat_map(|u| &u.prepare).collect();
		let iteration = lowered.actions.iter().filter_map(|action| match action {
			Action::Dispatch(dispatch) => Some(dispatch),
			Action::Download { .. } => None,
		});
		let dispatches: Vec<&Dispatch> = preparing.iter().copied().chain(iteration).collect();
		let mut bound = bind(gpu, &dispatches, resolve).into_iter();

		let mut steps: Vec<Step> = bound.by_ref().take(preparing.len()).collect();
		for action in &lowered.actions {
			match action {
				Action::Dispatch(_) => steps.extend(bound.next()),
				Action::Download { from, checkpoint } => {
					steps
						.push(Step::Download { from: resolve(*from).clone(), output: *checkpoint });
				}
			}
		}
		let outputs = lowered
			.checkpoints
			.iter()
			.map(|bytes| {
				let staging = gpu.device().create_buffer(&wgpu::BufferDescriptor {
					label: Some("checkpoint"),
					size: bytes.next_multiple_of(4),
					usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
					mapped_at_creation: false,
				});
				Output { staging, bytes: *bytes }
			})
			.collect();
		let leaf =
			|upload: &Upload| Uploaded { raw: resolve(upload.raw).clone(), bytes: upload.bytes };
		let executor = Self {
			gpu: gpu.clone(),
			inputs: lowered.inputs.iter().map(leaf).collect(),
			state: lowered.state.iter().map(leaf).collect(),
			work: dispatches.iter().map(|d| d.work).sum(),
			steps,
			outputs,
			bytes,
			patience,
		};

		for (index, upload) in lowered.constants.iter().enumerate() {
			let Some(upload) = upload else { continue };
			let stored: &[u8] = match &program.program().constants[index].data {
				ConstantData::Inline(stored) => stored,
				ConstantData::Blob(_) => &constants[index],
			};
			check_length(Leaf::Constant(index as u16), upload.bytes, stored)?;
			write(gpu, resolve(upload.raw), stored);
			let dispatches: Vec<&Dispatch> = upload.prepare.iter().collect();
			executor.submit(&bind(gpu, &dispatches, resolve));
		}
		Ok(executor)
	}

	/// Bytes of device and staging memory that this executor holds.
	pub fn memory_bytes(&self) -> u64 {
		self.bytes
	}

	/// One iteration: the stored bytes of every checkpoint, in the program's order. Inputs and state
	/// are the stored bytes of one iteration's tensors.
	pub fn run(&mut self, inputs: &[&[u8]], state: &[&[u8]]) -> Result<Vec<Vec<u8>>, GpuError> {
		let inputs_as: fn(u16) -> Leaf = Leaf::Input;
		for (what, leaf, uploads, given) in [
			("inputs", inputs_as, &self.inputs, inputs),
			("states", Leaf::State, &self.state, state),
		] {
			let (expected, found) = (uploads.len(), given.len());
			if expected != found {
				return Err(GpuError::Count { what, expected, found });
			}
			for (index, (upload, stored)) in uploads.iter().zip(given).enumerate() {
				check_length(leaf(index as u16), upload.bytes, stored)?;
			}
		}
		self.guarded(|| {
			for (leaf, stored) in self.inputs.iter().zip(inputs).chain(self.state.iter().zip(state))
			{
				write(&self.gpu, &leaf.raw, stored);
			}
			self.submit(&self.steps);
			self.read_back()
		})
	}

	/// The time that all products of bytes of an iteration take, with what packs their operands, but for
	/// that of constants. The executor must have run.
	pub(crate) fn time_products(&self) -> Result<Duration, GpuError> {
		let products = |step: &&Step| matches!(step, Step::Dispatch { multiplies: true, .. });
		let once: Vec<Step> = self.steps.iter().filter(products).cloned().collect();
		let sample = |steps: &[Step]| -> Result<Duration, GpuError> {
			let start = Instant::now();
			self.submit(steps);
			self.gpu.wait(self.patience())?;
			Ok(start.elapsed())
		};
		self.guarded(|| {
			let first = sample(&once)?;
			if first >= LONG {
				return Ok(first);
			}
			let count = (SAMPLE.as_nanos() / first.as_nanos().max(1)).clamp(1, REPEATED) as u32;
			let steps: Vec<Step> = (0..count).flat_map(|_| once.iter().cloned()).collect();
			let mut least = first;
			for _ in 0..SAMPLES {
				least = least.min(sample(&steps)? / count);
			}
			Ok(least)
		})
	}

	/// Runs `body` with the device's errors as values, and abandons a device that hangs.
	fn guarded<T>(&self, body: impl FnOnce() -> Result<T, GpuError>) -> Result<T, GpuError> {
		let result = self.gpu.scoped(body);
		if let Err(hung @ GpuError::Hung(_)) = &result {
			self.gpu.abandon(hung.clone());
		}
		result
	}

	/// How long an iteration may take.
	fn patience(&self) -> Duration {
		let estimate = self.work.saturating_mul(PATIENCE_FACTOR) / self.gpu.rate();
		self.patience + Duration::from_secs(estimate)
	}

	/// Encodes and submits steps in portions that keep one submission short.
	fn submit(&self, steps: &[Step]) {
		let portion = self.gpu.rate() / DISPATCHES_PER_SECOND;
		let device = self.gpu.device();
		let mut next = 0;
		while next < steps.len() {
			let mut encoder = device.create_command_encoder(&Default::default());
			let mut work = 0u64;
			while next < steps.len() && work <= portion {
				if let Step::Download { from, output } = &steps[next] {
					let output = &self.outputs[*output];
					let size = output.bytes.next_multiple_of(4);
					encoder.copy_buffer_to_buffer(from, 0, &output.staging, 0, Some(size));
					next += 1;
					continue;
				}
				let mut pass = encoder.begin_compute_pass(&Default::default());
				while let Some(Step::Dispatch { pipeline, bindings, grid, work: more, .. }) =
					steps.get(next)
				{
					// A dispatch goes into an empty submission whatever its size.
					if work > 0 && work.saturating_add(*more) > portion {
						work = u64::MAX;
						break;
					}
					pass.set_pipeline(pipeline);
					pass.set_bind_group(0, bindings, &[]);
					pass.dispatch_workgroups(grid.0, grid.1, 1);
					work = work.saturating_add((*more).max(1));
					next += 1;
				}
			}
			self.gpu.queue().submit([encoder.finish()]);
		}
	}

	/// Waits for the iteration and copies the checkpoints out of their staging buffers.
	fn read_back(&self) -> Result<Vec<Vec<u8>>, GpuError> {
		let (sender, mapped) = mpsc::channel();
		for output in &self.outputs {
			let sender = sender.clone();
			output.staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
				// The receiver is gone only after a failure that is already reported.
				let _ = sender.send(result);
			});
		}
		drop(sender);
		self.gpu.wait(self.patience())?;
		for result in mapped.iter().take(self.outputs.len()) {
			result.map_err(|e| GpuError::DeviceLost(e.to_string()))?;
		}
		let mut stored = Vec::with_capacity(self.outputs.len());
		for output in &self.outputs {
			let view = output
				.staging
				.slice(..)
				.get_mapped_range()
				.map_err(|e| GpuError::DeviceLost(e.to_string()))?;
			stored.push(view[..output.bytes as usize].to_vec());
			drop(view);
			output.staging.unmap();
		}
		Ok(stored)
	}
}

impl Executor for GpuExecutor {
	fn run_iteration(
		&mut self,
		inputs: &[&[u8]],
		state: &[&[u8]],
	) -> Result<Vec<Vec<u8>>, ExecError> {
		Ok(self.run(inputs, state)?)
	}
}

fn check_length(leaf: Leaf, expected: u64, stored: &[u8]) -> Result<(), GpuError> {
	let found = stored.len() as u64;
	if expected == found {
		Ok(())
	} else {
		Err(GpuError::Size { leaf, expected, found })
	}
}

fn storage(gpu: &Gpu, size: u64) -> wgpu::Buffer {
	gpu.device().create_buffer(&wgpu::BufferDescriptor {
		label: None,
		size,
		usage: wgpu::BufferUsages::STORAGE
			| wgpu::BufferUsages::COPY_SRC
			| wgpu::BufferUsages::COPY_DST,
		mapped_at_creation: false,
	})
}

/// Writes bytes of any length; the copy itself needs whole words.
fn write(gpu: &Gpu, buffer: &wgpu::Buffer, bytes: &[u8]) {
	let (words, rest) = bytes.split_at(bytes.len() & !3);
	if !words.is_empty() {
		gpu.queue().write_buffer(buffer, 0, words);
	}
	if !rest.is_empty() {
		let mut word = [0; 4];
		word[..rest.len()].copy_from_slice(rest);
		gpu.queue().write_buffer(buffer, words.len() as u64, &word);
	}
}

/// Gives each dispatch its parameter block, pipeline and bindings.
fn bind<'b>(
	gpu: &Gpu,
	dispatches: &[&Dispatch],
	resolve: impl Fn(usize) -> &'b wgpu::Buffer,
) -> Vec<Step> {
	if dispatches.is_empty() {
		return Vec::new();
	}
	let slot = PARAMS_SLOT.next_multiple_of(gpu.alignment());
	let mut blocks = vec![0u8; dispatches.len() * slot as usize];
	for (block, dispatch) in blocks.chunks_mut(slot as usize).zip(dispatches) {
		block[..dispatch.params.len()].copy_from_slice(&dispatch.params);
	}
	let params = storage(gpu, blocks.len() as u64);
	gpu.queue().write_buffer(&params, 0, &blocks);

	let entry = |binding: u32, buffer: &'b wgpu::Buffer| wgpu::BindGroupEntry {
		binding,
		resource: buffer.as_entire_binding(),
	};
	let mut steps = Vec::with_capacity(dispatches.len());
	for (number, dispatch) in dispatches.iter().enumerate() {
		let pipeline = gpu.pipeline(dispatch.kernel);
		let mut entries = vec![
			wgpu::BindGroupEntry {
				binding: 0,
				resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
					buffer: &params,
					offset: number as u64 * slot,
					size: wgpu::BufferSize::new(PARAMS_SLOT),
				}),
			},
			entry(1, resolve(dispatch.out)),
		];
		let operands = dispatch.operands.iter().zip(2..);
		entries.extend(operands.map(|(operand, binding)| entry(binding, resolve(*operand))));
		let bindings = gpu.device().create_bind_group(&wgpu::BindGroupDescriptor {
			label: Some(&dispatch.kernel.name()),
			layout: &pipeline.layout,
			entries: &entries,
		});
		steps.push(Step::Dispatch {
			pipeline: pipeline.pipeline,
			bindings,
			grid: gpu.grid(dispatch.groups),
			work: dispatch.work,
			multiplies: dispatch.kernel.multiplies(),
		});
	}
	steps
}

/// Which device buffer each of a lowered program's buffers lives in. Temporary buffers whose uses do
/// not overlap share one, also between the preparation of constants and the iteration.
struct Slots {
	/// Device buffer of each buffer.
	of: Vec<usize>,
	/// Bytes of each device buffer.
	sizes: Vec<u64>,
}

impl Slots {
	fn assign(lowered: &Lowered) -> Self {
		let touched = |d: &Dispatch| d.operands.iter().copied().chain([d.out]).collect::<Vec<_>>();
		// What each step touches: the constants are prepared one after the other, then the iteration
		// runs.
		let mut steps: Vec<Vec<usize>> = Vec::new();
		for upload in lowered.constants.iter().flatten() {
			steps.push(vec![upload.raw]);
			steps.extend(upload.prepare.iter().map(touched));
		}
		let prepared = steps.len();
		steps.extend(lowered.actions.iter().map(|action| match action {
			Action::Dispatch(dispatch) => touched(dispatch),
			Action::Download { from, .. } => vec![*from],
		}));

		let count = lowered.buffers.len();
		let mut last_use = vec![None; count];
		let mut permanent: Vec<bool> = lowered.buffers.iter().map(|b| b.permanent).collect();
		for id in steps[..prepared].iter().flatten() {
			permanent[*id] = false;
		}
		for (time, ids) in steps.iter().enumerate() {
			for id in ids {
				// What the iteration uses of the preparation stays for the next iteration.
				permanent[*id] |= time >= prepared && lowered.buffers[*id].permanent;
				last_use[*id] = Some(time);
			}
		}
		let mut sizes = Vec::new();
		let mut of: Vec<Option<usize>> = vec![None; count];
		for (id, buffer) in lowered.buffers.iter().enumerate() {
			if permanent[id] {
				of[id] = Some(sizes.len());
				sizes.push(buffer.bytes);
			}
		}
		let mut free: Vec<usize> = Vec::new();
		for (time, ids) in steps.iter().enumerate() {
			for id in ids {
				of[*id].get_or_insert_with(|| take(&mut free, &mut sizes, lowered.buffers[*id]));
			}
			for id in ids {
				if last_use[*id] == Some(time) && !permanent[*id] {
					// An operand named twice is released once.
					if let Some(slot) = of[*id].filter(|slot| !free.contains(slot)) {
						free.push(slot);
					}
				}
			}
		}
		// A buffer that nothing names needs no memory; any slot will do.
		Self { of: of.into_iter().map(Option::unwrap_or_default).collect(), sizes }
	}
}

/// The free device buffer that wastes least, or a new one.
fn take(free: &mut Vec<usize>, sizes: &mut Vec<u64>, buffer: Buffer) -> usize {
	let fits = |slot: &usize| sizes[*slot] >= buffer.bytes;
	let best = free.iter().copied().filter(fits).min_by_key(|slot| sizes[*slot]);
	match best {
		Some(slot) if sizes[slot] <= buffer.bytes.saturating_mul(4) => {
			free.retain(|other| *other != slot);
			slot
		}
		_ => {
			sizes.push(buffer.bytes);
			sizes.len() - 1
		}
	}
}
