#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The tensor engine against an outside oracle: the package `tosa-tools` generates tests of TOSA's
# integer profile and runs its reference model on them; ours must give the same bits on the CPU path,
# on the arbiter's evaluation of single elements and on the GPU path.
#
#   scripts/conformance.sh           all tests of the profile, and the quick set
#   scripts/conformance.sh --quick   one test of each operator and type, small, and extreme values
#
# Tools, tests and results lie in the cache, nothing of it in this repository. An interrupted run goes
# on where it stopped. Arguments after these go to the example `conformance` of the worker, for instance
# `--only resize`.
set -euo pipefail
cd "$(dirname "$0")/.."

version=2026.8.0
cache=${TENSORNET_CACHE:-$HOME/.cache/tensornet}
: "${CARGO_TARGET_DIR:=target}"
venv=$cache/tosa-tools-$version
tests=$cache/conformance-$version

say() { printf 'conformance: %s\n' "$*" >&2; }
die() { printf 'conformance: error: %s\n' "$*" >&2; exit 1; }

# The tools, once. The file `complete` is the last that is written.
tools() {
	[ -f "$venv/complete" ] && return 0
	say "installing tosa-tools $version"
	rm -rf "$venv"
	python3 -m venv --without-pip "$venv" || die "python3 cannot make a virtual environment"
	python3 -m pip --python "$venv/bin/python" install -q --only-binary=:all: "tosa-tools==$version" \
		|| die "pip could not install tosa-tools==$version (it needs Python 3.10 to 3.14)"
	touch "$venv/complete"
}

# generate OUT FILTER OPTION..: the positive tests of the integer profile, without extensions, of the
# operators whose name matches.
generate() {
	local out=$1 filter=$2 log=$1.$BASHPID.log
	shift 2
	"$venv/bin/python" -m generator.tosa_verif_build_tests -o "$out" --filter "$filter" \
		--profile tosa-pro-int --extension none --test-type positive "$@" >"$log" 2>&1 \
		|| { cat "$log" >&2; die "the tests were not generated"; }
	rm -f "$log"
}

# both OUT OPTION..: the same for all operators, in two halves at a time. What a test holds depends on
# its name alone.
both() {
	local out=$1 first
	shift
	mkdir -p "$out"
	generate "$out" '[a-d]' "$@" &
	first=$!
	generate "$out" '[^a-d]' "$@"
	wait "$first"
}

# expect OUT: runs the reference model on each test that has no result yet. A result is moved to its
# place when it is whole.
expect() {
	local site
	site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
	find "$1" -name desc.json -print0 | REFERENCE=$site/bin/tosa_reference_model \
		SCHEMA=$site/bin/tosa.fbs xargs -0 -r -n 1 -P "$(nproc)" bash -c '
			dir=$(dirname "$0")
			ls "$dir"/ref-*.npy >/dev/null 2>&1 && exit 0
			rm -rf "$dir/unfinished"
			mkdir "$dir/unfinished"
			"$REFERENCE" --operator_fbs "$SCHEMA" --test_desc "$0" --output_dir "$dir/unfinished" \
				|| { echo "the reference model refuses $0" >&2; exit 255; }
			mv "$dir"/unfinished/* "$dir/"
			rmdir "$dir/unfinished"
		'
}

quick() {
	local out=$tests/quick
	if ! [ -d "$out" ]; then
		say "generating the quick tests"
		rm -rf "$out.new"
		# One test of each type, of every operator that the generator knows; those with extreme values
		# come on top.
		"$venv/bin/python" - >"$tests/quick-selection.json" <<-'PY'
			import json
			from generator.tosa_test_gen import TosaTestGen
			one = {"selection": {"default": {"permutes": ["type"], "maximum": 1}}}
			names = (name.removesuffix("_TEMPLATE") for name in TosaTestGen.TOSA_OP_LIST)
			print(json.dumps({name: one for name in names}))
		PY
		both "$out.new" --test-selection-config "$tests/quick-selection.json" \
			--conv-kernel 2,3 2,1,2 --tensor-dim-range 1,16
		expect "$out.new"
		mv "$out.new" "$out"
	fi
	compare "$out" 319 "$@"
}

full() {
	local out=$tests/full
	if ! [ -d "$out" ]; then
		say "generating all tests: some minutes"
		rm -rf "$out.new"
		both "$out.new"
		mv "$out.new" "$out"
	fi
	say "running the reference model"
	expect "$out"
	compare "$out" 3263 "$@"
}

# compare DIRECTORY TESTS OPTION..
compare() {
	local dir=$1 count=$2
	shift 2
	case " $* " in *" --only"*) count=1 ;; esac
	say "comparing the tests in $dir"
	"$CARGO_TARGET_DIR/debug/examples/conformance" "$dir" --at-least "$count" \
		--progress "$dir.progress" --json "$dir.json" "$@"
}

only_quick=
if [ "${1:-}" = --quick ]; then only_quick=1; shift; fi
mkdir -p "$tests"
tools
cargo build --workspace --examples
quick "$@"
[ -n "$only_quick" ] || full "$@"
