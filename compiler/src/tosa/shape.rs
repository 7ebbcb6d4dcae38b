// SPDX-License-Identifier: Apache-2.0

//! Arithmetic on shapes. Every shape of a program is fixed, so it is done while a file is read and leaves
//! no trace in the program.

/// Two shapes of equal length, number by number. `None` for an operator that is not one of these, for
/// shapes of different length and where the result does not exist.
pub fn binary(operator: &str, a: &[i64], b: &[i64]) -> Option<Vec<i64>> {
	let each: fn(i64, i64) -> Option<i64> = match operator {
		"ADD_SHAPE" => i64::checked_add,
		"SUB_SHAPE" => i64::checked_sub,
		"MUL_SHAPE" => i64::checked_mul,
		"MAX_SHAPE" => |a, b| Some(a.max(b)),
		"MIN_SHAPE" => |a, b| Some(a.min(b)),
		"MOD_SHAPE" => |a, b| positive(b).and_then(|b| a.checked_rem_euclid(b)),
		"DIV_FLOOR_SHAPE" => |a, b| positive(b).map(|b| a.div_euclid(b)),
		"DIV_CEIL_SHAPE" => {
			|a, b| positive(b).map(|b| a.div_euclid(b) + i64::from(a.rem_euclid(b) > 0))
		}
		_ => return None,
	};
	if a.len() != b.len() {
		return None;
	}
	a.iter().zip(b).map(|(a, b)| each(*a, *b)).collect()
}

/// One shape, number by number. `None` as in [`binary`].
pub fn unary(operator: &str, a: &[i64]) -> Option<Vec<i64>> {
	let each: fn(i64) -> Option<i64> = match operator {
		"EXP2_SHAPE" => |a| u32::try_from(a).ok().and_then(|a| 2i64.checked_pow(a)),
		"LOG2_FLOOR_SHAPE" => |a| a.checked_ilog2().map(i64::from),
		"LOG2_CEIL_SHAPE" => {
			|a| a.checked_ilog2().map(|log| i64::from(log) + i64::from(!positive_power(a)))
		}
		_ => return None,
	};
	a.iter().map(|a| each(*a)).collect()
}

/// Whether two shapes are equal; with `broadcast`, an extent of 1 is equal to any.
pub fn equal(a: &[i64], b: &[i64], broadcast: bool) -> bool {
	let fits = |(a, b): (&i64, &i64)| a == b || broadcast && (*a == 1 || *b == 1);
	a.len() == b.len() && a.iter().zip(b).all(fits)
}

fn positive(number: i64) -> Option<i64> {
	(number > 0).then_some(number)
}

/// Whether a positive number is a power of two.
fn positive_power(number: i64) -> bool {
	number & (number - 1) == 0
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn quotients_are_rounded_as_their_names_say() {
		assert_eq!(binary("DIV_FLOOR_SHAPE", &[7, 8], &[4, 4]), Some(vec![1, 2]));
		assert_eq!(binary("DIV_CEIL_SHAPE", &[7, 8], &[4, 4]), Some(vec![2, 2]));
		assert_eq!(binary("MOD_SHAPE", &[7, 8], &[4, 4]), Some(vec![3, 0]));
		assert_eq!(binary("DIV_FLOOR_SHAPE", &[7], &[0]), None);
	}

	#[test]
	fn logarithms_are_rounded_as_their_names_say() {
		assert_eq!(unary("LOG2_FLOOR_SHAPE", &[1, 8, 9]), Some(vec![0, 3, 3]));
		assert_eq!(unary("LOG2_CEIL_SHAPE", &[1, 8, 9]), Some(vec![0, 3, 4]));
		assert_eq!(unary("LOG2_CEIL_SHAPE", &[0]), None);
		assert_eq!(unary("EXP2_SHAPE", &[0, 10]), Some(vec![1, 1024]));
		assert_eq!(unary("EXP2_SHAPE", &[63]), None);
	}

	#[test]
	fn overflow_and_different_lengths_have_no_result() {
		assert_eq!(binary("MUL_SHAPE", &[i64::MAX], &[2]), None);
		assert_eq!(binary("ADD_SHAPE", &[1, 2], &[1]), None);
	}

	#[test]
	fn an_extent_of_one_is_equal_to_any_under_broadcasting() {
		assert!(equal(&[1, 3], &[2, 3], true));
		assert!(!equal(&[1, 3], &[2, 3], false));
		assert!(!equal(&[1, 3], &[1, 3, 1], true));
	}
}
