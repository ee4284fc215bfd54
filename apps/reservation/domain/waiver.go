package domain

import (
	"slices"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
)

// WaiverReason is a reason for which a cancellation costs less or nothing.
type WaiverReason string

// The reasons of the standard terms. EpidemicAdvisory halves the fee, all others waive it.
const (
	ForceMajeure       WaiverReason = "FORCE_MAJEURE"
	SafetyAgreed       WaiverReason = "SAFETY_AGREED"
	RelativeDied       WaiverReason = "RELATIVE_DIED" // up to the third degree
	OwnIllness         WaiverReason = "OWN_ILLNESS"
	RelativeInHospital WaiverReason = "RELATIVE_IN_HOSPITAL"
	SupplierFault      WaiverReason = "SUPPLIER_FAULT"
	EpidemicOrder      WaiverReason = "EPIDEMIC_ORDER"
	EpidemicAdvisory   WaiverReason = "EPIDEMIC_ADVISORY"
)

// Known says whether there is such a reason.
func (w WaiverReason) Known() bool {
	switch w {
	case ForceMajeure, SafetyAgreed, RelativeDied, OwnIllness, RelativeInHospital, SupplierFault, EpidemicOrder, EpidemicAdvisory:
		return true
	}
	return false
}

// feeLeft is what remains of a fee, cut to the won.
func (w WaiverReason) feeLeft(fee money.KRW) money.KRW {
	if w == EpidemicAdvisory {
		return fee / 2
	}
	return 0
}

// Waiver is a customer's claim that the fee does not apply, and an operator's decision.
type Waiver struct {
	Reason    WaiverReason `json:"reason"`
	Status    WaiverStatus `json:"status"`
	Note      string       `json:"note,omitempty"`
	DecidedBy string       `json:"decidedBy,omitempty"`
	DecidedAt time.Time    `json:"decidedAt,omitzero"`
}

// WaiverStatus is how far a waiver has come.
type WaiverStatus string

// States of a waiver.
const (
	WaiverClaimed WaiverStatus = "CLAIMED"
	WaiverGranted WaiverStatus = "GRANTED"
	WaiverRefused WaiverStatus = "REFUSED"
)

// feeAfter is the fee when an operator's decision is taken into account; a mere claim changes nothing.
func (r *Reservation) feeAfter(fee money.KRW) money.KRW {
	if w := r.s.Waiver; w != nil && w.Status == WaiverGranted {
		return w.Reason.feeLeft(fee)
	}
	return fee
}

// claimWaiver opens a claim, unless one was granted, or that very reason refused, before. An operator's refusal of
// another reason says nothing of this one.
func (r *Reservation) claimWaiver(reason WaiverReason, actor string, at time.Time) {
	if w := r.s.Waiver; w != nil && (w.Status != WaiverRefused || w.Reason == reason) {
		return
	}
	r.s.Waiver = &Waiver{Reason: reason, Status: WaiverClaimed}
	r.note(KindWaiverClaimed, Entry{At: at, Actor: actor, Cause: string(reason)})
}

// WaiverOpened is when the waiver was claimed; of one that an operator decided unasked, when that was.
func (r *Reservation) WaiverOpened() (at time.Time) {
	for _, e := range slices.Backward(r.s.History) {
		switch e.Kind {
		case KindWaiverClaimed:
			return e.At
		case KindWaiverGranted, KindWaiverRefused:
			at = e.At
		}
	}
	return at
}

// AtStake is what goes back of the fee when the claim is granted; 0 when there is none that waits for an operator.
func (r *Reservation) AtStake() money.KRW {
	w, x := r.s.Waiver, r.s.Cancellation
	if w == nil || x == nil || w.Status != WaiverClaimed {
		return 0
	}
	return x.Fee - w.Reason.feeLeft(x.Fee)
}

// Decision is an operator's word on a waiver.
type Decision struct {
	Reason  WaiverReason
	Granted bool
	Note    string
	Actor   string
	NewID   func() string // ids of refunds
	At      time.Time
}

// DecideWaiver grants or refuses, before or after the cancellation. Granted afterwards, the difference goes back
// as parts of their own; the state stays. It says whether anything changed: the same decision again does not. A claim
// may be granted for another reason than the customer's, and the history shows both; refused it is for its own.
// Refusals: ALREADY_DECIDED (otherwise), NOT_CANCELLABLE (there is no fee that could be waived), INVALID.
func (r *Reservation) DecideWaiver(c Decision) (bool, error) {
	status, kind := WaiverRefused, KindWaiverRefused
	if c.Granted {
		status, kind = WaiverGranted, KindWaiverGranted
	}
	if w := r.s.Waiver; w != nil && w.Status != WaiverClaimed {
		if w.Reason == c.Reason && w.Status == status {
			return false, nil
		}
		return false, ErrAlreadyDecided
	}
	if w := r.s.Waiver; w != nil && !c.Granted {
		var f fault.Fields
		f.Check(w.Reason == c.Reason, "reason", fault.NotAllowed, string(w.Reason))
		if err := f.Err(); err != nil {
			return false, err
		}
	}
	switch r.s.Status {
	case Confirmed, CancelRequested, Cancelled:
	default:
		return false, ErrNotCancellable
	}
	r.s.Waiver = &Waiver{Reason: c.Reason, Status: status, Note: c.Note, DecidedBy: c.Actor, DecidedAt: c.At}
	e := Entry{At: c.At, Actor: c.Actor, Cause: string(c.Reason)}
	if r.s.Cancellation != nil && c.Granted {
		back := r.returnFee(c)
		e.Amount = &back
	}
	r.note(kind, e)
	return true, nil
}

// returnFee adds the parts that a waiver granted later gives back.
func (r *Reservation) returnFee(c Decision) money.KRW {
	x := r.s.Cancellation
	back := x.Fee - c.Reason.feeLeft(x.Fee)
	parts := r.share(back, PartOfWaiver, x.Parts)
	for i := range parts {
		parts[i].RefundID = c.NewID()
	}
	x.Fee -= back
	x.Refund += back
	x.Parts = append(x.Parts, parts...)
	return back
}
