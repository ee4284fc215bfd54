// Package domain holds what is true of reservations: seats are never sold twice, and CONFIRMED means that
// exactly the amount due now was approved.
package domain

import (
	"fmt"
	"slices"
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Payment plans.
const (
	PlanFull          = "FULL"
	PlanSavingsFunded = "SAVINGS_FUNDED"
)

// MinCharge is the least amount that is charged, in won.
const MinCharge money.KRW = 100

// Reservation is one customer's reservation of seats on a departure. Price and terms are frozen when it is
// made. It changes by its methods alone.
type Reservation struct{ s Snapshot }

// Snapshot is a reservation as it is stored.
type Snapshot struct {
	ID            ReservationID  `json:"id"`
	Customer      string         `json:"customer"`
	MDID          string         `json:"mdId"`
	Product       ProductID      `json:"product"`
	ProductName   Text           `json:"productName"`
	Kind          string         `json:"kind"`
	Nights        int            `json:"nights"`
	Departure     DepartureID    `json:"departure"`
	DepartureDate terms.Date     `json:"departureDate"`
	Travellers    int            `json:"travellers"`
	Plan          string         `json:"plan"`
	Price         terms.Price    `json:"price"`
	DueNow        money.KRW      `json:"dueNow"`
	Terms         terms.Schedule `json:"terms"`
	SpecialTerms  bool           `json:"specialTerms,omitempty"`
	Consent       *Text          `json:"consent,omitempty"` // to special terms
	Status        Status         `json:"status"`
	Version       int64          `json:"version"`
	Payments      []Payment      `json:"payments,omitempty"`
	DeclineCode   string         `json:"declineCode,omitempty"` // of a REJECTED one: payment's, or the cause
	VoidOrder     VoidStatus     `json:"voidOrder,omitempty"`
	Waiver        *Waiver        `json:"waiver,omitempty"`
	Cancellation  *Cancellation  `json:"cancellation,omitempty"`
	CorrelationID string         `json:"correlationId"`
	CreatedAt     time.Time      `json:"createdAt"`
	History       []Entry        `json:"history"`
}

// Payment is an approved payment of the reservation.
type Payment struct {
	ID       string    `json:"id"`
	Purpose  string    `json:"purpose"`
	Method   string    `json:"method"`
	Amount   money.KRW `json:"amount"`
	Refunded money.KRW `json:"refunded"`
}

// Entry is one line of the history.
type Entry struct {
	Version int64      `json:"version"`
	Kind    string     `json:"kind"`
	From    Status     `json:"from"`
	To      Status     `json:"to"`
	At      time.Time  `json:"at"`
	Actor   string     `json:"actor"`
	Cause   string     `json:"cause"`
	Amount  *money.KRW `json:"amount,omitempty"` // paid, charged as a fee or returned, 0 included
}

// AskedAt is when the seats were asked for, the last time.
func (r *Reservation) AskedAt() time.Time {
	for _, e := range slices.Backward(r.s.History) {
		if e.To == Pending {
			return e.At
		}
	}
	return r.s.CreatedAt
}

// Since is when the present state was entered.
func (r *Reservation) Since() time.Time {
	for _, e := range slices.Backward(r.s.History) {
		if e.Kind == KindTransition {
			return e.At
		}
	}
	return r.s.CreatedAt
}

// ChangedAt is when the last line of the history was written.
func (s Snapshot) ChangedAt() time.Time {
	if len(s.History) == 0 {
		return s.CreatedAt
	}
	return s.History[len(s.History)-1].At
}

// Restore rebuilds a stored reservation; no rule of creation is applied again.
func Restore(s Snapshot) *Reservation { return &Reservation{s: s} }

// Snapshot is the reservation for storage, events and answers.
func (r *Reservation) Snapshot() Snapshot {
	s := r.s
	s.History, s.Payments = slices.Clone(s.History), slices.Clone(s.Payments)
	if s.Cancellation != nil {
		c := *s.Cancellation
		c.Parts = slices.Clone(c.Parts)
		if c.Compensation != nil {
			owed := *c.Compensation
			c.Compensation = &owed
		}
		s.Cancellation = &c
	}
	if s.Waiver != nil {
		w := *s.Waiver
		s.Waiver = &w
	}
	return s
}

// Status of the reservation.
func (r *Reservation) Status() Status { return r.s.Status }

// Confirm follows an approval of the payment due now. Any other amount than exactly that one is an error:
// an unpaid reservation is never established.
func (r *Reservation) Confirm(d *Departure, p Payment, at time.Time) error {
	if p.Amount != r.s.DueNow {
		return fmt.Errorf("reservation %s: approved %d won, due are %d", r.s.ID, p.Amount, r.s.DueNow)
	}
	if err := r.move(d, Confirmed, Entry{At: at, Actor: "payment", Cause: CausePaymentApproved, Amount: &p.Amount}); err != nil {
		return err
	}
	r.s.Payments = append(r.s.Payments, p)
	return nil
}

// Rejection is why a PENDING reservation does not come about.
type Rejection struct {
	Actor       string
	Cause       string
	DeclineCode string // payment's reason; empty: the cause says it
	Void        bool   // payment is ordered to leave nothing charged, whatever it finds
	At          time.Time
}

// Reject gives the seats back.
func (r *Reservation) Reject(d *Departure, why Rejection) error {
	if err := r.move(d, Rejected, Entry{At: why.At, Actor: why.Actor, Cause: why.Cause}); err != nil {
		return err
	}
	r.s.DeclineCode = why.DeclineCode
	if why.DeclineCode == "" {
		r.s.DeclineCode = why.Cause
	}
	if why.Void {
		r.s.VoidOrder = VoidOrdered
	}
	return nil
}

// Withdrawn says whether the customer withdrew the reservation while it was PENDING.
func (r *Reservation) Withdrawn() bool {
	return r.s.Status == Rejected && r.s.History[len(r.s.History)-1].Cause == CauseWithdrawn
}

// NotSent says whether it was rejected because payment was certainly not asked: nothing came of it but "later".
func (r *Reservation) NotSent() bool {
	return r.s.Status == Rejected && r.s.History[len(r.s.History)-1].Cause == CausePaymentNotSent
}

// TripOver says from which instant on a confirmed reservation is completed: seven days after the return date,
// at midnight in Seoul.
func (r *Reservation) TripOver() time.Time {
	back := r.s.DepartureDate.AddDays(r.s.Nights + 7)
	return back.Begin()
}

// Complete ends the story of a trip that took place.
func (r *Reservation) Complete(d *Departure, at time.Time) error {
	if at.Before(r.TripOver()) {
		return fmt.Errorf("reservation %s: completed before %s", r.s.ID, r.TripOver())
	}
	return r.move(d, Completed, Entry{At: at, Actor: "reservation", Cause: CauseTripOver})
}
