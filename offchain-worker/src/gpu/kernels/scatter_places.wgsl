// SPDX-License-Identifier: Apache-2.0
//
// For each row of [N, K], one more than the last place of the indices [N, W] that names it. The rows
// start at zero, which stands for none; indices are limited to the rows.

struct Params {
	first: u32,
	count: u32,
	rows: u32,
	width: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read> indices: array<i32>;

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
	let row = min(bitcast<u32>(max(indices[i], 0)), p.rows - 1u);
	atomicMax(&out[(i / p.width) * p.rows + row], i % p.width + 1u);
}
