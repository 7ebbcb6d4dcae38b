// SPDX-License-Identifier: Apache-2.0

//! What a run reached: every call with how often it was tried and how often it succeeded, and every event
//! with how often it was seen.

use super::chain::Fate;
use crate::{RuntimeCall, RuntimeEvent};
use codec::Encode;
use frame_support::{traits::GetCallMetadata, weights::constants::WEIGHT_REF_TIME_PER_MICROS};
use serde_json::{json, Map, Value};
use sp_runtime::DispatchResult;
use std::{collections::BTreeMap, time::Duration};

/// What is known of one call.
#[derive(Clone, Default)]
pub struct Count {
	/// How often it was in a block, by itself or within another call.
	pub tried: u64,
	/// How often it succeeded.
	pub succeeded: u64,
	/// How often it was refused before it was executed.
	pub refused: u64,
	/// How long it took by itself, in all.
	took: Duration,
	/// How often that was measured.
	measured: u64,
	/// What it was charged for in all, and what it said it used, as execution time.
	weight: (u128, u128),
	/// The greatest part of its weight that it took, in parts per thousand, and how long that was.
	heaviest: (u128, Duration),
}

/// What is known of a run.
#[derive(Clone, Default)]
pub struct Coverage {
	/// By pallet and call.
	pub calls: BTreeMap<(&'static str, &'static str), Count>,
	/// By pallet and event.
	pub events: BTreeMap<(String, String), u64>,
	names: BTreeMap<[u8; 2], (String, String)>,
}

/// The name of a call.
pub fn name(call: &RuntimeCall) -> (&'static str, &'static str) {
	let metadata = call.get_call_metadata();
	(metadata.pallet_name, metadata.function_name)
}

/// A call with those that it carries, itself first. Only those are counted that are executed with it.
pub fn nested(call: &RuntimeCall) -> Vec<&RuntimeCall> {
	use pallet_proxy::Call as Proxies;
	use pallet_sudo::Call as Sudo;
	use pallet_utility::Call as Utility;
	let inner: Vec<&RuntimeCall> = match call {
		RuntimeCall::Sudo(
			Sudo::sudo { call }
			| Sudo::sudo_unchecked_weight { call, .. }
			| Sudo::sudo_as { call, .. },
		)
		| RuntimeCall::Proxy(Proxies::proxy { call, .. } | Proxies::proxy_announced { call, .. })
		| RuntimeCall::Utility(
			Utility::as_derivative { call, .. }
			| Utility::dispatch_as { call, .. }
			| Utility::dispatch_as_fallible { call, .. }
			| Utility::with_weight { call, .. },
		) => vec![&**call],
		RuntimeCall::Utility(Utility::if_else { main, .. }) => vec![&**main],
		RuntimeCall::Utility(
			Utility::batch { calls }
			| Utility::batch_all { calls }
			| Utility::force_batch { calls },
		) => calls.iter().collect(),
		_ => Vec::new(),
	};
	let mut all = vec![call];
	for call in inner {
		all.extend(nested(call));
	}
	all
}

/// Whether an event tells that a call within another one failed.
fn tells_of_failure(event: &RuntimeEvent) -> bool {
	use pallet_utility::Event as Utility;
	let failed = |result: &DispatchResult| result.is_err();
	match event {
		RuntimeEvent::Utility(
			Utility::BatchInterrupted { .. }
			| Utility::ItemFailed { .. }
			| Utility::IfElseFallbackCalled { .. },
		) => true,
		RuntimeEvent::Utility(Utility::DispatchedAs { result })
		| RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => failed(result),
		RuntimeEvent::Sudo(
			pallet_sudo::Event::Sudid { sudo_result }
			| pallet_sudo::Event::SudoAsDone { sudo_result },
		) => failed(sudo_result),
		_ => false,
	}
}

