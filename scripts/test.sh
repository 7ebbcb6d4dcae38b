#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Everything that must hold: format, lints, and every test: unit, property, differential and end to
# end. `make test` calls it after the set-up.
#
# Some tests mostly wait for blocks of a running chain, everything else mostly computes: the first
# kind starts as soon as its programs are built and runs beside the rest, which yields to it.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
# What helps the next small change costs a build from nothing more.
[ -z "${CI:-}" ] || export CARGO_INCREMENTAL=0
step() { printf '\n==> %s (%s)\n' "$*" "$(date +%T)"; }
linted() { scripts/cargo-linted.sh "$@"; }

step "format"
cargo fmt --all --check

logs=$PWD/target/test
programs=$PWD/target/demo/bin
mkdir -p "$logs" "$programs/examples"

step "the programs, with lints"
linted build --workspace --bins --examples
# Copies: another build may replace the programs while they are in use.
cp "$CARGO_TARGET_DIR"/debug/{tensornet-node,tensornet-worker,tensornet} "$programs/"
cp "$CARGO_TARGET_DIR/debug/examples/demo" "$programs/examples/"

step "the tests that wait for blocks, with lints"
slow=(chain recovery)
linted test --workspace --no-run "${slow[@]/#/--test=}"
# They run without cargo, which would wait for the builds below: lines of package folder and program.
linted test --workspace --no-run "${slow[@]/#/--test=}" --message-format json 2>/dev/null | python3 -c '
import json, os, sys
for message in map(json.loads, sys.stdin):
    if message.get("profile", {}).get("test") and message["executable"]:
        print(os.path.dirname(message["manifest_path"]), message["executable"])
' >"$logs/waiting"
[ "$(wc -l <"$logs/waiting")" = 3 ] || { echo "expected three programs in $logs/waiting" >&2; exit 1; }

# waiting NAME: the tests of that name, one program after the other.
waiting() {
	local folder program failed=0
	while read -r folder program; do
		(cd "$folder" && "$program") || failed=1
	done < <(grep "/$1-[0-9a-f]*\$" "$logs/waiting")
	return "$failed"
}

# beside NAME COMMAND: runs it in the background; its output is shown at the end.
names=() jobs=()
beside() {
	local name=$1
	shift
	echo "beside what follows: $name"
	# A process group of its own, so that it can be stopped with all that it started.
	set -m
	"$@" >"$logs/$name.log" 2>&1 </dev/null &
	set +m
	names+=("$name") jobs+=("$!")
}
trap 'kill -- "${jobs[@]/#/-}" 2>/dev/null || true' EXIT
demo_then_recovery() {
	local failed=0
	"$programs/examples/demo" --summary target/demo/summary.json || failed=1
	waiting recovery || failed=1
	return "$failed"
}
step "started"
beside "main-job-and-recovery" demo_then_recovery
beside "chain-tests" waiting chain
# Where there is node and npm.
beside "outside-clients" env TENSORNET_PROGRAMS="$programs" scripts/clients.sh --if-possible

step "lints and tests"
nice scripts/lint.sh
others=$(cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
targets = [t for p in json.load(sys.stdin)["packages"] for t in p["targets"] if "test" in t["kind"]]
print(*sorted({"--test=" + t["name"] for t in targets if t["name"] not in sys.argv[1:]}))
' "${slow[@]}")
failed=0
# shellcheck disable=SC2086 # a list of options
nice scripts/cargo-linted.sh test --workspace --no-fail-fast --lib --bins --examples $others || failed=1
nice scripts/cargo-linted.sh test --workspace --doc || failed=1
step "the tensor engine against an outside oracle: the quick set"
nice scripts/conformance.sh --quick || failed=1

step "what ran beside"
for at in "${!jobs[@]}"; do
	if wait "${jobs[$at]}"; then result=passed; else result=FAILED failed=1; fi
	printf '\n--> %s: %s (%s)\n' "${names[$at]}" "$result" "$(date +%T)"
	cat "$logs/${names[$at]}.log"
done
trap - EXIT
[ "$failed" = 0 ] || { echo "some tests failed: see above" >&2; exit 1; }
step "all passed"
