// SPDX-License-Identifier: Apache-2.0

//! What the documents say of parameters: docs/governance.md has a table of all of them, with the words of
//! `configs/parameters.rs` and the figures of `governance/bounds.rs`.

use super::*;
use pallet_tensornet_governance::{ParameterInfo, Unit};

/// What `configs/parameters.rs` says: of each `group`, followed by its parameters as `group.Name`.
fn documented() -> Vec<(String, String)> {
	let source = include_str!("../configs/parameters.rs");
	let (mut group, mut said, mut found) = (String::new(), Vec::new(), Vec::new());
	for line in source.lines().map(str::trim) {
		if let Some(text) = line.strip_prefix("/// ") {
			said.push(text);
			continue;
		}
		if line.starts_with("#[") {
			continue;
		}
		let named = |kind: &str| {
			let rest = line.strip_prefix(kind)?;
			rest.split([':', ' ']).next().map(str::to_owned)
		};
		if let Some(module) = named("pub mod ") {
			group = module;
			found.push((group.clone(), said.join(" ")));
		} else if let Some(name) = named("pub static ") {
			found.push((format!("{group}.{name}"), said.join(" ")));
		}
		said.clear();
	}
	// The module around all groups.
	found.retain(|(name, _)| name != "dynamic_params");
	found
}

/// A number with commas between thousands.
fn number(value: u128) -> String {
	let digits = value.to_string();
	let mut text = String::new();
	for (at, digit) in digits.chars().enumerate() {
		if at > 0 && (digits.len() - at).is_multiple_of(3) {
			text.push(',');
		}
		text.push(digit);
	}
	text
}

/// `value ÷ one`, without zeros at the end.
fn decimal(value: u128, one: u128) -> String {
	let places = one.ilog10() as usize;
	let rest = format!("{:0places$}", value % one);
	let rest = rest.trim_end_matches('0');
	let dot = if rest.is_empty() { "" } else { "." };
	format!("{}{dot}{rest}", number(value / one))
}

/// A figure as the document writes it.
fn figure(unit: &Unit, value: u128) -> String {
	match unit {
		_ if value == 0 => "0".to_owned(),
		Unit::Plancks if value < 1_000 => format!("{value} planck"),
		Unit::Plancks => format!("{} TNA", decimal(value, UNIT)),
		Unit::PartsPerMillion => format!("{} %", decimal(value, 10_000)),
		Unit::Blocks => {
			let whole = |period: BlockNumber| {
				let period = u128::from(period);
				value.is_multiple_of(period).then(|| value / period)
			};
			match (whole(time::DAYS), whole(time::HOURS), whole(time::MINUTES)) {
				(Some(1), ..) => "1 day".to_owned(),
				(Some(days), ..) => format!("{days} days"),
				(_, Some(hours), _) => format!("{hours} h"),
				(.., Some(minutes)) => format!("{minutes} min"),
				_ => format!("{} s", value * u128::from(time::MILLISECS_PER_BLOCK) / 1_000),
			}
		}
		Unit::Count => number(value),
	}
}

/// The rows of the table.
fn rows(all: &[ParameterInfo]) -> Vec<String> {
	let row = |(name, said): (String, String)| {
		let said = said.replace(", in plancks", "");
		match all.iter().find(|info| info.name == name.as_bytes()) {
			None => format!("| **{name}** | {said} | | |"),
			Some(info) => {
				let [current, least, most] =
					[info.current, info.least, info.most].map(|value| figure(&info.unit, value));
				format!("| `{name}` | {said} | {current} | {least} – {most} |")
			}
		}
	};
	documented().into_iter().map(row).collect()
}

#[test]
fn each_has_words_of_its_own() {
	TestExternalities::default().execute_with(|| {
		let documented = documented();
		assert!(documented.iter().all(|(_, said)| !said.is_empty()), "{documented:#?}");
		let told: Vec<_> =
			documented.iter().map(|(name, _)| name).filter(|name| name.contains('.')).collect();
		let all = Governance::parameters();
		let bounded: Vec<_> =
			all.iter().map(|info| String::from_utf8(info.name.clone()).expect("text")).collect();
		assert_eq!(told, bounded.iter().collect::<Vec<_>>());
	});
}

#[test]
fn the_documents_have_every_default_and_every_bound() {
	TestExternalities::default().execute_with(|| {
		let expected = rows(&Governance::parameters());
		let document = include_str!("../../../docs/governance.md");
		let table: Vec<_> = document
			.lines()
			.skip_while(|line| *line != "## Parameters and their bounds")
			.filter(|line| line.starts_with("| `") || line.starts_with("| **"))
			.collect();
		assert!(
			table == expected,
			"the table of docs/governance.md should be\n\n{}\n",
			expected.join("\n")
		);
	});
}

/// Windows and levels cost nobody anything: protocol.md and governance.md have them.
#[test]
fn each_rate_has_its_example_in_the_economy() {
	let economy = include_str!("../../../docs/economy.md");
	let missing: Vec<_> = documented()
		.into_iter()
		.filter_map(|(name, _)| {
			let (group, rate) = name.split_once('.')?;
			let told = matches!(group, "proof" | "compliance") || economy.contains(rate);
			(!told).then(|| name.clone())
		})
		.collect();
	assert!(missing.is_empty(), "docs/economy.md says nothing of {missing:?}");
}

#[test]
fn figures_are_written_for_people() {
	let cases = [
		(Unit::Plancks, 1, "1 planck"),
		(Unit::Plancks, MICRO, "0.000001 TNA"),
		(Unit::Plancks, 100_000_000 * UNIT, "100,000,000 TNA"),
		(Unit::PartsPerMillion, 125_500, "12.55 %"),
		(Unit::Blocks, 5, "15 s"),
		(Unit::Blocks, u128::from(time::DAYS), "1 day"),
		(Unit::Blocks, u128::from(12 * time::HOURS), "12 h"),
		(Unit::Count, 1_460, "1,460"),
		(Unit::Count, 0, "0"),
	];
	for (unit, value, text) in cases {
		assert_eq!(figure(&unit, value), text);
	}
}
