package domain

import (
	"fmt"
	"slices"
)

// Status of a reservation.
type Status string

// The states. Rejected, Cancelled and Completed are final; of Rejected there is one exception, Reopen.
const (
	Pending         Status = "PENDING"
	Confirmed       Status = "CONFIRMED"
	Rejected        Status = "REJECTED"
	CancelRequested Status = "CANCEL_REQUESTED"
	Cancelled       Status = "CANCELLED"
	Completed       Status = "COMPLETED"
)

// transitions is every step that a reservation can take; no client writes a status. REJECTED is final, but for
// one that was rejected because payment was certainly not asked: Reopen.
var transitions = map[Status][]Status{
	"":              {Pending},
	Pending:         {Confirmed, Rejected},
	Rejected:        {Pending},
	Confirmed:       {CancelRequested, Completed},
	CancelRequested: {Cancelled},
}

// Causes of transitions, as they stand in the history.
const (
	CauseReserved        = "RESERVED"
	CausePaymentApproved = "PAYMENT_APPROVED"
	CausePaymentDeclined = "PAYMENT_DECLINED"
	CausePaymentNotSent  = "PAYMENT_NOT_SENT"
	CauseHoldLimit       = "HOLD_LIMIT"
	CauseWithdrawn       = "CUSTOMER_WITHDREW"
	CauseCustomer        = "CUSTOMER_CANCELLED"
	CauseRefunded        = "REFUNDED"
	CauseNothingToRefund = "NOTHING_TO_REFUND"
	CauseTripOver        = "TRIP_OVER"
	CauseDepartureClosed = "DEPARTURE_CLOSED"
	CauseNoShow          = "NO_SHOW"
	CauseWaiver          = "WAIVER" // as others are told of any reason of a waiver
)

// Kinds of history entries. All but the first are no transition: from = to.
const (
	KindTransition       = "TRANSITION"
	KindRefundDone       = "REFUND_DONE"
	KindRefundStuck      = "REFUND_STUCK"
	KindRefundSettled    = "REFUND_SETTLED"
	KindWaiverClaimed    = "WAIVER_CLAIMED"
	KindWaiverGranted    = "WAIVER_GRANTED"
	KindWaiverRefused    = "WAIVER_REFUSED"
	KindCompensationDue  = "COMPENSATION_DUE"
	KindCompensationPaid = "COMPENSATION_PAID"
)

// note adds a line to the history that is no transition; it raises the version as one does.
func (r *Reservation) note(kind string, e Entry) {
	r.s.Version++
	e.Version, e.Kind, e.From, e.To = r.s.Version, kind, r.s.Status, r.s.Status
	if e.Amount != nil {
		amount := *e.Amount
		e.Amount = &amount
	}
	r.s.History = append(r.s.History, e)
}

// move takes one step, with its history entry and the departure's counts.
func (r *Reservation) move(d *Departure, to Status, e Entry) error {
	if !slices.Contains(transitions[r.s.Status], to) {
		return fmt.Errorf("reservation %s: no way from %q to %q", r.s.ID, r.s.Status, to)
	}
	if d.id != r.s.Departure {
		return fmt.Errorf("reservation %s belongs to departure %s, not %s", r.s.ID, r.s.Departure, d.id)
	}
	r.s.Version++
	e.Version, e.Kind, e.From, e.To = r.s.Version, KindTransition, r.s.Status, to
	r.s.History = append(r.s.History, e)
	d.follow(r.s.Status, to, r.s.Travellers)
	r.s.Status = to
	return nil
}
