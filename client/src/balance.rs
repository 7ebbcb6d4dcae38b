// SPDX-License-Identifier: Apache-2.0

//! Amounts of TNA for people.

use std::{fmt, str::FromStr};

/// Units in one TNA: 10^12.
pub const UNITS: u128 = 1_000_000_000_000;

const DECIMALS: usize = 12;

/// An amount in the chain's smallest unit, printed and parsed in TNA with up to 12 decimals.
///
/// ```
/// use tensornet_client::Tna;
/// assert_eq!("1.5".parse::<Tna>().unwrap().0, 1_500_000_000_000);
/// assert_eq!(Tna(2_000_000_000_001).to_string(), "2.000000000001");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tna(pub u128);

impl fmt::Display for Tna {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (whole, part) = (self.0 / UNITS, self.0 % UNITS);
		if part == 0 {
			return write!(f, "{whole}");
		}
		let decimals = format!("{part:012}");
		write!(f, "{whole}.{}", decimals.trim_end_matches('0'))
	}
}

impl FromStr for Tna {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let bad = || format!("'{text}' is not an amount of TNA: write for example 12 or 0.25");
		let (whole, part) = text.split_once('.').unwrap_or((text, ""));
		let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
		if (whole.is_empty() && part.is_empty())
			|| !digits(whole)
			|| !digits(part)
			|| part.len() > DECIMALS
		{
			return Err(bad());
		}
		let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
		let part: u128 = format!("{part:0<12}").parse().map_err(|_| bad())?;
		whole.checked_mul(UNITS).and_then(|w| w.checked_add(part)).map(Tna).ok_or_else(bad)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn amounts_round_trip_to_the_last_unit() {
		for units in [0, 1, 999_999_999_999, UNITS, UNITS + 1, 12_345_678_900_000, u64::MAX as u128]
		{
			assert_eq!(Tna(units).to_string().parse::<Tna>(), Ok(Tna(units)));
		}
	}

	#[test]
	fn nonsense_is_refused() {
		for text in ["", ".", "-1", "1e3", "1.0000000000001", "TNA", "1 2", "1,5"] {
			assert!(text.parse::<Tna>().is_err(), "{text}");
		}
		assert!(u128::MAX.to_string().parse::<Tna>().is_err());
	}
}
