// SPDX-License-Identifier: Apache-2.0
//
// Row k of [N, K, C] is the row of the input [N, W, C] that `places` names, counted from one, and the
// row of `value` where it names none.

struct Params {
	first: u32,
	count: u32,
	rows: u32,
	width: u32,
	channels: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> places: array<u32>;
@group(0) @binding(3) var<storage, read> value: array<i32>;
@group(0) @binding(4) var<storage, read> input: array<i32>;

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
	let row = i / p.channels;
	let place = places[row];
	if place == 0u {
		out[i] = value[i];
		return;
	}
	let batch = row / p.rows;
	out[i] = input[(batch * p.width + place - 1u) * p.channels + i % p.channels];
}
