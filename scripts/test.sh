#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every test: unit, property, differential and end-to-end, then format and lints. `make test` calls
# it after the set-up.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
step() { printf '\n==> %s (%s)\n' "$*" "$(date +%T)"; }

step "build"
cargo test --workspace --no-run
step "unit, property and differential tests"
cargo test --workspace --no-fail-fast
step "the tensor engine against an outside oracle: the quick set"
scripts/conformance.sh --quick
step "end to end: the main job on a local chain"
cargo build --workspace --bins --examples
"$CARGO_TARGET_DIR/debug/examples/demo" --summary target/demo/summary.json
step "format and lints"
scripts/lint.sh
step "all passed"