impl Coverage {
	/// Counts a transaction with what it reported.
	pub fn count(&mut self, call: &RuntimeCall, fate: &Fate, events: &[RuntimeEvent]) {
		let all = nested(call);
		let Fate::Done { result, took, charged, used } = fate else {
			self.calls.entry(name(call)).or_default().refused += 1;
			return;
		};
		let inner = result.is_ok() && !events.iter().any(tells_of_failure);
		for (place, one) in all.iter().enumerate() {
			let count = self.calls.entry(name(one)).or_default();
			count.tried += 1;
			let well = if place == 0 { result.is_ok() } else { inner };
			count.succeeded += u64::from(well);
		}
		if all.len() == 1 {
			let count = self.calls.entry(name(call)).or_default();
			count.took += *took;
			count.measured += 1;
			count.weight.0 += u128::from(charged.ref_time());
			count.weight.1 += u128::from(used.ref_time());
			let charged = u128::from(charged.ref_time() / WEIGHT_REF_TIME_PER_MICROS).max(1);
			let part = took.as_micros() * 1_000 / charged;
			count.heaviest = count.heaviest.max((part, *took));
		}
	}

	/// Counts an event.
	pub fn note(&mut self, event: &RuntimeEvent) {
		let encoded = event.encode();
		let index = [encoded[0], encoded.get(1).copied().unwrap_or_default()];
		let name = self.names.entry(index).or_insert_with(|| {
			let told = format!("{event:?}");
			let (pallet, rest) = told.split_once('(').unwrap_or((&told, ""));
			let rest = rest.trim_start_matches("Event::");
			let end = rest.find([' ', '{', '(', ')']).unwrap_or(rest.len());
			(pallet.to_string(), rest[..end].to_string())
		});
		*self.events.entry(name.clone()).or_default() += 1;
	}

	/// Adds what another run reached.
	pub fn add(&mut self, other: &Self) {
		for (name, theirs) in &other.calls {
			let ours = self.calls.entry(*name).or_default();
			ours.tried += theirs.tried;
			ours.succeeded += theirs.succeeded;
			ours.refused += theirs.refused;
			ours.took += theirs.took;
			ours.measured += theirs.measured;
			ours.weight.0 += theirs.weight.0;
			ours.weight.1 += theirs.weight.1;
			ours.heaviest = ours.heaviest.max(theirs.heaviest);
		}
		for (name, count) in &other.events {
			*self.events.entry(name.clone()).or_default() += count;
		}
	}

	/// How many calls of a name succeeded.
	pub fn successes(&self, pallet: &str, call: &str) -> u64 {
		self.calls
			.iter()
			.filter(|((of, name), _)| *of == pallet && *name == call)
			.map(|(_, count)| count.succeeded)
			.sum()
	}

	/// The calls of the runtime that never succeeded.
	pub fn never(&self) -> Vec<String> {
		let mut missing = Vec::new();
		for pallet in RuntimeCall::get_module_names() {
			for call in RuntimeCall::get_call_names(pallet) {
				if self.successes(pallet, call) == 0 {
					missing.push(format!("{pallet}.{call}"));
				}
			}
		}
		missing
	}

	/// All of it, for machines.
	pub fn json(&self) -> Value {
		let mut calls = Map::new();
		for ((pallet, call), count) in &self.calls {
			let mean = count.took.as_secs_f64() * 1e6 / count.measured.max(1) as f64;
			calls.insert(
				format!("{pallet}.{call}"),
				json!({
					"tried": count.tried,
					"succeeded": count.succeeded,
					"refused": count.refused,
					"used_permille_of_charged": (count.weight.1 * 1_000 / count.weight.0.max(1)) as u64,
					"mean_us": (mean * 10.0).round() / 10.0,
					"heaviest_us": count.heaviest.1.as_micros() as u64,
					"heaviest_permille_of_weight": count.heaviest.0 as u64,
				}),
			);
		}
		let events: Map<String, Value> = self
			.events
			.iter()
			.map(|((pallet, event), count)| (format!("{pallet}.{event}"), json!(count)))
			.collect();
		json!({ "calls": calls, "events": events, "never_succeeded": self.never() })
	}
}
