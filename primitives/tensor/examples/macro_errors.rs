// SPDX-License-Identifier: Apache-2.0

//! Prints the table of `docs/macros.md`: every macro measured against 64-bit floating point.
//!
//! `cargo run -p tensornet-tensor --features arbitrary --example macro_errors`

fn main() {
	println!("| macro | operand | target | stated | worst | mean | operators | element | line |");
	println!("|---|---|---|---|---|---|---|---|---|");
	for case in tensornet_tensor::macros::cases::cases() {
		println!("{}", case.row());
	}
}
