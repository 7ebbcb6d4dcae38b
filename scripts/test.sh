#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that must hold: format, lints, and every test: unit, property, differential and end to
# end. `make test` calls it after the set-up.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
step() { printf '\n==> %s (%s)\n' "$*" "$(date +%T)"; }

step "format"
cargo fmt --all --check

programs=$PWD/target/demo/bin
mkdir -p "$programs/examples"

step "the programs"
cargo build --workspace --bins --examples
# Copies, because lints leave programs without a runtime behind.
cp "$CARGO_TARGET_DIR"/debug/{tensornet-node,tensornet-worker,tensornet} "$programs/"
cp "$CARGO_TARGET_DIR/debug/examples/demo" "$programs/examples/"

# The main job mostly waits for blocks, everything else mostly computes: they run side by side.
step "the main job on a local chain, beside everything that follows"
"$programs/examples/demo" --summary target/demo/summary.json >target/demo/log 2>&1 &
demo=$!
step "outside clients from npm, where there is node and npm, beside them"
TENSORNET_PROGRAMS=$programs scripts/clients.sh --if-possible >target/demo/clients.log 2>&1 &
clients=$!
trap 'kill "$demo" "$clients" 2>/dev/null || true' EXIT

step "format and lints"
scripts/lint.sh
step "tests"
failed=0
cargo test --workspace --no-fail-fast || failed=1
step "the tensor engine against an outside oracle: the quick set"
scripts/conformance.sh --quick || failed=1
step "the main job"
wait "$demo" || failed=1
wait "$clients" || failed=1
trap - EXIT
cat target/demo/log target/demo/clients.log
[ "$failed" = 0 ] || { echo "some tests failed: see above" >&2; exit 1; }
step "all passed"
