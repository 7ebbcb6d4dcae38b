// SPDX-License-Identifier: Apache-2.0

//! Builds the WASM of the runtime beside the native crate.
//!
//! Chooses by itself among the two set-ups of `scripts/setup.sh`: the default toolchain where it has
//! the target, otherwise the linked toolchain `tensornet-wasm`.

#[cfg(feature = "std")]
fn main() {
	wasm::choose_environment();
	#[cfg(feature = "metadata-hash")]
	let builder =
		substrate_wasm_builder::WasmBuilder::init_with_defaults().enable_metadata_hash("TNA", 12);
	#[cfg(not(feature = "metadata-hash"))]
	let builder = substrate_wasm_builder::WasmBuilder::init_with_defaults();
	builder.build();
}

#[cfg(not(feature = "std"))]
fn main() {}

#[cfg(feature = "std")]
mod wasm {
	use std::{env, path::Path, process::Command};

	const TARGET: &str = "wasm32v1-none";
	const LINKED_TOOLCHAIN: &str = "tensornet-wasm";

	/// Fills in what the WASM builder reads from the environment and the caller left unset.
	pub fn choose_environment() {
		for name in [
			"WASM_BUILD_TYPE",
			"WASM_BUILD_TOOLCHAIN",
			"WASM_BUILD_WORKSPACE_HINT",
			"CARGO_PROFILE_RELEASE_LTO",
		] {
			println!("cargo:rerun-if-env-changed={name}");
		}
		// A debug WASM is too slow to make blocks in time; `release` is also compacted.
		set_default("WASM_BUILD_TYPE", "release");
		// The optimisation across crates takes minutes and makes the runtime only a little faster. A
		// development build does without; a `--release` or `production` build has it.
		if env::var("PROFILE").as_deref() == Ok("debug") {
			set_default("CARGO_PROFILE_RELEASE_LTO", "off");
		}
		// Lints of this workspace's build are not for that of the WASM, whose compiler may be another.
		env::remove_var("RUSTC_WORKSPACE_WRAPPER");
		// The build directory may lie outside the workspace, from where the builder would search.
		if let Ok(manifest) = env::var("CARGO_MANIFEST_DIR") {
			if let Some(root) = Path::new(&manifest).parent() {
				set_default("WASM_BUILD_WORKSPACE_HINT", &root.display().to_string());
			}
		}
		if !has_target(None) && has_target(Some(LINKED_TOOLCHAIN)) {
			set_default("WASM_BUILD_TOOLCHAIN", LINKED_TOOLCHAIN);
		}
	}

	fn set_default(name: &str, value: &str) {
		if env::var_os(name).is_none() {
			env::set_var(name, value);
		}
	}

	/// Whether the toolchain (the one that compiles this crate when `None`) has the target's library.
	fn has_target(toolchain: Option<&str>) -> bool {
		let mut rustc = match toolchain {
			// The proxy is found by name: `RUSTC` points past it.
			Some(name) => {
				let mut proxy = Command::new("rustc");
				proxy.arg(format!("+{name}"));
				proxy
			}
			None => Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())),
		};
		rustc.args(["--print", "sysroot"]).output().is_ok_and(|output| {
			output.status.success()
				&& Path::new(String::from_utf8_lossy(&output.stdout).trim())
					.join("lib/rustlib")
					.join(TARGET)
					.join("lib")
					.is_dir()
		})
	}
}
