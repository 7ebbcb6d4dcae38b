// SPDX-License-Identifier: Apache-2.0
//
// What the matrix kernels of values of any width share. A workgroup of 64 invocations computes a tile of
// 64 rows x 64 columns in steps of 16 along the summed axis. Slices of both operands are staged in
// workgroup memory as vectors ("quads") of four neighbouring rows (columns) at one position of the
// summed axis. Invocation (ty, tx) computes the 8 x 8 elements at row quads ty and ty + 8 and column
// quads tx and tx + 8: four reads for 64 products. Sums wrap modulo 2^32, so their order is free.

const TILE: u32 = 64u;
const STEP: u32 = 16u;
const INVOCATIONS: u32 = 64u;
// One more than 16: neighbouring invocations then write different banks.
const PITCH: u32 = 17u;

var<workgroup> rows_tile: array<vec4<i32>, 272>;
var<workgroup> columns_tile: array<vec4<i32>, 272>;

// Row i of the upper quad in ti (columns tx) and ui (columns tx + 8), of the lower in bi and ci.
struct Sums {
	t0: vec4<i32>, t1: vec4<i32>, t2: vec4<i32>, t3: vec4<i32>,
	u0: vec4<i32>, u1: vec4<i32>, u2: vec4<i32>, u3: vec4<i32>,
	b0: vec4<i32>, b1: vec4<i32>, b2: vec4<i32>, b3: vec4<i32>,
	c0: vec4<i32>, c1: vec4<i32>, c2: vec4<i32>, c3: vec4<i32>,
}

// Adds the products of the staged slices to the sums of invocation (ty, tx).
fn accumulate(sums: Sums, ty: u32, tx: u32) -> Sums {
	var s = sums;
	for (var k = 0u; k < STEP; k++) {
		let top = rows_tile[k * PITCH + ty];
		let bottom = rows_tile[k * PITCH + ty + 8u];
		let left = columns_tile[k * PITCH + tx];
		let right = columns_tile[k * PITCH + tx + 8u];
		s.t0 += top.x * left;
		s.t1 += top.y * left;
		s.t2 += top.z * left;
		s.t3 += top.w * left;
		s.u0 += top.x * right;
		s.u1 += top.y * right;
		s.u2 += top.z * right;
		s.u3 += top.w * right;
		s.b0 += bottom.x * left;
		s.b1 += bottom.y * left;
		s.b2 += bottom.z * left;
		s.b3 += bottom.w * left;
		s.c0 += bottom.x * right;
		s.c1 += bottom.y * right;
		s.c2 += bottom.z * right;
		s.c3 += bottom.w * right;
	}
	return s;
}
