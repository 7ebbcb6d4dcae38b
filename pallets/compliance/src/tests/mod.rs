// SPDX-License-Identifier: Apache-2.0

mod admission;
mod attestations;
mod registrars;
mod sanctions;
mod state;
