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
//! twin in Rust is the tensor crate's operator of that name, and for the kernels that a product of bytes
//! is made of, `lower/twins.rs`. Integer sums and products modulo 2^32 do not depend on their order, so
//! tiling, splitting and any adapter give the same bits.
//!
//! Products of bytes have a family of kernels (`product`), all of one text. Which of them a device makes a
//! product of some size with is measured when the first one comes, and kept (`tune`).

mod device;
mod error;
mod executor;
mod handle;
mod kernel;
mod lower;
mod params;
mod product;
mod tune;
mod unroll;
mod view;

pub use error::GpuError;
pub use executor::GpuExecutor;
pub use handle::GpuDevice;
