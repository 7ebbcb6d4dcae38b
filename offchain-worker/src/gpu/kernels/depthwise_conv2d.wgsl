// SPDX-License-Identifier: Apache-2.0
//
// Convolution of each channel of [N, H, W, C] with its own `filters` of the weights [KH, KW, C, M]; the
// result has C * M channels. Padding adds nothing. Neighbouring invocations read neighbouring channels.
// One dispatch adds the taps [k_begin, k_end).

struct Params {
	first: u32,
	count: u32,
	height: i32,
	width: i32,
	channels: u32,
	filters: u32,
	out_height: u32,
	out_width: u32,
	kernel_height: u32,
	kernel_width: u32,
	pad_top: i32,
	pad_left: i32,
	stride_y: i32,
	stride_x: i32,
	dilation_y: i32,
	dilation_x: i32,
	input_zero_point: i32,
	weight_zero_point: i32,
	bias_stride: u32,
	k_begin: u32,
	k_end: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> input: array<i32>;
@group(0) @binding(3) var<storage, read> weight: array<i32>;
@group(0) @binding(4) var<storage, read> bias: array<i32>;

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
	let columns = p.channels * p.filters;
	let column = i % columns;
	let c = column / p.filters;
	var rest = i / columns;
	let ox = i32(rest % p.out_width);
	rest /= p.out_width;
	let oy = i32(rest % p.out_height);
	let batch = i32(rest / p.out_height);
	var sum = 0;
	if p.k_begin > 0u {
		sum = out[i];
	} else {
		sum = bias[column * p.bias_stride];
	}
	for (var k = p.k_begin; k < p.k_end; k++) {
		let y = oy * p.stride_y - p.pad_top + i32(k / p.kernel_width) * p.dilation_y;
		let x = ox * p.stride_x - p.pad_left + i32(k % p.kernel_width) * p.dilation_x;
		if y >= 0 && y < p.height && x >= 0 && x < p.width {
			let place = bitcast<u32>((batch * p.height + y) * p.width + x);
			let a = input[place * p.channels + c] - p.input_zero_point;
			sum += a * (weight[k * columns + column] - p.weight_zero_point);
		}
	}
	out[i] = sum;
}
