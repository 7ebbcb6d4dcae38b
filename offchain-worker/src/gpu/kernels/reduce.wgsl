// SPDX-License-Identifier: Apache-2.0
//
// Reduction of the middle axis of an [outer, length, inner] view, in chunks: out is
// [outer, chunks, inner], chunk j covering [j * chunk, (j + 1) * chunk). Every reduction here is
// associative and commutative modulo 2^32, so chunks of chunks give the same bits as one pass.
// OP: 0 Sum, 1 Max, 2 Min, 3 Product, 4 All, 5 Any.

override OP: u32;

struct Params {
	first: u32,
	count: u32,
	length: u32,
	inner: u32,
	chunk: u32,
	chunks: u32,
}

@group(0) @binding(0) var<storage, read> p: Params;
@group(0) @binding(1) var<storage, read_write> out: array<i32>;
@group(0) @binding(2) var<storage, read> value: array<i32>;

fn combine(a: i32, b: i32) -> i32 {
	switch OP {
		case 0u: { return bitcast<i32>(bitcast<u32>(a) + bitcast<u32>(b)); }
		case 1u: { return max(a, b); }
		case 2u: { return min(a, b); }
		case 3u: { return bitcast<i32>(bitcast<u32>(a) * bitcast<u32>(b)); }
		case 4u: { return a & b; }
		default: { return a | b; }
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
	let column = i % p.inner;
	let row = i / p.inner;
	let start = (row % p.chunks) * p.chunk;
	let end = min(p.length, start + p.chunk);
	var at = ((row / p.chunks) * p.length + start) * p.inner + column;
	// A chunk is never empty, so no neutral element is needed.
	var acc = value[at];
	for (var k = start + 1u; k < end; k++) {
		at += p.inner;
		acc = combine(acc, value[at]);
	}
	out[i] = acc;
}
