#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that must hold: format, lints, and every test: unit, property, differential and end to
# end. `make test` calls it after the set-up.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
step() { printf '\n==> %s (%s)\n' "$*" "$(date +%T)"; }

# First, because it is quick to fail, and because it leaves programs without a runtime behind that
# the build replaces.
step "format and lints"
scripts/lint.sh
step "build"
cargo build --workspace --all-targets

# The main job mostly waits for blocks, the tests mostly compute: they run side by side.
step "tests; beside them the main job on a local chain"
mkdir -p target/demo
"$CARGO_TARGET_DIR/debug/examples/demo" --summary target/demo/summary.json >target/demo/log 2>&1 &
demo=$!
trap 'kill "$demo" 2>/dev/null || true' EXIT
failed=0
cargo test --workspace --no-fail-fast || failed=1
step "the tensor engine against an outside oracle: the quick set"
scripts/conformance.sh --quick || failed=1
step "the main job"
wait "$demo" || failed=1
trap - EXIT
cat target/demo/log
[ "$failed" = 0 ] || { echo "some tests failed: see above" >&2; exit 1; }
step "all passed"
