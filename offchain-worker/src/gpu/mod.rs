// SPDX-License-Identifier: Apache-2.0

//! Execution of tensor programs on GPUs through wgpu, bit for bit like the native evaluator.
//!
//! - [`GpuDevice`]: an adapter, opened, and opened again after a loss; [`devices`](crate::devices)
//!   lists them.
//! - [`GpuExecutor`]: a program made ready on a [`GpuDevice`].
//! - [`GpuError`]: what can go wrong, by what can be done about it.
//!
//! A program is lowered to a list of dispatches over buffers of i32 (`lower`), which are bound once
//! and replayed for each iteration (`executor`). Each kernel is one WGSL file under `kernels/`; its
//! twin in Rust is the tensor crate's operator of that name. Integer sums and products modulo 2^32 do
//! not depend on their order, so tiling, splitting and any adapter give the same bits.

mod device;
mod error;
mod executor;
mod handle;
mod kernel;
mod lower;
mod view;

pub use error::GpuError;
pub use executor::GpuExecutor;
pub use handle::GpuDevice;
