// SPDX-License-Identifier: Apache-2.0
//
// Narrows a value to its stored bytes, in storage order: each invocation writes one little-endian
// word of `4 >> pack` byte elements (pack 0: four of 1 byte, 1: two of 2 bytes, 2: one of 4 bytes).
// Extents and strides are in storage order; strides count row-major elements. The bytes of the last
// word that lie past the end are zero.

struct Params {
	first: u32,
	count: u32,
	rank: u32,
	pack: u32,
	elements: u32,
	extents: array<u32, 6>,
	strides: array<u32, 6>,
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
	let word = p.first + n;
	let lanes = 4u >> p.pack;
	let width = 8u << p.pack;
	let mask = 0xffffffffu >> (32u - width);
	var packed = 0u;
	for (var lane = 0u; lane < lanes; lane++) {
		let e = word * lanes + lane;
		if e < p.elements {
			var rest = e;
			var at = 0u;
			for (var d = p.rank; d > 0u; d--) {
				let extent = p.extents[d - 1u];
				at += (rest % extent) * p.strides[d - 1u];
				rest /= extent;
			}
			packed |= (bitcast<u32>(value[at]) & mask) << (lane * width);
		}
	}
	out[word] = packed;
}
