// SPDX-License-Identifier: Apache-2.0

//! `tensornet gov parameters`, and the values of parameters as people write them.

use anyhow::{bail, ensure, Context as _, Result};
use clap::Args;
use serde::Serialize;
use std::str::FromStr;
use tensornet_client::{
	referenda::{self, Parameter, Unit},
	Snapshot, Tna,
};

use crate::{
	output::{count, tna, Table},
	Context,
};

/// Millionths in a hundredth.
const PARTS_IN_PERCENT: u128 = 10_000;

/// Arguments of `tensornet gov parameters`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tensornet gov parameters
  tensornet gov parameters shares --json

tensornet gov propose --set NAME=VALUE proposes to change one.")]
pub struct Parameters {
	/// Only parameters whose names begin with this, such as shares or proof.AuditWindow.
	#[arg(value_name = "NAME", default_value = "", hide_default_value = true)]
	name: String,
}

/// A parameter as it is shown.
#[derive(Serialize)]
struct Shown {
	name: String,
	/// percent, TNA, blocks or count: in what the figures are.
	unit: &'static str,
	value: String,
	least: String,
	most: String,
	#[serde(skip)]
	text: [String; 3],
}

/// `tensornet gov parameters`.
pub async fn run(arguments: Parameters, context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let block = block_milliseconds(&at)?;
	let shown: Vec<Shown> = referenda::parameters(&at)
		.await?
		.into_iter()
		.filter(|parameter| parameter.name.starts_with(&arguments.name))
		.map(|parameter| {
			let Parameter { name, unit, current, least, most } = parameter;
			let figures = [current, least, most];
			let [value, lowest, highest] = figures.map(|figure| bare(unit, figure));
			Shown {
				name,
				unit: unit_name(unit),
				value,
				least: lowest,
				most: highest,
				text: figures.map(|figure| text(unit, figure, block)),
			}
		})
		.collect();
	let table = |shown: &[Shown]| {
		let mut table = Table::new(&["PARAMETER", "NOW", "AT LEAST", "AT MOST"]).right(&[1, 2, 3]);
		for Shown { name, text: [now, least, most], .. } in shown {
			table.row([name, now, least, most]);
		}
		table
	};
	context.output.list(&shown, table, "no such parameters: leave the name out to see all")
}

/// Milliseconds that a block is expected to take.
pub fn block_milliseconds(at: &Snapshot) -> Result<u64> {
	at.constant("Babe", "ExpectedBlockTime")
}

fn unit_name(unit: Unit) -> &'static str {
	match unit {
		Unit::PartsPerMillion => "percent",
		Unit::Plancks => "TNA",
		Unit::Blocks => "blocks",
		Unit::Count => "count",
	}
}

/// A figure in its unit, without the unit.
fn bare(unit: Unit, figure: u128) -> String {
	match unit {
		Unit::PartsPerMillion => percent(figure),
		Unit::Plancks => tna(figure),
		Unit::Blocks | Unit::Count => figure.to_string(),
	}
}

/// A figure with its unit, for people.
pub fn text(unit: Unit, figure: u128, block_milliseconds: u64) -> String {
	match unit {
		Unit::PartsPerMillion => format!("{} %", percent(figure)),
		Unit::Plancks => format!("{} TNA", Tna(figure)),
		Unit::Blocks => {
			let blocks = u64::try_from(figure).unwrap_or(u64::MAX);
			format!("{} blocks, {}", count(figure), span(blocks, block_milliseconds))
		}
		Unit::Count => count(figure),
	}
}

/// About how long so many blocks take.
pub fn span(blocks: u64, block_milliseconds: u64) -> String {
	let seconds = blocks.saturating_mul(block_milliseconds) / 1000;
	let units = [(86_400, "days"), (3_600, "h"), (60, "min"), (1, "s")];
	// A unit serves from two of it on, so that nothing is rounded by more than a half.
	let (length, name) =
		units.into_iter().find(|(length, _)| seconds >= 2 * length).unwrap_or((1, "s"));
	let tenths = seconds.saturating_mul(10) / length;
	match tenths % 10 {
		0 => format!("{} {name}", tenths / 10),
		tenth => format!("{}.{tenth} {name}", tenths / 10),
	}
}

/// Millionths as percent, exact.
fn percent(parts: u128) -> String {
	let (whole, rest) = (parts / PARTS_IN_PERCENT, parts % PARTS_IN_PERCENT);
	if rest == 0 {
		return whole.to_string();
	}
	format!("{whole}.{}", format!("{rest:04}").trim_end_matches('0'))
}

/// A change of a parameter as an argument: `group.Name=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
	name: String,
	value: String,
}

impl FromStr for Change {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.split_once('=') {
			Some((name, value)) if name.contains('.') && !value.trim().is_empty() => {
				Ok(Self { name: name.trim().to_owned(), value: value.trim().to_owned() })
			}
			_ => Err("write a parameter and its value, such as shares.JobBurn=12%".into()),
		}
	}
}

