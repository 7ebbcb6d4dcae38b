// SPDX-License-Identifier: Apache-2.0
//
// I8: table[input + 128] of 256 entries. I16: 513 entries; u = input + 32768, i = u >> 7,
// f = u & 127, result (table[i] << 7) + (table[i + 1] - table[i]) * f.

struct Params {
	first: u32,
	count: u32,
	dtype: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;
@group(0) @binding(3) var<storage, read> table: array<i32>;

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
	if p.dtype == I8 {
		out[i] = table[bitcast<u32>(value[i] + 128)];
		return;
	}
	let u = bitcast<u32>(value[i] + 32768);
	let at = u >> 7u;
	let low = table[at];
	out[i] = (low << 7u) + (table[at + 1u] - low) * bitcast<i32>(u & 127u);
}
