// SPDX-License-Identifier: Apache-2.0

//! The command line against a running development chain, as its users meet both.

mod economy;
mod governance;
mod refusals;
mod support;
