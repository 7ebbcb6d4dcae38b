// SPDX-License-Identifier: Apache-2.0
//
// The inner product of the tiled kernels where a position holds one value of each operand.

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
