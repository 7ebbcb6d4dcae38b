// SPDX-License-Identifier: Apache-2.0
//
// Largest element of each window of [N, H, W, C]. Padding is ignored; a window wholly in padding
// gives the type's minimum (`low`). One dispatch sees the taps [k_begin, k_end).

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
	low: i32,
	k_begin: u32,
	k_end: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

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
	var best = p.low;
	if p.k_begin > 0u {
		best = out[i];
	}
	for (var k = p.k_begin; k < p.k_end; k++) {
		let iy = y + i32(k / p.kernel_width);
		let ix = x + i32(k % p.kernel_width);
		if iy >= 0 && iy < p.height && ix >= 0 && ix < p.width {
			let at = bitcast<u32>((batch * p.height + iy) * p.width + ix) * p.channels + c;
			best = max(best, value[at]);
		}
	}
	out[i] = best;
}
