// SPDX-License-Identifier: Apache-2.0
//
// Element types by their number in the program format. Every value is carried as an i32 that lies
// inside its type, as in the evaluators of the tensor crate.

const BOOL: u32 = 0u;
const I8: u32 = 1u;
const I16: u32 = 2u;
const I32: u32 = 3u;

// `value` reduced to the type: modulo 2^bits for integers, `value != 0` for Bool.
fn wrap(dtype: u32, value: i32) -> i32 {
	switch dtype {
		case BOOL: { return select(0, 1, value != 0); }
		case I8: { return (value << 24u) >> 24u; }
		case I16: { return (value << 16u) >> 16u; }
		default: { return value; }
	}
}

// The bits of the type, without sign extension.
fn bits(dtype: u32, value: i32) -> u32 {
	let v = bitcast<u32>(value);
	switch dtype {
		case BOOL: { return v & 1u; }
		case I8: { return v & 0xffu; }
		case I16: { return v & 0xffffu; }
		default: { return v; }
	}
}
