// SPDX-License-Identifier: Apache-2.0
//
// Average of each window of [N, H, W, C] over what is not padding: the sum of value - input_zero_point
// times (2^30 + 1) * 2^z / count, rounded down, shifted right by 30 + z with rounding, where z is the
// number of bits of count - 1; plus output_zero_point, limited to the type. One dispatch adds the
// taps [k_begin, k_end); the last one divides.

struct Params {
	first: u32,
	count: u32,
	height: i32,
	width: i32,
	channels: u32,
	out_height: u32,
	out_width: u32,
	kernel_height: u32,
	kernel_width: u32,
	pad_top: i32,
	pad_left: i32,
	stride_y: i32,
	stride_x: i32,
	input_zero_point: i32,
	output_zero_point: i32,
	low: i32,
	high: i32,
	k_begin: u32,
	k_end: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

// (2^30 + 1) * 2^bits / count for 2^(bits - 1) < count <= 2^bits and count <= 2^30, by long division:
// with 2^bits = count + more, the quotient is 2^30 + 1 + (2^30 + 1) * more / count.
fn reciprocal(count: u32, bits: u32) -> u32 {
	let more = (1u << bits) - count;
	// As many bits at a time as the remainder leaves room for.
	let digit = select(1u, 15u, count <= 65536u);
	var quotient = 0u;
	var remainder = more;
	for (var done = 0u; done < 30u; done += digit) {
		remainder <<= digit;
		quotient = (quotient << digit) + remainder / count;
		remainder %= count;
	}
	return 1073741825u + quotient + (remainder + more) / count;
}

fn average(sum: i32, count: u32) -> i32 {
	if count == 0u {
		return 0;
	}
	let bits = 32u - countLeadingZeros(count - 1u);
	let product = wide_mul(sum, bitcast<i32>(reciprocal(count, bits)));
	return wide_saturate(wide_round_shift(product, 30u + bits));
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
	let c = i % p.channels;
	var rest = i / p.channels;
	let ox = i32(rest % p.out_width);
	rest /= p.out_width;
	let oy = i32(rest % p.out_height);
	let batch = i32(rest / p.out_height);
	let y = oy * p.stride_y - p.pad_top;
	let x = ox * p.stride_x - p.pad_left;
	var sum = 0;
	if p.k_begin > 0u {
		sum = out[i];
	}
	for (var k = p.k_begin; k < p.k_end; k++) {
		let iy = y + i32(k / p.kernel_width);
		let ix = x + i32(k % p.kernel_width);
		if iy >= 0 && iy < p.height && ix >= 0 && ix < p.width {
			let at = bitcast<u32>((batch * p.height + iy) * p.width + ix) * p.channels + c;
			sum += value[at] - p.input_zero_point;
		}
	}
	if p.k_end < p.kernel_height * p.kernel_width {
		out[i] = sum;
		return;
	}
	let rows = vec2<i32>(max(y, 0), min(y + i32(p.kernel_height), p.height));
	let columns = vec2<i32>(max(x, 0), min(x + i32(p.kernel_width), p.width));
	let count = u32(max(rows.y - rows.x, 0)) * u32(max(columns.y - columns.x, 0));
	// What lies further out than any zero point can bring back is limited all the same.
	let quotient = clamp(average(sum, count), -0x20000, 0x20000);
	out[i] = clamp(quotient + p.output_zero_point, p.low, p.high);
}
