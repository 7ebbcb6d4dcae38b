// SPDX-License-Identifier: Apache-2.0

//! Repeats lines of a kernel before it is compiled.
//!
//! Shader compilers keep an array in registers only where every index is known to them, and need not
//! unroll a loop to find out. So the text says it: the lines between `//# for $r in ROWS` and the
//! `//# end` that belongs to it are written once for each number below the constant ROWS, with the
//! number in the place of `$r`.

/// The text with its repetitions written out; `constants` are the counts by name.
///
/// # Panics
/// If a repetition does not end or its count is unknown: texts are part of this program, and each is
/// compiled by a test.
pub(crate) fn unrolled(source: &str, constants: &[(&str, u32)]) -> String {
	let lines: Vec<&str> = source.lines().collect();
	let mut text = String::with_capacity(4 * source.len());
	write(&lines, constants, &mut Vec::new(), &mut text);
	text
}

fn write<'a>(
	mut lines: &[&'a str],
	constants: &[(&str, u32)],
	numbers: &mut Vec<(&'a str, u32)>,
	text: &mut String,
) {
	while let [line, rest @ ..] = lines {
		let Some(head) = line.trim_start().strip_prefix("//# for ") else {
			let numbered = numbers.iter().fold((*line).to_owned(), |line, (name, number)| {
				line.replace(name, &number.to_string())
			});
			*text += &numbered;
			*text += "\n";
			lines = rest;
			continue;
		};
		let (name, count) = head.split_once(" in ").expect("for NAME in COUNT");
		let count = constants.iter().find(|(known, _)| *known == count).expect("a known count").1;
		let end = end_of(rest);
		for number in 0..count {
			numbers.push((name, number));
			write(&rest[..end], constants, numbers, text);
			numbers.pop();
		}
		lines = &rest[end + 1..];
	}
}

/// Place of the end of the repetition whose body begins with `lines`.
fn end_of(lines: &[&str]) -> usize {
	let mut open = 1;
	let closes = |line: &&str| {
		let line = line.trim_start();
		open += i32::from(line.starts_with("//# for "));
		open -= i32::from(line.starts_with("//# end"));
		open == 0
	};
	lines.iter().position(closes).expect("an end to each repetition")
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn repetitions_nest_and_leave_the_rest_alone() {
		let source = "a\n\t//# for $r in R\n\tb$r\n\t//# for $c in C\n\td_$r_$c[$cu]\n\t//# end\n\t//# end\ne\n";
		assert_eq!(
			unrolled(source, &[("R", 2), ("C", 2)]),
			"a\n\tb0\n\td_0_0[0u]\n\td_0_1[1u]\n\tb1\n\td_1_0[0u]\n\td_1_1[1u]\ne\n"
		);
		assert_eq!(unrolled(source, &[("R", 0), ("C", 2)]), "a\ne\n");
	}
}
