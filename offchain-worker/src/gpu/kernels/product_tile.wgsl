// SPDX-License-Identifier: Apache-2.0
//
// A product whose workgroups stage STEP vectors of all rows and columns of their tile in workgroup
// memory, where each is used COLUMNS or ROWS times by every invocation that reads it. The rows and
// columns of one invocation lie LANES_Y and LANES_X apart, so that neighbours read neighbouring
// vectors. Lines between `//# for` and `//# end` are repeated before compilation: sums then have
// constant places and stay in registers.

const A_SLOTS: u32 = STEP * TILE_ROWS;
const B_SLOTS: u32 = STEP * TILE_COLUMNS;

var<workgroup> a_tile: array<vec4<u32>, A_SLOTS>;
var<workgroup> b_tile: array<vec4<u32>, B_SLOTS>;

@compute @workgroup_size(LANES_X, LANES_Y)
fn main(
	@builtin(workgroup_id) group: vec3<u32>,
	@builtin(num_workgroups) groups: vec3<u32>,
	@builtin(local_invocation_id) lane: vec3<u32>,
	@builtin(local_invocation_index) local: u32,
) {
	let tile = tile_of(group, groups);
	let a_start = p.a_base + tile.batch * p.depth * p.rows;
	let b_start = tile.batch * p.depth * p.columns;
	//# for $r in ROWS
	//# for $c in COLUMNS
	var s_$r_$c = 0;
	//# end
	//# end
	for (var base = p.k_begin; base < p.k_end; base += STEP) {
		//# for $i in A_LOADS
		{
			let slot = $iu * INVOCATIONS + local;
			if slot < A_SLOTS {
				let q = base + slot / TILE_ROWS;
				let row = min(tile.row + slot % TILE_ROWS, p.rows - 1u);
				var v = vec4<u32>();
				if q < p.k_end {
					v = a[a_start + q * p.rows + row];
				}
				a_tile[slot] = v;
			}
		}
		//# end
		//# for $i in B_LOADS
		{
			let slot = $iu * INVOCATIONS + local;
			if slot < B_SLOTS {
				let q = base + slot / TILE_COLUMNS;
				let column = min(tile.column + slot % TILE_COLUMNS, p.columns - 1u);
				var v = vec4<u32>();
				if q < p.k_end {
					v = b[b_start + q * p.columns + column];
				}
				b_tile[slot] = v;
			}
		}
		//# end
		workgroupBarrier();
		//# for $q in STEP
		{
			//# for $r in ROWS
			let a_$r = a_tile[$qu * TILE_ROWS + $ru * LANES_Y + lane.y];
			//# end
			//# for $c in COLUMNS
			{
				let v = b_tile[$qu * TILE_COLUMNS + $cu * LANES_X + lane.x];
				//# for $r in ROWS
				s_$r_$c += dot4I8Packed(a_$r.x, v.x);
				s_$r_$c += dot4I8Packed(a_$r.y, v.y);
				s_$r_$c += dot4I8Packed(a_$r.z, v.z);
				s_$r_$c += dot4I8Packed(a_$r.w, v.w);
				//# end
			}
			//# end
		}
		//# end
		workgroupBarrier();
	}
	if !tile.live {
		return;
	}
	var sums: array<i32, ELEMENTS>;
	//# for $r in ROWS
	//# for $c in COLUMNS
	sums[$cu * ROWS + $ru] = s_$r_$c;
	//# end
	//# end
	for (var c = 0u; c < COLUMNS; c++) {
		let column = tile.column + c * LANES_X + lane.x;
		let term = term_of(tile.batch, column);
		for (var r = 0u; r < ROWS; r++) {
			put(tile.batch, tile.row + r * LANES_Y + lane.y, column, sums[c * ROWS + r], term);
		}
	}
}
