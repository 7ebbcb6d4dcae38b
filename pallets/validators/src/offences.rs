// SPDX-License-Identifier: Apache-2.0

//! What counts as a fault, and what is imposed for it.

use crate::{
	BalanceOf, Config, CurrentEra, Event, Fault, Faults, Guilt, Jail, LedgerOf, Ledgers, Offender,
	Pallet, PendingSlash, Points, Queue, Reporting, Sessions, SlashId, Slashes, TotalPoints,
	WeightInfo, EXPECTED_BLOCKS, LOG_TARGET,
};
use alloc::{vec, vec::Vec};
use frame_support::{traits::Get, weights::Weight};
use sp_runtime::{
	traits::{Saturating, Zero},
	Perbill, Permill,
};
use sp_staking::{
	offence::{Kind, Offence, OffenceDetails, OnOffenceHandler, ReportOffence},
	SessionIndex,
};
use tensornet_protocol::{Bonded, EraIndex};

/// Validators authored nothing in an era.
pub struct SilenceOffence<Offender> {
	/// The last session of the era.
	pub session: SessionIndex,
	/// The era.
	pub era: EraIndex,
	/// How many validators there were.
	pub validators: u32,
	/// Who was silent.
	pub offenders: Vec<Offender>,
	/// What each loses.
	pub fraction: Perbill,
}

impl<Offender: Clone> Offence<Offender> for SilenceOffence<Offender> {
	const ID: Kind = *b"tensornet:silent";

	type Slot = EraIndex;

	fn offenders(&self) -> Vec<Offender> {
		self.offenders.clone()
	}

	fn session_index(&self) -> SessionIndex {
		self.session
	}

	fn validator_set_count(&self) -> u32 {
		self.validators
	}

	fn slot(&self) -> Self::Slot {
		self.era
	}

	/// The same for each, however many they are: that many are silent together is more likely a fault
	/// of the network than of theirs.
	fn slash_fraction(&self, _: u32) -> Perbill {
		self.fraction
	}
}

impl<T: Config> OnOffenceHandler<T::AccountId, Offender<T>, Weight> for Pallet<T> {
	fn on_offence(
		offenders: &[OffenceDetails<T::AccountId, Offender<T>>],
		fractions: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		let fault = Reporting::<T>::get().unwrap_or(Fault::Equivocation);
		for (details, fraction) in offenders.iter().zip(fractions) {
			let (validator, ()) = &details.offender;
			Self::convict(validator, fault, *fraction, session, details.reporters.first());
		}
		T::WeightInfo::on_offence(u32::try_from(offenders.len()).unwrap_or(u32::MAX))
	}
}

impl<T: Config> Pallet<T> {
	/// At the end of an era's last session: reports those that authored nothing in it, unless it is
	/// likelier that the network failed.
	pub(crate) fn judge_silence(session: SessionIndex) {
		let era = CurrentEra::<T>::get();
		// Who was kept against its will owes nothing. The set never grows within an era, so a share of
		// the blocks is at least what each member was expected to author.
		let expected = TotalPoints::<T>::get(era.index).checked_div(era.validators);
		if era.kept || expected.is_none_or(|blocks| blocks < EXPECTED_BLOCKS) {
			return;
		}
		let running = T::Session::validators();
		let validators = Self::count(&running);
		// Those in jail had no duties.
		let offenders: Vec<_> = running
			.into_iter()
			.filter(|who| Points::<T>::get(era.index, who) == 0 && !Self::in_jail(who))
			.map(|who| (who, ()))
			.collect();
		let silent = u32::try_from(offenders.len()).unwrap_or(u32::MAX);
		if silent.saturating_mul(3) > validators {
			Self::deposit_event(Event::NetworkSilent { era: era.index, silent, validators });
			return;
		}
		if offenders.is_empty() {
			return;
		}
		let offence = SilenceOffence {
			session,
			era: era.index,
			validators,
			offenders,
			fraction: Perbill::from_rational(
				T::SilenceSlash::get().deconstruct(),
				Permill::one().deconstruct(),
			),
		};
		Reporting::<T>::put(Fault::Silence);
		if T::Offences::report_offence(vec![], offence).is_err() {
			log::error!(target: LOG_TARGET, "the silence of era {} was reported twice", era.index);
		}
		Reporting::<T>::kill();
	}

