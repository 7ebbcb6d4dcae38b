// SPDX-License-Identifier: Apache-2.0

//! What can go wrong on a device, by what the agent can do about it.

use tensornet_tensor::{ExecError, Leaf};

/// Why a program was not executed on a device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GpuError {
	/// There is no usable adapter. Use the native CPU path, or allow software Vulkan.
	#[error("no usable GPU adapter")]
	NoAdapter,
	/// The adapter does not open, or lacks what the kernels need. Use another device.
	#[error("adapter does not open: {0}")]
	Unusable(String),
	/// A tensor is larger than one binding of this adapter. Use a device with larger bindings, or
	/// the native CPU path.
	#[error("a tensor of {bytes} bytes on the device exceeds the adapter's limit of {limit}")]
	TensorTooLarge {
		/// Bytes of the tensor on the device: four for each element.
		bytes: u64,
		/// The adapter's limit for one binding.
		limit: u64,
	},
	/// The program needs more device memory than the configured limit. Decline the job.
	#[error("the program needs {bytes} bytes of device memory, over the limit of {limit}")]
	OverMemoryLimit {
		/// Bytes the program needs.
		bytes: u64,
		/// The configured limit.
		limit: u64,
	},
	/// The device's memory is exhausted. Decline the job or free memory and try again.
	#[error("out of device memory")]
	OutOfMemory,
	/// The device is gone. Open it again and build the executor anew.
	#[error("device lost: {0}")]
	DeviceLost(String),
	/// The device did not finish in time. Abandon it and open another.
	#[error("device did not finish within {0} s")]
	Hung(u64),
	/// The driver or wgpu refused a call. A defect: report it, and use another device.
	#[error("device refused a call: {0}")]
	Refused(String),
	/// Every kernel for a product computes other bits than the CPU: the driver or the device is broken.
	/// Use another device.
	#[error("{0} computes other bits than the CPU")]
	WrongBits(String),
	/// A blob is not as long as its tensor's type says.
	#[error("{leaf:?} needs {expected} bytes, but its blob has {found}")]
	Size {
		/// The tensor.
		leaf: Leaf,
		/// Bytes its type needs.
		expected: u64,
		/// Bytes given.
		found: u64,
	},
	/// The number of inputs, states or constants is not the program's.
	#[error("the program has {expected} {what}, but {found} blobs were given")]
	Count {
		/// `inputs`, `states` or `constants`.
		what: &'static str,
		/// How many the program has.
		expected: usize,
		/// How many were given.
		found: usize,
	},
	/// The program contradicts its own checks. Never seen for a checked program.
	#[error("the program contradicts its own checks")]
	Inconsistent,
}

impl From<GpuError> for ExecError {
	fn from(error: GpuError) -> Self {
		match error {
			GpuError::Size { leaf, expected, found } => Self::Size { leaf, expected, found },
			GpuError::Count { what, expected, found } => Self::Count { what, expected, found },
			GpuError::TensorTooLarge { .. }
			| GpuError::OverMemoryLimit { .. }
			| GpuError::OutOfMemory => Self::TooLarge(error.to_string()),
			GpuError::NoAdapter
			| GpuError::Unusable(_)
			| GpuError::DeviceLost(_)
			| GpuError::Hung(_)
			| GpuError::Refused(_)
			| GpuError::WrongBits(_)
			| GpuError::Inconsistent => Self::Device(error.to_string()),
		}
	}
}
