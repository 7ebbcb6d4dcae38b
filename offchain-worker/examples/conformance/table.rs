// SPDX-License-Identifier: Apache-2.0

//! The results, operator by operator.

use crate::{
	check::{Outcome, Verdict},
	Done, Fate,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// One operator's counts.
#[derive(Default, Serialize)]
struct Row {
	tests: usize,
	/// Tests that agree on the CPU path.
	cpu: usize,
	/// Tests that agree on the arbiter's evaluation.
	element: usize,
	/// Tests that agree on the GPU path.
	gpu: usize,
	/// Tests whose program the chain's default limits accept.
	arbitrable: usize,
	/// Elements of all results.
	elements: u64,
	/// Elements that the arbiter recomputed.
	recomputed: u64,
	left_out: usize,
	not_understood: usize,
}

impl Row {
	fn count(&mut self, done: &Done) {
		self.tests += 1;
		match &done.fate {
			Fate::Ran(outcome) => {
				self.cpu += usize::from(outcome.cpu.is_passed());
				self.element += usize::from(outcome.element.is_passed());
				self.gpu += usize::from(outcome.gpu.is_passed());
				self.arbitrable += usize::from(outcome.is_arbitrable);
				self.elements += outcome.elements;
				self.recomputed += outcome.recomputed;
			}
			Fate::LeftOut(_) => self.left_out += 1,
			Fate::NotUnderstood(_) => self.not_understood += 1,
		}
	}
}

/// Everything, for machines.
#[derive(Serialize)]
pub struct Report<'a> {
	device: &'a str,
	total: Row,
	operators: BTreeMap<&'a str, Row>,
	tests: &'a [Done],
}

/// Everything, for machines.
pub fn json<'a>(done: &'a [Done], device: &'a str) -> Report<'a> {
	let mut total = Row::default();
	let mut operators: BTreeMap<&str, Row> = BTreeMap::new();
	for one in done {
		total.count(one);
		operators.entry(&one.operator).or_default().count(one);
	}
	Report { device, total, operators, tests: done }
}

/// A Markdown table, and what is left out.
pub fn text(done: &[Done], device: &str) -> String {
	let report = json(done, device);
	let mut text = format!("GPU path: {device}\n\n");
	text += "| operator | tests | cpu | element | gpu | elements | recomputed alone |\n";
	text += "|---|---:|---:|---:|---:|---:|---:|\n";
	let rows = report.operators.iter().map(|(operator, row)| (*operator, row));
	for (operator, row) in rows.chain([("**all**", &report.total)]) {
		let Row { tests, cpu, element, gpu, elements, recomputed, .. } = row;
		// Writing to a string does not fail.
		let _ = writeln!(
			text,
			"| {operator} | {tests} | {cpu} | {element} | {gpu} | {elements} | {recomputed} |"
		);
	}
	let total = &report.total;
	let _ = writeln!(
		text,
		"\n{} programs are inside the chain's default arbitration limits.",
		total.arbitrable
	);
	for one in done {
		if let Fate::LeftOut(reason) = &one.fate {
			let _ = writeln!(text, "left out: {}: {reason}", one.test);
		}
	}
	let bad = done.iter().filter(|one| !one.is_good()).count();
	let _ = match bad {
		0 => writeln!(text, "No difference."),
		_ => writeln!(text, "{bad} tests DIFFER or are not understood."),
	};
	text
}

/// What is wrong with a test.
pub fn trouble(done: &Done) -> String {
	let Fate::Ran(Outcome { cpu, element, gpu, .. }) = &done.fate else {
		return match &done.fate {
			Fate::LeftOut(reason) | Fate::NotUnderstood(reason) => reason.clone(),
			Fate::Ran(_) => String::new(),
		};
	};
	let each = [("cpu", cpu), ("element", element), ("gpu", gpu)];
	let failed = each.iter().filter_map(|(name, verdict)| match verdict {
		Verdict::Failed(reason) => Some(format!("{name}: {reason}")),
		Verdict::Passed => None,
	});
	failed.collect::<Vec<_>>().join("; ")
}
