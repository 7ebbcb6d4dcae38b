// SPDX-License-Identifier: Apache-2.0

//! Tests by subject. Each runs every invariant check at its end.

mod agenda;
mod assign;
mod cancel;
mod deadline;
mod failed;
mod integrity;
mod invariants;
mod lineage;
mod property;
mod settle;
mod submit;
