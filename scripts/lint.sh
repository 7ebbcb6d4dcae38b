#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Format and lints, without running anything.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo fmt --all --check

# Crates without examples in their documentation, and programs without unit tests, switch those
# harnesses off: they would be compiled and linked for nothing. Nothing may hide behind that.
for manifest in $(git ls-files '*Cargo.toml'); do
	source=$(dirname "$manifest")/src
	[ -d "$source" ] || continue
	if grep -q '^doctest = false' "$manifest"; then
		find "$source" -name '*.rs' -exec awk '
			FNR == 1 { fences = 0 }
			/^[ \t]*\/\/[\/!] ```/ {
				if (++fences % 2 && !/```text/) {
					print FILENAME ":" FNR ": an example that never runs: remove `doctest = false` or mark it as text"
					found = 1
				}
			}
			END { exit found }' {} + >&2
	fi
	if grep -A4 '^\[\[bin\]\]' "$manifest" | grep -q '^test = false'; then
		# A library beside the program has a harness of its own.
		if [ -f "$source/lib.rs" ]; then program=$source/main.rs; else program=$source; fi
		[ -e "$program" ] || continue
		if grep -rnE '^\s*#\[(tokio::)?test\]' "$program" >&2; then
			echo "$manifest: tests that never run: remove \`test = false\` or move them to tests/" >&2
			exit 1
		fi
	fi
done

scripts/cargo-linted.sh test --workspace --no-run
