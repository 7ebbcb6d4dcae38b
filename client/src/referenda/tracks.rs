// SPDX-License-Identifier: Apache-2.0

//! Tracks: the powers of governance, and what it takes to use each.

use anyhow::{Context, Result};
use scale_decode::DecodeAsType;
use subxt::dynamic::Value;

use crate::Snapshot;

/// A threshold that falls while a referendum is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Curve {
	/// In a straight line from `ceil` to `floor`, which it reaches after `length` of the period.
	LinearDecreasing {
		/// Part of the decision period.
		length: u32,
		/// Where it ends.
		floor: u32,
		/// Where it begins.
		ceil: u32,
	},
	/// In steps. No track of TensorNet has it.
	SteppedDecreasing {
		/// Where it begins.
		begin: u32,
	},
	/// As a reciprocal. No track of TensorNet has it.
	Reciprocal {
		/// Its numerator, in billionths.
		factor: i64,
	},
}

impl Curve {
	/// The threshold once `passed` billionths of the decision period are over; `None` for a curve that
	/// this client does not know.
	pub fn threshold(&self, passed: u32) -> Option<u32> {
		let Curve::LinearDecreasing { length, floor, ceil } = *self else { return None };
		let fallen = u64::from(ceil.saturating_sub(floor)) * u64::from(passed.min(length));
		let fallen = fallen.checked_div(length.into()).unwrap_or(0);
		Some(ceil.saturating_sub(u32::try_from(fallen).unwrap_or(u32::MAX)))
	}

	/// After how many billionths of the decision period the threshold is down at `value`; `None` if it
	/// never is.
	pub fn delay(&self, value: u32) -> Option<u32> {
		let Curve::LinearDecreasing { length, floor, ceil } = *self else { return None };
		if value >= ceil {
			return Some(0);
		}
		if value < floor {
			return None;
		}
		let part = u64::from(length) * u64::from(ceil - value);
		let part = part.div_ceil(u64::from(ceil - floor));
		u32::try_from(part).ok()
	}
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawTrack {
	name: String,
	decision_deposit: u128,
	prepare_period: u32,
	decision_period: u32,
	confirm_period: u32,
	min_enactment_period: u32,
	min_approval: Curve,
	min_support: Curve,
}

/// A track on which referenda are decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
	/// Its number.
	pub id: u16,
	/// Its name.
	pub name: String,
	/// Without this deposit a referendum is not decided.
	pub decision_deposit: u128,
	/// Blocks from submission to the beginning of the decision.
	pub prepare_period: u32,
	/// The most blocks of the decision.
	pub decision_period: u32,
	/// Blocks for which a referendum has to stay above both thresholds.
	pub confirm_period: u32,
	/// The least blocks from approval to enactment.
	pub min_enactment_period: u32,
	/// The share of votes in favour that it takes.
	pub min_approval: Curve,
	/// The share of all TNA in favour that it takes.
	pub min_support: Curve,
}

/// The tracks of a chain, by number, with the periods that hold on it.
pub fn tracks(at: &Snapshot) -> Result<Vec<Track>> {
	let tracks: Vec<(u16, RawTrack)> = at.constant("Referenda", "Tracks")?;
	let track = |(id, raw): (u16, RawTrack)| Track {
		id,
		name: raw.name.trim_end_matches('\0').to_owned(),
		decision_deposit: raw.decision_deposit,
		prepare_period: raw.prepare_period,
		decision_period: raw.decision_period,
		confirm_period: raw.confirm_period,
		min_enactment_period: raw.min_enactment_period,
		min_approval: raw.min_approval,
		min_support: raw.min_support,
	};
	Ok(tracks.into_iter().map(track).collect())
}

/// The origin that a track gives to what it approves, as the chain names it: the name of the power
/// within the governance pallet, or `None` for root.
///
/// The runtime decides this in `governance/tracks.rs`; metadata does not tell it.
pub fn power_of(track: &str) -> Option<Option<&'static str>> {
	Some(match track {
		"root" => None,
		"whitelisted_caller" => Some("WhitelistedCaller"),
		"parameters" => Some("ProtocolParameters"),
		"small_spender" => Some("SmallSpender"),
		"big_spender" => Some("BigSpender"),
		"slash_appeal" => Some("SlashAppeal"),
		"registrars" => Some("Registrars"),
		"emergency" => Some("Emergency"),
		_ => return None,
	})
}

/// The encoded origin that a referendum of a track is submitted for.
pub fn origin_of(at: &Snapshot, track: &str) -> Result<Vec<u8>> {
	let power = power_of(track).with_context(|| format!("no track '{track}'"))?;
	let none: [Value; 0] = [];
	let origin = match power {
		None => Value::unnamed_variant("system", [Value::unnamed_variant("Root", none)]),
		Some(power) => Value::unnamed_variant("Governance", [Value::unnamed_variant(power, none)]),
	};
	at.argument("Referenda", "submit", 0, &origin)
}

/// The track on which a call is decided with the least power that it takes. Spends depend on their
/// amount and are not told here. Whatever has no power of its own takes root.
pub fn track_of(pallet: &str, call: &str) -> &'static str {
	match (pallet, call) {
		("Governance", "set_parameter") => "parameters",
		("Whitelist", "dispatch_whitelisted_call" | "dispatch_whitelisted_call_with_preimage") => {
			"whitelisted_caller"
		}
		("Whitelist", _)
		| ("SafeMode", "force_enter" | "force_extend" | "force_exit")
		| ("TxPause", _)
		| ("Referenda", "cancel" | "kill") => "emergency",
		("Compliance", "appoint" | "dismiss" | "sanction" | "lift") => "registrars",
		(_, "cancel_slash") => "slash_appeal",
		_ => "root",
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::referenda::PARTS;

	const PERCENT: u32 = PARTS / 100;

	fn falling(from: u32, to: u32) -> Curve {
		Curve::LinearDecreasing { length: PARTS, floor: to * PERCENT, ceil: from * PERCENT }
	}

	#[test]
	fn a_falling_threshold_is_reached_when_it_says_so() {
		let curve = falling(25, 0);
		assert_eq!(curve.threshold(0), Some(25 * PERCENT));
		assert_eq!(curve.threshold(PARTS / 2), Some(25 * PERCENT / 2));
		assert_eq!(curve.threshold(PARTS), Some(0));
		assert_eq!(curve.delay(25 * PERCENT), Some(0));
		assert_eq!(curve.delay(0), Some(PARTS));
		assert_eq!(curve.delay(5 * PERCENT), Some(PARTS / 5 * 4));
		assert_eq!(falling(70, 50).delay(49 * PERCENT), None);
	}

	#[test]
	fn every_call_is_decided_on_a_track_that_has_a_power() {
		for (pallet, call, track) in [
			("Governance", "set_parameter", "parameters"),
			("Whitelist", "whitelist_call", "emergency"),
			("Whitelist", "dispatch_whitelisted_call_with_preimage", "whitelisted_caller"),
			("Compliance", "appoint", "registrars"),
			("System", "authorize_upgrade", "root"),
			("TxPause", "pause", "emergency"),
		] {
			assert_eq!(track_of(pallet, call), track);
			assert!(power_of(track).is_some());
		}
		assert_eq!(power_of("treasurer"), None);
	}
}
