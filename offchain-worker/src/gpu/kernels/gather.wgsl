// SPDX-License-Identifier: Apache-2.0
//
// values [N, K, C], indices [N, W] -> [N, W, C]: values[n, indices[n, w], c], the index limited to
// 0..K.

struct Params {
	first: u32,
	count: u32,
	rows: u32,
	width: u32,
	channels: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> values: array<i32>;
@group(0) @binding(3) var<storage, read> indices: array<i32>;

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
	let c = i % p.channels;
	let nw = i / p.channels;
	let k = min(bitcast<u32>(max(indices[nw], 0)), p.rows - 1u);
	out[i] = values[((nw / p.width) * p.rows + k) * p.channels + c];
}
