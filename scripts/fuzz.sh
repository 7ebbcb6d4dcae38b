#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Coverage-guided fuzzing of what reads bytes from strangers, by libFuzzer on the default toolchain.
#
#   scripts/fuzz.sh                       every target, 60 seconds each
#   SECONDS_EACH=1800 scripts/fuzz.sh     longer
#   scripts/fuzz.sh opening program_bytes these targets
#
# What it finds of interest is kept in the cache and tried again by the next run. An input that fails is
# written to fuzz/artifacts and named. `MINIMISE=1` writes the smallest inputs with the same coverage to
# fuzz/corpus, which is in the repository.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"
cache=${TENSORNET_CACHE:-$HOME/.cache/tensornet}/fuzz
: "${SECONDS_EACH:=60}"
# Without an explicit target the flags would apply to build scripts too, which have no fuzzer to report to.
host=$(rustc -vV | sed -n 's/^host: //p')
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(program_bytes program_agreement opening onnx)

options=()
for target in "${targets[@]}"; do
	options+=(--bin "$target")
	[ "$target" != onnx ] || options+=(--features onnx)
done

export CARGO_TARGET_DIR=$cache/target
# Bytes at random are hardly ever a program: it begins with some that are.
if [[ " ${targets[*]} " == *" program_bytes "* ]] && [ ! -d "$cache/seeds/program_bytes" ]; then
	cargo run --release --manifest-path ../primitives/tensor/Cargo.toml --features arbitrary \
		--example program_seeds -- "$cache/seeds/program_bytes"
fi
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing" \
	cargo build --release --target "$host" "${options[@]}"

for target in "${targets[@]}"; do
	program=$CARGO_TARGET_DIR/$host/release/$target
	[ -x "$program" ] || { echo "fuzz: no target named $target" >&2; exit 2; }
	mkdir -p "$cache/corpus/$target" "$cache/seeds/$target" "corpus/$target" artifacts
	echo "==> $target for $SECONDS_EACH s"
	"$program" -max_total_time="$SECONDS_EACH" -timeout=20 -rss_limit_mb=2048 -max_len=8192 \
		-print_final_stats=1 -artifact_prefix="artifacts/$target-" \
		"$cache/corpus/$target" "$cache/seeds/$target" "corpus/$target"
	if [ -n "${MINIMISE:-}" ]; then
		smallest=$(mktemp -d)
		"$program" -merge=1 -max_len=1024 "$smallest" "corpus/$target" \
			"$cache/corpus/$target" "$cache/seeds/$target"
		find "$smallest" -type f | head -n "${KEEP:-200}" | xargs -r cp -t "corpus/$target"
		rm -rf "$smallest"
	fi
done
