#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Stands in for rustc on the crates of this workspace while they are linted (see lint.sh). It is
# not optimised. The programs it leaves in the build folder are of no use (the node among them has no
# runtime): run an ordinary build before using them.
exec clippy-driver "$@" -C opt-level=0
