// SPDX-License-Identifier: Apache-2.0

//! # TensorNet worker
//!
//! The agent of a GPU host. It follows finalized blocks, pulls the jobs assigned to its node,
//! computes them, commits to the results under a seal, reveals, and answers audits.
//!
//! - [`agent`]: which step comes next, from the chain's state and the journal alone.
//! - [`journal`]: what was done and is about to be done, durable before it is acted on.
//! - [`challenger`]: recomputes other nodes' results and proves frauds.
//! - [`heartbeat`]: signs of life, where the chain asks for them.
//! - [`parts`]: what these share; one transaction at a time leaves.
//! - [`engine`]: runs programs on a device; [`gpu`] is the wgpu path, [`devices`] lists adapters and
//!   [`bench`] times them.
//! - [`server`]: outputs, traces and [`metrics`] over HTTP.
//! - [`config`] and [`run`]: the command line, start and stop.
//!
//! A program is data: the worker never runs code that somebody sent.

pub mod agent;
pub mod bench;
pub mod challenger;
pub mod config;
pub mod devices;
pub mod engine;
pub mod gpu;
pub mod heartbeat;
pub mod journal;
pub mod metrics;
pub mod parts;
pub mod run;
pub mod server;
