#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures every benchmark of our pallets on the runtime's WASM and writes their `weights.rs`.
# `make weights` calls it. Run it on an idle machine of the kind the chain's validators have.
#
#   STEPS=50 REPEAT=20 scripts/weights.sh [PALLET...]     names as in pallets/
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
pallets=("$@")
[ ${#pallets[@]} -gt 0 ] || pallets=(tna staking escrow poc compliance consensus-chain validators)

# The runtime is measured as it is shipped: optimised across its crates.
CARGO_PROFILE_RELEASE_LTO=thin cargo build -p tensornet-node --features runtime-benchmarks
for pallet in "${pallets[@]}"; do
	[ -d "pallets/$pallet" ] || { echo "weights: no pallet named $pallet" >&2; exit 2; }
	"$target/debug/tensornet-node" benchmark pallet \
		--chain dev --genesis-builder-preset development --no-storage-info --no-median-slopes \
		--pallet "pallet_tensornet_${pallet//-/_}" --extrinsic '*' \
		--steps "${STEPS:-50}" --repeat "${REPEAT:-20}" \
		--template scripts/weights.hbs --output "pallets/$pallet/src/weights.rs"
	rustfmt --edition 2021 "pallets/$pallet/src/weights.rs"
done
