#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# cargo-linted.sh ARGUMENTS: cargo with Clippy as the compiler of this workspace's own crates, every
# warning an error. Clippy is the compiler with more lints: one build gives lints, programs and
# tests, and uses the same compiled dependencies as any other. (`cargo clippy` would compile a
# thousand crates once more, for checking.)
exec env RUSTC_WORKSPACE_WRAPPER=clippy-driver \
	CLIPPY_ARGS="-D__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__" cargo "$@"
