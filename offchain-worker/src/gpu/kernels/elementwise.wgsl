// SPDX-License-Identifier: Apache-2.0
//
// One output element from the elements of up to three operands at the same place. A broadcast axis
// has stride 0. Rank 0 says that all operands are dense: element i of each. The pipeline constant
// OP chooses the operator, so each pipeline holds one of them; the numbers are those of
// `Elementwise` on the host. Semantics are those of the tensor crate's scalar functions.

override OP: u32;

struct Params {
	first: u32,
	count: u32,
	rank: u32,
	dtype: u32,
	k0: i32,
	k1: i32,
	extents: array<u32, 6>,
	a_strides: array<u32, 6>,
	b_strides: array<u32, 6>,
	c_strides: array<u32, 6>,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> a_data: array<i32>;
@group(0) @binding(3) var<storage, read> b_data: array<i32>;
@group(0) @binding(4) var<storage, read> c_data: array<i32>;

const MIN: u32 = 0x80000000u;

fn truth(b: bool) -> i32 {
	return select(0, 1, b);
}

fn negated(a: i32) -> i32 {
	return bitcast<i32>(0u - bitcast<u32>(a));
}

// Truncated quotient of magnitudes: total, and free of what drivers make of MIN / -1 and x / 0.
fn int_div(a: i32, b: i32) -> i32 {
	if b == 0 {
		return 0;
	}
	let x = bitcast<u32>(select(a, negated(a), a < 0));
	let y = bitcast<u32>(select(b, negated(b), b < 0));
	let q = bitcast<i32>(x / y);
	return select(q, negated(q), (a < 0) != (b < 0));
}

fn negate_saturated(dtype: u32, a: i32) -> i32 {
	switch dtype {
		case I8: { return min(negated(a), 127); }
		case I16: { return min(negated(a), 32767); }
		default: { return select(negated(a), 2147483647, bitcast<u32>(a) == MIN); }
	}
}

fn shift_right(a: i32, b: i32, round: bool) -> i32 {
	let s = bitcast<u32>(b) & 31u;
	let r = a >> s;
	if round && s > 0u {
		return r + ((a >> (s - 1u)) & 1);
	}
	return r;
}

fn apply(a: i32, b: i32, c: i32) -> i32 {
	let ub = bitcast<u32>(b) & 31u;
	switch OP {
		case 0u: { return bitcast<i32>(bitcast<u32>(a) + bitcast<u32>(b)); }
		case 1u: { return bitcast<i32>(bitcast<u32>(a) - bitcast<u32>(b)); }
		case 2u: { return int_div(a, b); }
		case 3u: { return max(a, b); }
		case 4u: { return min(a, b); }
		case 5u: { return a & b; }
		case 6u: { return a | b; }
		case 7u: { return a ^ b; }
		case 8u: { return wrap(p.dtype, a << ub); }
		case 9u: { return wrap(p.dtype, bitcast<i32>(bits(p.dtype, a) >> ub)); }
		case 10u: { return truth(a != 0 && b != 0); }
		case 11u: { return truth(a != 0 || b != 0); }
		case 12u: { return truth((a != 0) != (b != 0)); }
		case 13u: { return truth(a == b); }
		case 14u: { return truth(a > b); }
		case 15u: { return truth(a >= b); }
		// Unary.
		case 16u: { return select(a, negated(a), a < 0); }
		case 17u: { return negate_saturated(p.dtype, a); }
		case 18u: { return bitcast<i32>(countLeadingZeros(bitcast<u32>(a))); }
		case 19u: { return ~a; }
		case 20u: { return truth(a == 0); }
		// Clamp to [k0, k1].
		case 21u: { return max(min(a, p.k1), p.k0); }
		// Mul, without and with a shift (k0).
		case 22u: { return bitcast<i32>(bitcast<u32>(a) * bitcast<u32>(b)); }
		case 23u: { return bitcast<i32>(wide_round_shift(wide_mul(a, b), bitcast<u32>(p.k0)).lo); }
		// ArithmeticRightShift, without and with rounding.
		case 24u: { return wrap(p.dtype, shift_right(a, b, false)); }
		case 25u: { return wrap(p.dtype, shift_right(a, b, true)); }
		// Select.
		case 26u: { return select(c, b, a != 0); }
		// Cast.
		case 27u: { return wrap(p.dtype, a); }
		// The constant k0: the margin of Pad.
		default: { return p.k0; }
	}
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
	if p.rank == 0u {
		out[i] = apply(a_data[i], b_data[i], c_data[i]);
		return;
	}
	var rest = i;
	var ia = 0u;
	var ib = 0u;
	var ic = 0u;
	for (var d = p.rank; d > 0u; d--) {
		let extent = p.extents[d - 1u];
		let c = rest % extent;
		ia += c * p.a_strides[d - 1u];
		ib += c * p.b_strides[d - 1u];
		ic += c * p.c_strides[d - 1u];
		rest /= extent;
	}
	out[i] = apply(a_data[ia], b_data[ib], c_data[ic]);
}
