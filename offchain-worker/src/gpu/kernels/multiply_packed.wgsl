// SPDX-License-Identifier: Apache-2.0
//
// The inner product of the tiled kernels where a position holds a word of four signed bytes of each
// operand, for devices that multiply those in one instruction.

// Products of four bytes each of `a` with those of the four words of `b`.
fn dots(a: i32, b: vec4<i32>) -> vec4<i32> {
	let x = bitcast<u32>(a);
	let y = bitcast<vec4<u32>>(b);
	return vec4<i32>(
		dot4I8Packed(x, y.x),
		dot4I8Packed(x, y.y),
		dot4I8Packed(x, y.z),
		dot4I8Packed(x, y.w),
	);
}

// Adds the products of the staged slices to the sums of invocation (ty, tx).
fn accumulate(sums: Sums, ty: u32, tx: u32) -> Sums {
	var s = sums;
	for (var k = 0u; k < STEP; k++) {
		let top = rows_tile[k * PITCH + ty];
		let bottom = rows_tile[k * PITCH + ty + 8u];
		let left = columns_tile[k * PITCH + tx];
		let right = columns_tile[k * PITCH + tx + 8u];
		s.t0 += dots(top.x, left);
		s.t1 += dots(top.y, left);
		s.t2 += dots(top.z, left);
		s.t3 += dots(top.w, left);
		s.u0 += dots(top.x, right);
		s.u1 += dots(top.y, right);
		s.u2 += dots(top.z, right);
		s.u3 += dots(top.w, right);
		s.b0 += dots(bottom.x, left);
		s.b1 += dots(bottom.y, left);
		s.b2 += dots(bottom.z, left);
		s.b3 += dots(bottom.w, left);
		s.c0 += dots(bottom.x, right);
		s.c1 += dots(bottom.y, right);
		s.c2 += dots(bottom.z, right);
		s.c3 += dots(bottom.w, right);
	}
	return s;
}
