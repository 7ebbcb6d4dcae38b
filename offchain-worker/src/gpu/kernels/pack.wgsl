// SPDX-License-Identifier: Apache-2.0
//
// Packs sixteen values along the middle axis of an [outer, length, inner] view into the bytes of a
// vector, as an operand of the products of bytes: out[out_base + i] over [outer, vectors, inner].
// Places past `length` are zero.

struct Params {
	first: u32,
	count: u32,
	length: u32,
	vectors: u32,
	inner: u32,
	outer_stride: u32,
	length_stride: u32,
	inner_stride: u32,
	out_base: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

// The values k to k + 3 of the line that begins at `start`.
fn word(start: u32, k: u32) -> u32 {
	var packed = 0u;
	for (var lane = 0u; lane < 4u; lane++) {
		if k + lane < p.length {
			packed |= byte_of(value[start + (k + lane) * p.length_stride]) << (lane * 8u);
		}
	}
	return packed;
}

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
	let rest = i / p.inner;
	let start = (rest / p.vectors) * p.outer_stride + (i % p.inner) * p.inner_stride;
	let k = (rest % p.vectors) * 16u;
	out[p.out_base + i] =
		vec4<u32>(word(start, k), word(start, k + 4u), word(start, k + 8u), word(start, k + 12u));
}
