#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Outside clients against a node of this build: polkadot-api and @polkadot/api from npm. `make test`
# calls it where there is node and npm; with --if-possible a machine without them, or without the
# packages, is told so and passes.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${CARGO_TARGET_DIR:=target}"
lenient=0
[ "${1:-}" = --if-possible ] && lenient=1
cannot() {
	echo "outside clients: $*" >&2
	if [ "$lenient" = 1 ]; then
		echo "outside clients: NOT RUN" >&2
		exit 0
	fi
	exit 1
}

command -v node >/dev/null && command -v npm >/dev/null || cannot "node and npm are not here"
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || cannot "node $major is too old: 20 is the least"
bin=${TENSORNET_PROGRAMS:-$CARGO_TARGET_DIR/debug}
[ -x "$bin/tensornet-node" ] && [ -x "$bin/tensornet" ] || { echo "build first: make build" >&2; exit 1; }

# The versions are those of package-lock.json; install scripts are not needed and not run. Not `npm ci`:
# it insists on optional packages of other platforms that the lock file does not name.
timeout 240 npm install --no-save --prefix tests/clients --ignore-scripts --no-audit --no-fund --loglevel=error ||
	cannot "the packages cannot be installed"

work=$(mktemp -d)
node_process=
# Kills the node that this script started, and nothing else.
trap '[ -z "$node_process" ] || kill "$node_process" 2>/dev/null || true; rm -rf "$work"' EXIT

# A program to register, from the model of digits and some samples of it.
mkdir "$work/samples"
python3 - "$work/samples" <<'PYTHON'
import struct, sys
for sample in range(4):
    pixels = [float((pixel * 7 + sample * 5) % 17) for pixel in range(64)]
    with open(f"{sys.argv[1]}/{sample}.f32", "wb") as file:
        file.write(struct.pack("<64f", *pixels))
PYTHON
"$bin/tensornet" compile compiler/tests/data/digits.onnx --calibration "$work/samples" --out "$work/digits.tnp" >/dev/null

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$bin/tensornet-node" --dev --tmp --rpc-port "$port" --port 0 --no-prometheus --no-mdns --no-telemetry \
	>"$work/node.log" 2>&1 &
node_process=$!
for _ in $(seq 120); do
	"$bin/tensornet" supply --chain "ws://127.0.0.1:$port" >/dev/null 2>&1 && break
	kill -0 "$node_process" || { tail -20 "$work/node.log" >&2; exit 1; }
	sleep 1
done

for client in papi pjs; do
	echo "outside clients: $client"
	node "tests/clients/$client.mjs" "ws://127.0.0.1:$port" "$work/digits.tnp"
done
echo "outside clients: both passed"
