// SPDX-License-Identifier: Apache-2.0
//
// Packs the windows of a convolution of [N, D, H, W, C] as the left operand of a product of bytes: rows
// are output places (n, oz, oy, ox) from `row_base` on, the summed axis is (kz, ky, kx, c) in vectors of
// sixteen bytes: out[out_base + i] over [vectors, rows]. In two dimensions the depths are 1. Padding
// reads as `fill`, places past `length` are zero.

struct Params {
	first: u32,
	count: u32,
	rows: u32,
	row_base: u32,
	length: u32,
	out_base: u32,
	slices: i32,
	height: i32,
	width: i32,
	channels: u32,
	out_slices: u32,
	out_height: u32,
	out_width: u32,
	kernel_height: u32,
	kernel_width: u32,
	pad_front: i32,
	pad_top: i32,
	pad_left: i32,
	stride_z: i32,
	stride_y: i32,
	stride_x: i32,
	dilation_z: i32,
	dilation_y: i32,
	dilation_x: i32,
	fill: i32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> input: array<i32>;

// Position `k` of the window of `batch` that begins at `corner`.
fn tap(corner: vec3<i32>, batch: i32, k: u32) -> i32 {
	let window = k / p.channels;
	let line = window / p.kernel_width;
	let at = corner + vec3<i32>(
		i32(line / p.kernel_height) * p.dilation_z,
		i32(line % p.kernel_height) * p.dilation_y,
		i32(window % p.kernel_width) * p.dilation_x,
	);
	if all(at >= vec3<i32>(0)) && at.x < p.slices && at.y < p.height && at.z < p.width {
		let place = ((batch * p.slices + at.x) * p.height + at.y) * p.width + at.z;
		return input[bitcast<u32>(place) * p.channels + k % p.channels];
	}
	return p.fill;
}

fn word(corner: vec3<i32>, batch: i32, k: u32) -> u32 {
	var packed = 0u;
	for (var lane = 0u; lane < 4u; lane++) {
		if k + lane < p.length {
			packed |= byte_of(tap(corner, batch, k + lane)) << (lane * 8u);
		}
	}
	return packed;
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
	let row = p.row_base + i % p.rows;
	let k = (i / p.rows) * 16u;
	let x = row % p.out_width;
	var rest = row / p.out_width;
	let y = rest % p.out_height;
	rest /= p.out_height;
	let z = rest % p.out_slices;
	let batch = i32(rest / p.out_slices);
	let corner = vec3<i32>(
		i32(z) * p.stride_z - p.pad_front,
		i32(y) * p.stride_y - p.pad_top,
		i32(x) * p.stride_x - p.pad_left,
	);
	out[p.out_base + i] = vec4<u32>(
		word(corner, batch, k),
		word(corner, batch, k + 4u),
		word(corner, batch, k + 8u),
		word(corner, batch, k + 12u),
	);
}
