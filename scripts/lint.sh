#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Format and lints. Clippy runs as a compiler wrapper of an ordinary build, not as `cargo check`: it
# then uses the dependencies that the tests have compiled already instead of compiling a thousand
# crates once more for checking.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check
SKIP_WASM_BUILD=1 RUSTC_WORKSPACE_WRAPPER=$PWD/scripts/clippy-driver.sh \
	CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__" \
	cargo build --workspace --all-targets --keep-going
