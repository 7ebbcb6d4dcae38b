// SPDX-License-Identifier: Apache-2.0
//
// Packs four values along the middle axis of an [outer, length, inner] view into the bytes of one
// word, as operands of the packed matrix kernels: out[out_base + i] over [outer, words, inner].
// Places past `length` are zero. PLANE 0: the low byte of value - zero_point, for values that fit
// one byte. 1: the high byte of 16-bit values. 2: their low byte less 128, so that
// value = 256 * high + low + 128 with both bytes signed.

override OP: u32;

struct Params {
	first: u32,
	count: u32,
	length: u32,
	words: u32,
	inner: u32,
	zero_point: i32,
	out_base: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

@compute @workgroup_size(64)
fn main(
	@builtin(workgroup_id) group: vec3<u32>,
	@builtin(num_workgroups) groups: vec3<u32>,
	@builtin(local_invocation_index) local: u32,
) {
	let n = flat_index(group, groups, local);
	if n >= p.count {
		return;
	}
	let i = p.first + n;
	let column = i % p.inner;
	let row = i / p.inner;
	let start = (row % p.words) * 4u;
	let source = (row / p.words) * p.length;
	var word = 0u;
	for (var lane = 0u; lane < 4u; lane++) {
		let k = start + lane;
		if k < p.length {
			let v = bitcast<u32>(value[(source + k) * p.inner + column] - p.zero_point);
			var byte = v;
			if OP == 1u {
				byte = v >> 8u;
			}
			if OP == 2u {
				byte = v ^ 0x80u;
			}
			word |= (byte & 0xffu) << (lane * 8u);
		}
	}
	out[p.out_base + i] = word;
}
