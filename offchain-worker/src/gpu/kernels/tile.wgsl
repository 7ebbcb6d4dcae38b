// SPDX-License-Identifier: Apache-2.0
//
// What the tiled matrix kernels share; `multiply` or `multiply_packed` completes it with the inner
// product. A workgroup of 64 invocations computes a tile of
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
