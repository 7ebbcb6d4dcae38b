// SPDX-License-Identifier: Apache-2.0
//
// Images [N, H, W, C] of another size. Position i of an axis lies at i * denominator + offset, in steps
// of 1 / numerator of the distance between two elements. BILINEAR: the sum of the four neighbours,
// times their weights in steps; otherwise the nearest, the later of two that are equally near.

override OP: u32;

struct Params {
	first: u32,
	count: u32,
	height: i32,
	width: i32,
	channels: u32,
	out_height: u32,
	out_width: u32,
	numerator_y: i32,
	numerator_x: i32,
	denominator_y: i32,
	denominator_x: i32,
	offset_y: i32,
	offset_x: i32,
}

const BILINEAR: u32 = 1u;

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

// The element before a position, the one behind it, both inside the axis, and the steps past the first.
fn between(position: i32, numerator: i32, denominator: i32, offset: i32, extent: i32) -> vec3<i32> {
	// Offsets are above -2^15: shifted by as many elements, nothing is negative.
	let steps = position * denominator + offset + numerator * 32768;
	let before = steps / numerator - 32768;
	return vec3<i32>(
		clamp(before, 0, extent - 1),
		clamp(before + 1, 0, extent - 1),
		steps % numerator,
	);
}

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
	var rest = i / p.channels;
	let ox = i32(rest % p.out_width);
	rest /= p.out_width;
	let oy = i32(rest % p.out_height);
	let batch = i32(rest / p.out_height);
	let y = between(oy, p.numerator_y, p.denominator_y, p.offset_y, p.height);
	let x = between(ox, p.numerator_x, p.denominator_x, p.offset_x, p.width);
	let line = batch * p.height;
	if OP == BILINEAR {
		let above = (line + y.x) * p.width;
		let below = (line + y.y) * p.width;
		let a = value[bitcast<u32>(above + x.x) * p.channels + c];
		let b = value[bitcast<u32>(above + x.y) * p.channels + c];
		let d = value[bitcast<u32>(below + x.x) * p.channels + c];
		let e = value[bitcast<u32>(below + x.y) * p.channels + c];
		let left = p.numerator_x - x.z;
		let top = (a * left + b * x.z) * (p.numerator_y - y.z);
		out[i] = top + (d * left + e * x.z) * y.z;
		return;
	}
	let row = line + select(y.x, y.y, 2 * y.z >= p.numerator_y);
	let column = select(x.x, x.y, 2 * x.z >= p.numerator_x);
	out[i] = value[bitcast<u32>(row * p.width + column) * p.channels + c];
}
