// SPDX-License-Identifier: Apache-2.0
//
// What the products of bytes share: a [N, H, K] x b [N, K, W] -> [N, H, W], wrapping. Both operands lie
// in vectors of sixteen signed bytes along the summed axis: a as [N, Q, H], b as [N, Q, W] with
// Q = `depth` = ceil(K / 16), and zeros behind the end, so that neighbouring invocations read
// neighbouring vectors of either.
//
// One dispatch sums vectors [k_begin, k_end) of the plane of `a` at `a_base`:
// out = (ACCUMULATE ? out : 0) + (sum << shift). The last dispatch of an element finishes it: FINISH 1
// adds what its column contributes (bias and zero points), and its row if ROW_TERMS, 2 rescales as well.
// OP = FINISH + 3 * ACCUMULATE + 6 * ROW_TERMS: what is not done costs nothing.
//
// The constants of the variant stand before this text: LANES_X x LANES_Y invocations of ROWS x COLUMNS
// elements make a workgroup's TILE_ROWS x TILE_COLUMNS.

override OP: u32;

struct Params {
	first: u32,
	tiles: u32,
	row_tiles: u32,
	column_tiles: u32,
	rows: u32,
	columns: u32,
	depth: u32,
	k_begin: u32,
	k_end: u32,
	a_base: u32,
	out_base: u32,
	shift: u32,
	input_zero_point: i32,
	output_zero_point: i32,
	low: i32,
	high: i32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> a: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> b: array<vec4<u32>>;
// Of each column: what is added, multiplier, shift.
@group(0) @binding(4) var<storage, read> column_terms: array<vec4<i32>>;
@group(0) @binding(5) var<storage, read> row_terms: array<i32>;

// Where a workgroup's tile lies; `live` is false for the idle groups of a folded grid. They repeat a
// tile and write nothing, so that barriers stay in uniform control flow.
struct Tile {
	live: bool,
	batch: u32,
	row: u32,
	column: u32,
}

fn tile_of(group: vec3<u32>, groups: vec3<u32>) -> Tile {
	let n = group.y * groups.x + group.x;
	let tile = p.first + min(n, p.tiles - 1u);
	let rest = tile / p.column_tiles;
	return Tile(
		n < p.tiles,
		rest / p.row_tiles,
		(rest % p.row_tiles) * TILE_ROWS,
		(tile % p.column_tiles) * TILE_COLUMNS,
	);
}

fn term_of(batch: u32, column: u32) -> vec4<i32> {
	if OP % 3u == 0u || column >= p.columns {
		return vec4<i32>();
	}
	return column_terms[batch * p.columns + column];
}

fn put(batch: u32, row: u32, column: u32, sum: i32, term: vec4<i32>) {
	if row >= p.rows || column >= p.columns {
		return;
	}
	let at = p.out_base + (batch * p.rows + row) * p.columns + column;
	var value = sum << p.shift;
	if (OP / 3u) % 2u == 1u {
		value += out[at];
	}
	if OP % 3u > 0u {
		value += term.x;
	}
	if OP / 6u == 1u {
		value += row_terms[batch * p.rows + row];
	}
	if OP % 3u == 2u {
		let centred = bitcast<i32>(bitcast<u32>(value) - bitcast<u32>(p.input_zero_point));
		let scaled = wide_rescale(centred, term.y, bitcast<u32>(term.z));
		let moved = bitcast<i32>(bitcast<u32>(scaled) + bitcast<u32>(p.output_zero_point));
		value = max(min(moved, p.high), p.low);
	}
	out[at] = value;
}
