// SPDX-License-Identifier: Apache-2.0

//! Who joins, whom it names, and who stands above whom.

use crate::{pallet::*, BalanceOf, Member, MemberNumber, MemberOf, Sponsor};
use alloc::vec::Vec;
use codec::MaxEncodedLen;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, Mutate, MutateHold},
		tokens::{Precision, Preservation},
		Contains, Footprint,
	},
};
use sp_runtime::{
	traits::{Convert, Saturating, Zero},
	DispatchError, DispatchResult,
};
use tensornet_protocol::MAX_DEGREES;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_join(who: T::AccountId) -> DispatchResult {
		ensure!(!T::Barred::contains(&who), Error::<T>::Sanctioned);
		ensure!(!Members::<T>::contains_key(&who), Error::<T>::AlreadyMember);
		let member = Self::new_member(&who)?;
		Members::<T>::insert(who, member);
		Ok(())
	}

	pub(crate) fn do_set_sponsor(who: T::AccountId, sponsor: T::AccountId) -> DispatchResult {
		ensure!(!T::Barred::contains(&who), Error::<T>::Sanctioned);
		ensure!(who != sponsor, Error::<T>::OwnSponsor);
		let number = Self::number_of(&sponsor).ok_or(Error::<T>::SponsorNotMember)?;
		let mut member = match Members::<T>::get(&who) {
			Some(member) => member,
			None => Self::new_member(&who)?,
		};
		ensure!(member.sponsor.is_none(), Error::<T>::AlreadySponsored);
		// The one rule that keeps the links free of cycles: along every link numbers fall.
		ensure!(number < member.number, Error::<T>::SponsorTooYoung);
		member.sponsor = Some(Sponsor { account: sponsor.clone(), number });
		Members::<T>::insert(&who, member);
		Self::deposit_event(Event::Sponsored { who, sponsor });
		Ok(())
	}

	pub(crate) fn do_leave(who: T::AccountId) -> DispatchResult {
		let member = Members::<T>::get(&who).ok_or(Error::<T>::NotMember)?;
		ensure!(!Self::weighs_enough(&who), Error::<T>::StillActive);
		let deposit = T::Currency::release(
			&HoldReason::Membership.into(),
			&who,
			member.deposit,
			Precision::BestEffort,
		)?;
		Members::<T>::remove(&who);
		Self::deposit_event(Event::Left { who, deposit });
		Ok(())
	}

	/// Takes the deposit and the next number. The caller stores the record. The first member of all gives
	/// the pot its existential deposit, so that shares of any size can wait there as soon as anybody has
	/// a sponsor.
	fn new_member(who: &T::AccountId) -> Result<MemberOf<T>, DispatchError> {
		let pot = Self::pot();
		let lacks = T::Currency::minimum_balance().saturating_sub(T::Currency::balance(&pot));
		if !lacks.is_zero() {
			T::Currency::transfer(who, &pot, lacks, Preservation::Preserve)?;
		}
		let number = NextNumber::<T>::get();
		let next = number.checked_add(1).ok_or(Error::<T>::NoMoreNumbers)?;
		let deposit = Self::membership_deposit();
		T::Currency::hold(&HoldReason::Membership.into(), who, deposit)?;
		NextNumber::<T>::put(next);
		Self::deposit_event(Event::Joined { who: who.clone(), number, deposit });
		Ok(Member { number, deposit, sponsor: None })
	}

	/// What a member's record costs, whatever it comes to hold.
	pub(crate) fn membership_deposit() -> BalanceOf<T> {
		let size = T::AccountId::max_encoded_len().saturating_add(MemberOf::<T>::max_encoded_len());
		T::Deposit::convert(Footprint::from_parts(1, size))
	}

	fn number_of(who: &T::AccountId) -> Option<MemberNumber> {
		Members::<T>::get(who).map(|member| member.number)
	}

	/// Whether `who` has named a sponsor, whatever became of that since.
	pub(crate) fn has_sponsor(who: &T::AccountId) -> bool {
		Members::<T>::get(who).is_some_and(|member| member.sponsor.is_some())
	}

	/// The ancestors of `who` from its sponsor on: at most
	/// [`MAX_DEGREES`](tensornet_protocol::MAX_DEGREES), read with one storage item each. A link to a
	/// membership that has ended is the end.
	pub(crate) fn ancestors_of(who: &T::AccountId) -> Vec<T::AccountId> {
		let mut ancestors = Vec::new();
		let mut link = Members::<T>::get(who).and_then(|member| member.sponsor);
		for _ in 0..MAX_DEGREES {
			let Some(Sponsor { account, number }) = link else { break };
			let Some(member) = Members::<T>::get(&account).filter(|one| one.number == number)
			else {
				break;
			};
			ancestors.push(account);
			link = member.sponsor;
		}
		ancestors
	}
}
