// SPDX-License-Identifier: Apache-2.0
//
// Shared by the kernels that compute one flat element in each invocation. A grid may be folded into
// two dimensions, because one dimension holds at most 65,535 workgroups.

const GROUP: u32 = 64u;

fn flat_index(group: vec3<u32>, groups: vec3<u32>, local: u32) -> u32 {
	return (group.y * groups.x + group.x) * GROUP + local;
}
