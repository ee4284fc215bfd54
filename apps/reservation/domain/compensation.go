package domain

import (
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Compensation is what the supplier owes a customer for closing a departure: a debt of its own, beside the
// refund, paid by bank transfer.
type Compensation struct {
	Amount    money.KRW `json:"amount"`
	Status    string    `json:"status"`
	DueAt     time.Time `json:"dueAt"`
	Reference string    `json:"reference,omitempty"` // of the bank transfer
	PaidBy    string    `json:"paidBy,omitempty"`    // subject of the operator
	PaidAt    time.Time `json:"paidAt,omitzero"`
}

// States of a compensation.
const (
	CompensationDue  = "DUE"
	CompensationPaid = "PAID"
)

// compensation is what the supplier owes for a closure, in won: a percentage of the tour price by the days from the
// closure's date.
func (r *Reservation) compensation(c Closure) money.KRW {
	days := c.ClosedOn.DaysUntil(r.s.DepartureDate)
	return r.s.Price.Payable.Part(terms.CompensationSchedule(c.Reason, r.s.Kind, r.s.Nights, c.ClosedOn).RateAt(days))
}

// owe notes a compensation for a closure, if there is any.
func (r *Reservation) owe(amount money.KRW, reason string, at time.Time) {
	if amount == 0 {
		return
	}
	r.s.Cancellation.Compensation = &Compensation{Amount: amount, Status: CompensationDue, DueAt: at}
	r.note(KindCompensationDue, Entry{At: at, Actor: "reservation", Cause: reason, Amount: &amount})
}

// PayCompensation records an operator's bank transfer. It says whether that is news: the same reference again is
// not. Refusals: NOT_FOUND (nothing is owed), ALREADY_DECIDED (paid with another reference).
func (r *Reservation) PayCompensation(reference, actor string, at time.Time) (bool, error) {
	if r.s.Cancellation == nil || r.s.Cancellation.Compensation == nil {
		return false, ErrNotFound
	}
	c := r.s.Cancellation.Compensation
	if c.Status == CompensationPaid {
		if c.Reference != reference {
			return false, ErrAlreadyDecided
		}
		return false, nil
	}
	c.Status, c.Reference, c.PaidBy, c.PaidAt = CompensationPaid, reference, actor, at
	r.note(KindCompensationPaid, Entry{At: at, Actor: actor, Cause: "BANK_TRANSFER", Amount: &c.Amount})
	return true, nil
}
