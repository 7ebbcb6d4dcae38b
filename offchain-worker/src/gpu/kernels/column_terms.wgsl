// SPDX-License-Identifier: Apache-2.0
//
// What a product of bytes adds to the sums of each column, and how it rescales them: with b as
// [N, Q, W] vectors of sixteen bytes, out[n, w] = (factor * sum(b[n, .., w]) + constant + bias[w],
// multiplier[w], shift[w], 0). The factor is what the left operand's zero point leaves to the right
// operand: sum((a - z) * b) = sum(a * b) - z * sum(b).

const ONES: u32 = 0x01010101u;

struct Params {
	first: u32,
	count: u32,
	columns: u32,
	depth: u32,
	factor: i32,
	constant: i32,
	biased: u32,
	bias_stride: u32,
	scaled: u32,
	scale_stride: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<i32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> bias: array<i32>;
@group(0) @binding(4) var<storage, read> multipliers: array<i32>;
@group(0) @binding(5) var<storage, read> shifts: array<i32>;

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
	let column = i % p.columns;
	var term = p.constant;
	if p.factor != 0 {
		let start = (i / p.columns) * p.depth * p.columns + column;
		var sum = 0;
		for (var q = 0u; q < p.depth; q++) {
			let v = b[start + q * p.columns];
			sum += dot4I8Packed(v.x, ONES) + dot4I8Packed(v.y, ONES);
			sum += dot4I8Packed(v.z, ONES) + dot4I8Packed(v.w, ONES);
		}
		term += p.factor * sum;
	}
	if p.biased == 1u {
		term += bias[column * p.bias_stride];
	}
	var multiplier = 0;
	var shift = 0;
	if p.scaled == 1u {
		multiplier = multipliers[column * p.scale_stride];
		shift = shifts[column * p.scale_stride];
	}
	out[i] = vec4<i32>(term, multiplier, shift, 0);
}