	/// Forgets what was found in a session that can no longer be reported.
	pub(crate) fn forget_faults_of(session: SessionIndex) {
		// Each validator of a session, and each kind of fault.
		let most = T::MaxValidators::get().saturating_mul(2);
		if Faults::<T>::clear_prefix(session, most, None).maybe_cursor.is_some() {
			log::error!(target: LOG_TARGET, "session {session} had more faults than validators");
		}
	}

	/// Imposes `fraction` for a fault of `session`, as far as it is more than what was imposed for it
	/// before.
	fn convict(
		validator: &T::AccountId,
		fault: Fault,
		fraction: Perbill,
		session: SessionIndex,
		reporter: Option<&T::AccountId>,
	) {
		let key = (validator.clone(), fault);
		let mut ledger = Ledgers::<T>::get(validator).unwrap_or_default();
		let known = Faults::<T>::get(session, &key);
		if known.as_ref().is_some_and(|guilt| guilt.fraction >= fraction) {
			return;
		}
		let mut guilt =
			known.unwrap_or(Guilt { fraction: Perbill::zero(), base: ledger.held(), slash: None });
		let more =
			fraction.mul_ceil(guilt.base).saturating_sub(guilt.fraction.mul_ceil(guilt.base));
		guilt.fraction = fraction;
		if !more.is_zero() {
			guilt.slash =
				Some(Self::impose(validator, &mut ledger, fault, session, more, &guilt, reporter));
		}
		Faults::<T>::insert(session, key, guilt);
		Self::jail(validator, &mut ledger, fault, fraction);
		Ledgers::<T>::insert(validator, ledger);
		if fault == Fault::Equivocation {
			T::Session::disable(validator.clone(), fraction);
		}
	}

	/// Adds `more` to the slash that waits for this guilt, or to the end of the queue. The caller
	/// writes `ledger` and the guilt back.
	fn impose(
		validator: &T::AccountId,
		ledger: &mut LedgerOf<T>,
		fault: Fault,
		session: SessionIndex,
		more: BalanceOf<T>,
		guilt: &Guilt<BalanceOf<T>>,
		reporter: Option<&T::AccountId>,
	) -> SlashId {
		let waiting = guilt.slash.and_then(|id| Slashes::<T>::get(id).map(|slash| (id, slash)));
		let (id, slash) = match waiting {
			Some((id, mut slash)) => {
				slash.amount = slash.amount.saturating_add(more);
				(id, slash)
			}
			None => {
				let id = Queue::<T>::mutate(|queue| {
					let id = queue.next;
					queue.next = id.saturating_add(1);
					id
				});
				ledger.pending = ledger.pending.saturating_add(1);
				let due = CurrentEra::<T>::get().index.saturating_add(T::SlashDelay::get());
				let slash = PendingSlash {
					validator: validator.clone(),
					fault,
					session,
					amount: more,
					reporter: reporter.filter(|who| *who != validator).cloned(),
					due,
				};
				(id, slash)
			}
		};
		Self::deposit_event(Event::SlashImposed {
			id,
			validator: validator.clone(),
			fault,
			session,
			amount: slash.amount,
			due: slash.due,
		});
		Slashes::<T>::insert(id, slash);
		id
	}

	/// Takes a validator out of the ranking. The caller writes `ledger` back.
	fn jail(validator: &T::AccountId, ledger: &mut LedgerOf<T>, fault: Fault, severity: Perbill) {
		Self::stop_standing(validator, ledger);
		let now = CurrentEra::<T>::get().index;
		let until = match fault {
			Fault::Equivocation => now.saturating_add(T::JailEras::get()),
			Fault::Silence => now,
		};
		// The graver fault stays, and each keeps it in at least as long as the other.
		let jail = match ledger.jail {
			Some(old) if ledger.equivocated() => Jail {
				fault: Fault::Equivocation,
				severity: old.severity.max(severity),
				until: old.until.max(until),
			},
			_ => Jail { fault, severity, until },
		};
		ledger.jail = Some(jail);
		Self::deposit_event(Event::Jailed { validator: validator.clone(), jail });
	}
}