impl Change {
	/// The call that makes the change, and the change in words. Fails where the chain would: for an
	/// unknown name, and for a value outside the bounds.
	pub fn call(&self, at: &Snapshot, all: &[Parameter]) -> Result<(Vec<u8>, String)> {
		let known =
			all.iter().find(|parameter| parameter.name == self.name).with_context(|| {
				format!(
					"the chain has no parameter '{}': tensornet gov parameters lists all",
					self.name
				)
			})?;
		let block = block_milliseconds(at)?;
		let value = figure(known.unit, &self.value, block)
			.with_context(|| format!("{} cannot be set to '{}'", known.name, self.value))?;
		let show = |figure| text(known.unit, figure, block);
		if let Some(value) = value {
			ensure!(
				(known.least..=known.most).contains(&value),
				"{} may be {} to {}, not {}: the bounds change only with the runtime",
				known.name,
				show(known.least),
				show(known.most),
				show(value)
			);
		}
		let wanted = value.map_or_else(|| "its default".to_owned(), show);
		let words = format!("set {} to {wanted} instead of {}", known.name, show(known.current));
		Ok((referenda::set_parameter(at, &known.name, value)?, words))
	}
}

/// A figure from what people write; `None` for the default.
fn figure(unit: Unit, text: &str, block_milliseconds: u64) -> Result<Option<u128>> {
	if text == "default" {
		return Ok(None);
	}
	Ok(Some(match unit {
		Unit::PartsPerMillion => parts(text)?,
		Unit::Plancks => {
			let amount = text.strip_suffix("TNA").unwrap_or(text).trim_end();
			amount.parse::<Tna>().map_err(anyhow::Error::msg)?.0
		}
		Unit::Blocks => blocks(text, block_milliseconds)?,
		Unit::Count => text.parse().context("write a whole number")?,
	}))
}

/// Millionths from percent.
pub fn parts(text: &str) -> Result<u128> {
	let advice = "write a share in percent, such as 12% or 0.5%, with at most four decimals";
	let number = text.strip_suffix('%').context(advice)?.trim_end();
	let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
	let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
	ensure!(!whole.is_empty() && digits(whole) && digits(rest) && rest.len() <= 4, advice);
	let whole: u128 = whole.parse().context(advice)?;
	let rest: u128 = format!("{rest:0<4}").parse().context(advice)?;
	whole.checked_mul(PARTS_IN_PERCENT).and_then(|parts| parts.checked_add(rest)).context(advice)
}

/// Blocks from a number of them, or from a time, rounded up.
fn blocks(text: &str, block_milliseconds: u64) -> Result<u128> {
	let advice = "write a number of blocks, or a time such as 30s, 10min, 12h or 2d";
	let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
	let (number, unit) = text.split_at(end);
	let number: u64 = number.parse().context(advice)?;
	let seconds = match unit.trim() {
		"" | "blocks" => return Ok(number.into()),
		"s" => 1,
		"min" | "m" => 60,
		"h" => 3_600,
		"d" | "days" => 86_400,
		_ => bail!(advice),
	};
	let milliseconds = u128::from(number) * seconds * 1000;
	Ok(milliseconds.div_ceil(u128::from(block_milliseconds.max(1))))
}

#[cfg(test)]
mod tests {
	use super::*;

	const BLOCK: u64 = 3_000;

	#[test]
	fn figures_round_trip_through_what_people_write() {
		for (unit, text, figure) in [
			(Unit::PartsPerMillion, "12%", 120_000),
			(Unit::PartsPerMillion, "0.01 %", 100),
			(Unit::PartsPerMillion, "100%", 1_000_000),
			(Unit::Plancks, "0.001", 1_000_000_000),
			(Unit::Plancks, "5 TNA", 5_000_000_000_000),
			(Unit::Blocks, "20", 20),
			(Unit::Blocks, "1min", 20),
			(Unit::Blocks, "10 s", 4),
			(Unit::Blocks, "2d", 57_600),
			(Unit::Count, "4", 4),
		] {
			assert_eq!(super::figure(unit, text, BLOCK).unwrap(), Some(figure), "{text}");
		}
		assert_eq!(figure(Unit::Count, "default", BLOCK).unwrap(), None);
	}

	#[test]
	fn a_share_without_its_sign_is_refused() {
		for bad in ["12", "0.12", "%", "-1%", "1.00001%", "1e2%", "twelve%"] {
			assert!(figure(Unit::PartsPerMillion, bad, BLOCK).is_err(), "{bad}");
		}
		for bad in ["", "1 week", "-3", "1.5h"] {
			assert!(figure(Unit::Blocks, bad, BLOCK).is_err(), "{bad}");
		}
		assert!(figure(Unit::Count, "4.5", BLOCK).is_err());
	}

	#[test]
	fn shares_are_shown_exactly() {
		for (parts, text) in [(120_000, "12"), (1_000, "0.1"), (100, "0.01"), (1, "0.0001")] {
			assert_eq!(percent(parts), text);
		}
	}

	#[test]
	fn spans_have_a_unit_that_suits_them() {
		for (blocks, text) in [
			(1, "3 s"),
			(20, "60 s"),
			(40, "2 min"),
			(2_400, "2 h"),
			(28_800, "24 h"),
			(201_600, "7 days"),
			(50, "2.5 min"),
		] {
			assert_eq!(span(blocks, BLOCK), text);
		}
	}

	#[test]
	fn a_change_names_a_parameter_and_its_value() {
		let change: Change = "shares.JobBurn = 12%".parse().unwrap();
		assert_eq!(change, Change { name: "shares.JobBurn".into(), value: "12%".into() });
		for bad in ["shares.JobBurn", "JobBurn=12%", "shares.JobBurn=", "=1"] {
			assert!(bad.parse::<Change>().is_err(), "{bad}");
		}
	}
}
