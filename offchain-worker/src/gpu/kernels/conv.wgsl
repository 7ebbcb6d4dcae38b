// SPDX-License-Identifier: Apache-2.0
//
// Convolution of [N, D, H, W, C] with weights [O, KD, KH, KW, C] as a matrix product that gathers its
// left operand on the fly: rows are output places (n, oz, oy, ox), columns are output channels, the
// summed axis is (kz, ky, kx, c). In two dimensions the depths are 1. One dispatch adds positions
// [k_begin, k_end), the first one the bias as well.

struct Params {
	first: u32,
	tiles: u32,
	column_tiles: u32,
	rows: u32,
	depth: u32,
	columns: u32,
	k_begin: u32,
	k_end: u32,
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
	input_zero_point: i32,
	weight_zero_point: i32,
	bias_stride: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> input: array<i32>;
@group(0) @binding(3) var<storage, read> weight: array<i32>;
@group(0) @binding(4) var<storage, read> bias: array<i32>;

// First place (z, y, x) under the window of a row, and the row's batch: negative past the end.
fn corner(row: u32) -> vec4<i32> {
	let x = row % p.out_width;
	var rest = row / p.out_width;
	let y = rest % p.out_height;
	rest /= p.out_height;
	let z = rest % p.out_slices;
	return vec4<i32>(
		i32(z) * p.stride_z - p.pad_front,
		i32(y) * p.stride_y - p.pad_top,
		i32(x) * p.stride_x - p.pad_left,
		select(-1, i32(rest / p.out_slices), row < p.rows),
	);
}

// The input at a distance from a window's first place, less its zero point.
fn tap(first: vec4<i32>, delta: vec3<i32>, c: u32, live: bool) -> i32 {
	if !live || first.w < 0 {
		return 0;
	}
	let at = first.xyz + delta;
	if all(at >= vec3<i32>(0)) && at.x < p.slices && at.y < p.height && at.z < p.width {
		let slice = (first.w * p.slices + at.x) * p.height;
		let place = bitcast<u32>((slice + at.y) * p.width + at.z);
		return input[place * p.channels + c] - p.input_zero_point;
	}
	// Padding is zero after its zero point.
	return 0;
}

fn weight_at(column: u32, k: u32, live: bool) -> i32 {
	if live && column < p.columns {
		return weight[column * p.depth + k] - p.weight_zero_point;
	}
	return 0;
}

// Writes four sums of one row; `live` is false for idle groups.
fn put(row: u32, column: u32, sums: vec4<i32>, live: bool) {
	for (var j = 0u; j < 4u; j++) {
		if live && row < p.rows && column + j < p.columns {
			let at = row * p.columns + column + j;
			if p.k_begin > 0u {
				out[at] += sums[j];
			} else {
				out[at] = sums[j] + bias[(column + j) * p.bias_stride];
			}
		}
	}
}

// The corners of the tile's 64 windows.
var<workgroup> corners: array<vec4<i32>, 64>;

@compute @workgroup_size(64)
fn main(
	@builtin(workgroup_id) group: vec3<u32>,
	@builtin(num_workgroups) groups: vec3<u32>,
	@builtin(local_invocation_index) local: u32,
) {
	let n = group.y * groups.x + group.x;
	// The last row of a folded grid may hold idle groups. They repeat a tile and write nothing, so
	// that barriers stay in uniform control flow.
	let live = n < p.tiles;
	let tile = p.first + min(n, p.tiles - 1u);
	let row0 = (tile / p.column_tiles) * TILE;
	let column0 = (tile % p.column_tiles) * TILE;
	corners[local] = corner(row0 + local);
	workgroupBarrier();

	// Neighbouring invocations stage neighbouring positions, which are contiguous in both operands.
	let sk = local % STEP;
	let ty = local / 8u;
	let tx = local % 8u;
	var sums = Sums();
	for (var base = p.k_begin; base < p.k_end; base += STEP) {
		let k = base + sk;
		let in_depth = k < p.k_end;
		let c = k % p.channels;
		let window = k / p.channels;
		let line = window / p.kernel_width;
		let delta = vec3<i32>(
			i32(line / p.kernel_height) * p.dilation_z,
			i32(line % p.kernel_height) * p.dilation_y,
			i32(window % p.kernel_width) * p.dilation_x,
		);
		for (var quad = local / STEP; quad < 16u; quad += INVOCATIONS / STEP) {
			let r = quad * 4u;
			rows_tile[sk * PITCH + quad] = vec4<i32>(
				tap(corners[r], delta, c, in_depth),
				tap(corners[r + 1u], delta, c, in_depth),
				tap(corners[r + 2u], delta, c, in_depth),
				tap(corners[r + 3u], delta, c, in_depth),
			);
			columns_tile[sk * PITCH + quad] = vec4<i32>(
				weight_at(column0 + r, k, in_depth),
				weight_at(column0 + r + 1u, k, in_depth),
				weight_at(column0 + r + 2u, k, in_depth),
				weight_at(column0 + r + 3u, k, in_depth),
			);
		}
		workgroupBarrier();
		sums = accumulate(sums, ty, tx);
		workgroupBarrier();
	}

	// Entry i holds row i % 4 of one of the four quarters: upper left, upper right, lower ones.
	var all = array<vec4<i32>, 16>(
		sums.t0, sums.t1, sums.t2, sums.t3, sums.u0, sums.u1, sums.u2, sums.u3,
		sums.b0, sums.b1, sums.b2, sums.b3, sums.c0, sums.c1, sums.c2, sums.c3,
	);
	for (var i = 0u; i < 16u; i++) {
		let row = row0 + ty * 4u + (i / 8u) * 32u + i % 4u;
		let column = column0 + tx * 4u + ((i / 4u) % 2u) * 32u;
		put(row, column, all[i], live);
	}
}
