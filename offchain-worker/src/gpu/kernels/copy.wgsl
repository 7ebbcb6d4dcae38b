// SPDX-License-Identifier: Apache-2.0
//
// Moves elements between two affine views of the same extents:
// out[out_base + sum(coordinate * to)] = source[source_base + sum(coordinate * from)].
// Transpose, Slice, Reverse (a negative stride: arithmetic is modulo 2^32), Tile (a zero stride),
// Concat and the body of Pad are all of this form.

struct Params {
	first: u32,
	count: u32,
	rank: u32,
	source_base: u32,
	out_base: u32,
	extents: array<u32, 12>,
	from_strides: array<u32, 12>,
	to_strides: array<u32, 12>,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> source: array<i32>;

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
	var rest = p.first + n;
	var at = p.source_base;
	var target_at = p.out_base;
	for (var d = p.rank; d > 0u; d--) {
		let extent = p.extents[d - 1u];
		let c = rest % extent;
		at += c * p.from_strides[d - 1u];
		target_at += c * p.to_strides[d - 1u];
		rest /= extent;
	}
	out[target_at] = source[at];
}
