// SPDX-License-Identifier: Apache-2.0
//
// Transposed convolution of [N, H, W, C]: each place of the result sums over the places of the input
// whose windows cover it. The weights come as [KH, KW, C, O], so that neighbouring invocations, which
// compute neighbouring channels, read neighbouring weights. At most reach_y x `reach_x` windows cover
// a place; one dispatch adds those numbered [k_begin, k_end), over channels [c_begin, c_end).

struct Params {
	first: u32,
	count: u32,
	height: i32,
	width: i32,
	channels: u32,
	filters: u32,
	out_height: u32,
	out_width: u32,
	kernel_height: i32,
	kernel_width: i32,
	pad_top: i32,
	pad_left: i32,
	stride_y: i32,
	stride_x: i32,
	input_zero_point: i32,
	weight_zero_point: i32,
	bias_stride: u32,
	reach_x: u32,
	k_begin: u32,
	k_end: u32,
	c_begin: u32,
	c_end: u32,
	accumulate: u32,
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
	let o = i % p.filters;
	var rest = i / p.filters;
	let ox = i32(rest % p.out_width) - p.pad_left;
	rest /= p.out_width;
	let oy = i32(rest % p.out_height) - p.pad_top;
	let batch = i32(rest / p.out_height);
	var sum = 0;
	if p.accumulate == 1u {
		sum = out[i];
	} else {
		sum = bias[o * p.bias_stride];
	}
	for (var k = p.k_begin; k < p.k_end; k++) {
		// Windows are counted backwards from the last one that starts at or before this place.
		let y = oy / p.stride_y - i32(k / p.reach_x);
		let x = ox / p.stride_x - i32(k % p.reach_x);
		let ky = oy - y * p.stride_y;
		let kx = ox - x * p.stride_x;
		let covers = oy >= 0 && ox >= 0 && y >= 0 && x >= 0 && y < p.height && x < p.width
			&& ky < p.kernel_height && kx < p.kernel_width;
		if covers {
			let place = bitcast<u32>((batch * p.height + y) * p.width + x);
			var at = place * p.channels + p.c_begin;
			let tap = bitcast<u32>(ky * p.kernel_width + kx);
			var by = (tap * p.channels + p.c_begin) * p.filters + o;
			for (var c = p.c_begin; c < p.c_end; c++) {
				sum += (input[at] - p.input_zero_point) * (weight[by] - p.weight_zero_point);
				at++;
				by += p.filters;
			}
		}
	}
	out[i] = sum;
}
