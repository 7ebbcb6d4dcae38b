// SPDX-License-Identifier: Apache-2.0
//
// What a product of bytes adds to the sums of each row where the right operand has a zero point: with a
// as [N, Q, H] vectors of sixteen bytes, out[n, h] = factor * sum(a[n, .., h]) + constant. Where `a` has
// two planes, the high one first, `plane` vectors apart, the high bytes count 256 times.

const ONES: u32 = 0x01010101u;

struct Params {
	first: u32,
	count: u32,
	rows: u32,
	depth: u32,
	planes: u32,
	plane: u32,
	factor: i32,
	constant: i32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;

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
	let start = (i / p.rows) * p.depth * p.rows + i % p.rows;
	var sum = 0;
	for (var plane = 0u; plane < p.planes; plane++) {
		sum = sum << 8u;
		for (var q = 0u; q < p.depth; q++) {
			let v = a[plane * p.plane + start + q * p.rows];
			sum += dot4I8Packed(v.x, ONES) + dot4I8Packed(v.y, ONES);
			sum += dot4I8Packed(v.z, ONES) + dot4I8Packed(v.w, ONES);
		}
	}
	out[i] = p.factor * sum + p.constant;
}
