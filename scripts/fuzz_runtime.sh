#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Fuzzes the whole runtime: blocks of random transactions, with every law held after each block.
#
#   scripts/fuzz_runtime.sh                            a million calls from seed 1 on
#   scripts/fuzz_runtime.sh --seed 9 --calls 20000     other seeds, another length
#   scripts/fuzz_runtime.sh --json report.json         what was reached, for machines
#   scripts/fuzz_runtime.sh --each 50000               calls of one chain; the next one has the next seed
#   scripts/fuzz_runtime.sh --month 1                  so many of the chains let a month of blocks pass
#
# A broken law ends it with the seed and the transactions of the block, and how to see it again.
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."
while [ $# -gt 0 ]; do
	case $1 in
		--seed | --calls | --each | --month | --json)
			[ $# -gt 1 ] || { echo "fuzz_runtime: $1 needs a value" >&2; exit 2; }
			value=$2
			[ "$1" != --json ] || value=$(cd "$here" && realpath -m "$2")
			name=${1#--}
			declare -x "FUZZ_${name^^}=$value"
			shift 2
			;;
		*) echo "fuzz_runtime: unknown option $1: see $0" >&2; exit 2 ;;
	esac
done
# The runtime's WASM is not needed: the laws are those of its native code.
export SKIP_WASM_BUILD=1
exec cargo test -p tensornet-runtime --lib -- --ignored --exact --nocapture tests::fuzz::long_run
