// SPDX-License-Identifier: Apache-2.0
//
// 64-bit two's complement arithmetic on pairs of words: WGSL has no 64-bit integers.

struct Wide {
	lo: u32,
	hi: u32,
}

// The exact product of two signed words, from the products of their halves.
fn wide_mul(a: i32, b: i32) -> Wide {
	let x = bitcast<u32>(a);
	let y = bitcast<u32>(b);
	let x0 = x & 0xffffu;
	let x1 = x >> 16u;
	let y0 = y & 0xffffu;
	let y1 = y >> 16u;
	let p00 = x0 * y0;
	let p01 = x0 * y1;
	let p10 = x1 * y0;
	let mid = (p00 >> 16u) + (p01 & 0xffffu) + (p10 & 0xffffu);
	let unsigned_hi = x1 * y1 + (p01 >> 16u) + (p10 >> 16u) + (mid >> 16u);
	// A negative factor counts as itself plus 2^32.
	let hi = unsigned_hi - select(0u, y, a < 0) - select(0u, x, b < 0);
	return Wide(x * y, hi);
}

// `v + 2^bit`, wrapping. `bit` is at most 63.
fn wide_add_bit(v: Wide, bit: u32) -> Wide {
	if bit >= 32u {
		return Wide(v.lo, v.hi + (1u << ((bit - 32u) & 31u)));
	}
	let lo = v.lo + (1u << bit);
	return Wide(lo, v.hi + select(0u, 1u, lo < v.lo));
}

// `v >> s`, arithmetic. `s` is at most 63.
fn wide_shift_right(v: Wide, s: u32) -> Wide {
	let hi = bitcast<i32>(v.hi);
	if s == 0u {
		return v;
	}
	if s < 32u {
		let lo = (v.lo >> s) | (v.hi << ((32u - s) & 31u));
		return Wide(lo, bitcast<u32>(hi >> s));
	}
	return Wide(bitcast<u32>(hi >> (s & 31u)), bitcast<u32>(hi >> 31u));
}

// `(v + 2^(s-1)) >> s`; `v` itself when `s` is 0.
fn wide_round_shift(v: Wide, s: u32) -> Wide {
	if s == 0u {
		return v;
	}
	return wide_shift_right(wide_add_bit(v, s - 1u), s);
}

// `v` limited to the range of i32.
fn wide_saturate(v: Wide) -> i32 {
	let lo = bitcast<i32>(v.lo);
	if bitcast<i32>(v.hi) == (lo >> 31u) {
		return lo;
	}
	return select(2147483647, i32(-2147483648), (v.hi >> 31u) == 1u);
}

// `(value * multiplier + (s > 0 ? 2^(s-1) : 0)) >> s` in 64 bits, limited to i32, with s = shift & 63.
fn wide_rescale(value: i32, multiplier: i32, shift: u32) -> i32 {
	return wide_saturate(wide_round_shift(wide_mul(value, multiplier), shift & 63u));
}
