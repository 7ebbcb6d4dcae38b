// SPDX-License-Identifier: Apache-2.0

//! Records the commit that the version string names.

fn main() {
	substrate_build_script_utils::generate_cargo_keys();
}
