#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Stands in for rustc on the crates of this workspace while they are linted (see lint.sh). What it
# compiles is thrown away, so it is not optimised.
exec clippy-driver "$@" -C opt-level=0
