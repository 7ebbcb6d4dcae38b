# SPDX-License-Identifier: Apache-2.0
#
# make demo    the main job, from an empty machine to a paid, audited, burned result
# make test    format, lints and every test
# make conformance  the tensor engine against the tests and the reference model of tosa-tools
# make fuzz    coverage-guided fuzzing of what reads bytes from strangers
# make fuzz-runtime  a million random calls of the whole runtime, with every law held after each block
# make networks  whole networks on the CPU path beside onnxruntime
# make build   the three programs: tensornet-node, tensornet-worker, tensornet
# make weights measure the benchmarks of our pallets and write their weights

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Build products are shared by all clones of one user, so that dependencies are compiled once.
export TENSORNET_CACHE ?= $(HOME)/.cache/tensornet
export CARGO_TARGET_DIR ?= $(TENSORNET_CACHE)/target

.PHONY: help setup build demo test lint accuracy conformance fuzz fuzz-runtime networks weights clean-cache

help:
	@sed -n 's/^# \(make .*\)/\1/p' $(MAKEFILE_LIST)

setup:
	@scripts/setup.sh

build: setup
	cargo build --workspace --bins --examples

demo: build
	"$(CARGO_TARGET_DIR)/debug/examples/demo" --summary target/demo/summary.json

test: setup
	scripts/test.sh

lint: setup
	scripts/lint.sh

# make accuracy   the file-type program against its float model, on the files of this machine
accuracy: build
	"$(CARGO_TARGET_DIR)/debug/examples/accuracy" --limit 3000 --per-kind 120 /usr /etc "$(HOME)/.cargo/registry/src"

# The outside oracle: about 3,600 tests, bit for bit, on all three evaluators.
conformance: setup
	scripts/conformance.sh

# A minute for each target; SECONDS_EACH=1800 asks for more.
fuzz:
	scripts/fuzz.sh

fuzz-runtime: setup
	scripts/fuzz_runtime.sh $(FUZZ)

networks: setup
	scripts/networks.sh

weights: setup
	scripts/weights.sh

clean-cache:
	rm -rf "$(CARGO_TARGET_DIR)"
