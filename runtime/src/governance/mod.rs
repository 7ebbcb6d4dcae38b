// SPDX-License-Identifier: Apache-2.0

//! How the chain is ruled: who may do what ([`origins`]), how it is decided ([`tracks`]), and within
//! which limits protocol parameters may move ([`bounds`]).

pub mod bounds;
pub mod origins;
pub mod tracks;
