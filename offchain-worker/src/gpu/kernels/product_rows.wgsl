// SPDX-License-Identifier: Apache-2.0
//
// A product of few rows: the right operand is read once whatever is done, so nothing is staged. The
// LANES_Y invocations of a column share its summed axis and add up their sums at the end. Lines between
// `//# for` and `//# end` are repeated before compilation.

const PARTS: u32 = LANES_Y * ELEMENTS * LANES_X;

var<workgroup> parts: array<i32, PARTS>;

@compute @workgroup_size(LANES_X, LANES_Y)
fn main(
	@builtin(workgroup_id) group: vec3<u32>,
	@builtin(num_workgroups) groups: vec3<u32>,
	@builtin(local_invocation_id) lane: vec3<u32>,
) {
	let tile = tile_of(group, groups);
	let a_start = p.a_base + tile.batch * p.depth * p.rows;
	let b_start = tile.batch * p.depth * p.columns;
	//# for $r in ROWS
	let row_$r = a_start + min(tile.row + $ru, p.rows - 1u);
	//# for $c in COLUMNS
	var s_$r_$c = 0;
	//# end
	//# end
	//# for $c in COLUMNS
	let column_$c = b_start + min(tile.column + $cu * LANES_X + lane.x, p.columns - 1u);
	//# end
	for (var q = p.k_begin + lane.y; q < p.k_end; q += LANES_Y) {
		//# for $c in COLUMNS
		let b_$c = b[q * p.columns + column_$c];
		//# end
		//# for $r in ROWS
		{
			let v = a[q * p.rows + row_$r];
			//# for $c in COLUMNS
			s_$r_$c += dot4I8Packed(v.x, b_$c.x);
			s_$r_$c += dot4I8Packed(v.y, b_$c.y);
			s_$r_$c += dot4I8Packed(v.z, b_$c.z);
			s_$r_$c += dot4I8Packed(v.w, b_$c.w);
			//# end
		}
		//# end
	}
	//# for $r in ROWS
	//# for $c in COLUMNS
	parts[(lane.y * ELEMENTS + $cu * ROWS + $ru) * LANES_X + lane.x] = s_$r_$c;
	//# end
	//# end
	workgroupBarrier();
	if !tile.live || lane.y > 0u {
		return;
	}
	for (var c = 0u; c < COLUMNS; c++) {
		let column = tile.column + c * LANES_X + lane.x;
		let term = term_of(tile.batch, column);
		for (var r = 0u; r < ROWS; r++) {
			var sum = 0;
			for (var part = 0u; part < LANES_Y; part++) {
				sum += parts[(part * ELEMENTS + c * ROWS + r) * LANES_X + lane.x];
			}
			put(tile.batch, tile.row + r, column, sum, term);
		}
	}
}
