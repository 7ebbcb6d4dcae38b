// SPDX-License-Identifier: Apache-2.0
//
// a [N, H, C] x b [N, C, W] -> [N, H, W]: sum over c of (a - a_zero_point) * (b - b_zero_point),
// wrapping. One dispatch adds positions [k_begin, k_end).

struct Params {
	first: u32,
	tiles: u32,
	row_tiles: u32,
	column_tiles: u32,
	rows: u32,
	depth: u32,
	columns: u32,
	k_begin: u32,
	k_end: u32,
	a_zero_point: i32,
	b_zero_point: i32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> a_data: array<i32>;
@group(0) @binding(3) var<storage, read> b_data: array<i32>;

fn a_at(batch: u32, row: u32, k: u32) -> i32 {
	if row < p.rows && k < p.k_end {
		return a_data[(batch * p.rows + row) * p.depth + k] - p.a_zero_point;
	}
	return 0;
}

fn b_at(batch: u32, k: u32, column: u32) -> i32 {
	if column < p.columns && k < p.k_end {
		return b_data[(batch * p.depth + k) * p.columns + column] - p.b_zero_point;
	}
	return 0;
}

// Writes four sums of one row; `live` is false for idle groups.
fn put(batch: u32, row: u32, column: u32, sums: vec4<i32>, live: bool) {
	for (var j = 0u; j < 4u; j++) {
		if live && row < p.rows && column + j < p.columns {
			let at = (batch * p.rows + row) * p.columns + column + j;
			if p.k_begin > 0u {
				out[at] += sums[j];
			} else {
				out[at] = sums[j];
			}
		}
	}
}

@compute @workgroup_size(64)
fn main(
	@builtin(workgroup_id) group: vec3<u32>,
	@builtin(num_workgroups) groups: vec3<u32>,
	@builtin(local_invocation_index) local: u32,
) {
	let n = group.y * groups.x + group.x;
	// Idle groups of a folded grid repeat a tile and write nothing: barriers stay uniform.
	let live = n < p.tiles;
	let tile = p.first + min(n, p.tiles - 1u);
	let column0 = (tile % p.column_tiles) * TILE;
	let rest = tile / p.column_tiles;
	let row0 = (rest % p.row_tiles) * TILE;
	let batch = rest / p.row_tiles;

	let ty = local / 8u;
	let tx = local % 8u;
	var sums = Sums();
	for (var base = p.k_begin; base < p.k_end; base += STEP) {
		// Staging reads `a` along its rows and `b` along its columns, so that both are contiguous.
		for (var i = 0u; i < 4u; i++) {
			let ak = local % STEP;
			let aquad = local / STEP + i * 4u;
			let row = row0 + aquad * 4u;
			rows_tile[ak * PITCH + aquad] = vec4<i32>(
				a_at(batch, row, base + ak),
				a_at(batch, row + 1u, base + ak),
				a_at(batch, row + 2u, base + ak),
				a_at(batch, row + 3u, base + ak),
			);
			let bk = local / 16u + i * 4u;
			let bquad = local % 16u;
			let column = column0 + bquad * 4u;
			columns_tile[bk * PITCH + bquad] = vec4<i32>(
				b_at(batch, base + bk, column),
				b_at(batch, base + bk, column + 1u),
				b_at(batch, base + bk, column + 2u),
				b_at(batch, base + bk, column + 3u),
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
		put(batch, row, column, all[i], live);
	}
}
