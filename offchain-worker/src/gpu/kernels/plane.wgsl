// SPDX-License-Identifier: Apache-2.0
//
// Which byte of a value the kernels that pack take. OP 0: the only one of a value of 8 bits. 1: the
// high one of a value of 16 bits. 2: its low one less 128, so that value = 256 * high + low + 128 with
// both bytes signed.

override OP: u32;

fn byte_of(value: i32) -> u32 {
	var v = bitcast<u32>(value);
	if OP == 1u {
		v = v >> 8u;
	}
	if OP == 2u {
		v = v ^ 0x80u;
	}
	return v & 0xffu;
}
