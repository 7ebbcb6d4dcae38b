// SPDX-License-Identifier: Apache-2.0
//
// Index of the first largest element of the middle axis of an [outer, length, inner] view, in
// chunks as in `reduce`: out is [outer, chunks, inner]. In the first pass the candidates of a row
// are all its indices; in a later pass (`indexed` is 1) they are the winners of the chunks before,
// in ascending order, so that a strict comparison keeps the first.

struct Params {
	first: u32,
	count: u32,
	length: u32,
	inner: u32,
	chunk: u32,
	chunks: u32,
	candidates: u32,
	indexed: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;
@group(0) @binding(3) var<storage, read> winners: array<i32>;

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
	let column = i % p.inner;
	let row = i / p.inner;
	let outer = row / p.chunks;
	let start = (row % p.chunks) * p.chunk;
	let end = min(p.candidates, start + p.chunk);
	var best = 0u;
	var best_value = 0;
	for (var k = start; k < end; k++) {
		var index = k;
		if p.indexed == 1u {
			index = bitcast<u32>(winners[(outer * p.candidates + k) * p.inner + column]);
		}
		let v = value[(outer * p.length + index) * p.inner + column];
		if k == start || v > best_value {
			best = index;
			best_value = v;
		}
	}
	out[i] = bitcast<i32>(best);
}
