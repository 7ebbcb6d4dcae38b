// SPDX-License-Identifier: Apache-2.0
//
// Widens stored bytes to one i32 for each element, in row-major order whatever the storage layout:
// out[i] = element of type `dtype` at storage index sum(coordinate * stride). Words are little
// endian. Any non-zero Bool byte reads as 1.

struct Params {
	first: u32,
	count: u32,
	rank: u32,
	dtype: u32,
	extents: array<u32, 6>,
	strides: array<u32, 6>,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> words: array<u32>;

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
	var rest = i;
	var at = 0u;
	for (var d = p.rank; d > 0u; d--) {
		let extent = p.extents[d - 1u];
		at += (rest % extent) * p.strides[d - 1u];
		rest /= extent;
	}
	switch p.dtype {
		case I32: { out[i] = bitcast<i32>(words[at]); }
		case I16: { out[i] = wrap(I16, bitcast<i32>(words[at >> 1u] >> ((at & 1u) * 16u))); }
		case I8: { out[i] = wrap(I8, bitcast<i32>(words[at >> 2u] >> ((at & 3u) * 8u))); }
		default: { out[i] = wrap(BOOL, bitcast<i32>((words[at >> 2u] >> ((at & 3u) * 8u)) & 0xffu)); }
	}
}
