// SPDX-License-Identifier: Apache-2.0

//! The tracks on which referenda are decided.
//!
//! | id | track | power | decides in | passes with |
//! |---|---|---|---|---|
//! | 0 | `root` | root: everything, runtime upgrades | 28 days | 80 % falling to 50 %, half the stake falling to none |
//! | 1 | `whitelisted_caller` | calls whose hash is whitelisted | 14 days | the same approval, a fifth of the support |
//! | 10 | `parameters` | protocol parameters in their bounds | 14 days | 70 % falling to 50 % |
//! | 20 | `small_spender` | 10,000 TNA of the treasury | 14 days | 60 % falling to 50 % |
//! | 21 | `big_spender` | 1,000,000 TNA of the treasury | 28 days | 80 % falling to 50 % |
//! | 30 | `slash_appeal` | cancelling slashes | 7 days | 60 % falling to 50 % |
//! | 40 | `registrars` | appointing registrars | 14 days | 60 % falling to 50 % |
//! | 50 | `emergency` | safe mode, pausing, whitelisting | 1 day | 90 % falling to 66 %, a tenth of the stake at the least |
//!
//! Periods are divided by the pace of the chain, which is 1 except on development chains.

use crate::{
	currency::UNIT,
	time::{DAYS, HOURS, MINUTES},
	Balance, BlockNumber, OriginCaller, Runtime,
};
use alloc::borrow::Cow;
use pallet_referenda::{Curve, Track, TrackInfo, TracksInfo};
use pallet_tensornet_governance::{Origin, Pace};
use sp_runtime::{str_array as name, Perbill};

/// Number of a track.
pub type TrackId = u16;

const fn percent(percent: u32) -> Perbill {
	Perbill::from_percent(percent)
}

/// Falls in a straight line from `from` to `to` percent over the whole decision period.
const fn falling(from: u32, to: u32) -> Curve {
	Curve::LinearDecreasing { length: percent(100), floor: percent(to), ceil: percent(from) }
}

const fn track(
	id: TrackId,
	name: &str,
	max_deciding: u32,
	decision_deposit: Balance,
	[prepare_period, decision_period, confirm_period, min_enactment_period]: [BlockNumber; 4],
	min_approval: Curve,
	min_support: Curve,
) -> Track<TrackId, Balance, BlockNumber> {
	Track {
		id,
		info: TrackInfo {
			name: self::name(name),
			max_deciding,
			decision_deposit,
			prepare_period,
			decision_period,
			confirm_period,
			min_enactment_period,
			min_approval,
			min_support,
		},
	}
}

/// The tracks at pace 1, by number.
const TRACKS: [Track<TrackId, Balance, BlockNumber>; 8] = [
	track(
		0,
		"root",
		1,
		100_000 * UNIT,
		[2 * HOURS, 28 * DAYS, DAYS, DAYS],
		falling(80, 50),
		falling(50, 0),
	),
	track(
		1,
		"whitelisted_caller",
		20,
		10_000 * UNIT,
		[30 * MINUTES, 14 * DAYS, 30 * MINUTES, 30 * MINUTES],
		falling(80, 50),
		falling(10, 0),
	),
	track(
		10,
		"parameters",
		10,
		5_000 * UNIT,
		[2 * HOURS, 14 * DAYS, 12 * HOURS, 12 * HOURS],
		falling(70, 50),
		falling(25, 0),
	),
	track(
		20,
		"small_spender",
		50,
		500 * UNIT,
		[4 * HOURS, 14 * DAYS, 12 * HOURS, DAYS],
		falling(60, 50),
		falling(10, 0),
	),
	track(
		21,
		"big_spender",
		10,
		5_000 * UNIT,
		[4 * HOURS, 28 * DAYS, 2 * DAYS, DAYS],
		falling(80, 50),
		falling(40, 0),
	),
	track(
		30,
		"slash_appeal",
		50,
		500 * UNIT,
		[30 * MINUTES, 7 * DAYS, 6 * HOURS, 10 * MINUTES],
		falling(60, 50),
		falling(10, 0),
	),
	track(
		40,
		"registrars",
		10,
		500 * UNIT,
		[2 * HOURS, 14 * DAYS, 12 * HOURS, 12 * HOURS],
		falling(60, 50),
		falling(10, 0),
	),
	track(
		50,
		"emergency",
		5,
		10_000 * UNIT,
		[MINUTES, DAYS, 10 * MINUTES, MINUTES],
		falling(90, 66),
		falling(50, 10),
	),
];

/// The tracks of this chain.
pub struct Tracks;

impl TracksInfo<Balance, BlockNumber> for Tracks {
	type Id = TrackId;
	type RuntimeOrigin = OriginCaller;

	fn tracks() -> impl Iterator<Item = Cow<'static, Track<TrackId, Balance, BlockNumber>>> {
		let pace = Pace::<Runtime>::get().max(1);
		TRACKS.into_iter().map(move |mut track| {
			let info = &mut track.info;
			for period in [
				&mut info.prepare_period,
				&mut info.decision_period,
				&mut info.confirm_period,
				&mut info.min_enactment_period,
			] {
				// A period of no blocks would decide in the block that asks.
				*period = period.checked_div(pace).unwrap_or(*period).max(1);
			}
			Cow::Owned(track)
		})
	}

	fn track_for(origin: &OriginCaller) -> Result<TrackId, ()> {
		match origin {
			OriginCaller::system(frame_system::RawOrigin::Root) => Ok(0),
			OriginCaller::Governance(power) => match power {
				Origin::WhitelistedCaller => Ok(1),
				Origin::ProtocolParameters => Ok(10),
				Origin::SmallSpender => Ok(20),
				Origin::BigSpender => Ok(21),
				Origin::SlashAppeal => Ok(30),
				Origin::Registrars => Ok(40),
				Origin::Emergency => Ok(50),
				Origin::Bounded => Err(()),
			},
			_ => Err(()),
		}
	}
}
