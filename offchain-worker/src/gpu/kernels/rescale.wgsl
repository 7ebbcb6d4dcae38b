// SPDX-License-Identifier: Apache-2.0
//
// ((input - input_zero_point) * multiplier + (s > 0 ? 2^(s-1) : 0)) >> s in 64 bits, limited to i32,
// plus output_zero_point (wrapping), limited to the output type. `channels` is the extent of the
// last axis with one multiplier and shift each, or 1.

struct Params {
	first: u32,
	count: u32,
	channels: u32,
	input_zero_point: i32,
	output_zero_point: i32,
	low: i32,
	high: i32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;
@group(0) @binding(3) var<storage, read> multipliers: array<i32>;
@group(0) @binding(4) var<storage, read> shifts: array<i32>;

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
	let centred = bitcast<i32>(bitcast<u32>(value[i]) - bitcast<u32>(p.input_zero_point));
	let scaled = wide_rescale(centred, multipliers[c], bitcast<u32>(shifts[c]));
	let r = bitcast<i32>(bitcast<u32>(scaled) + bitcast<u32>(p.output_zero_point));
	out[i] = max(min(r, p.high), p.low);
}
