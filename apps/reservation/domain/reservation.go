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

// Wish is what a customer asks for.
type Wish struct {
	ID                    ReservationID
	Customer              string
	Travellers            int
	Plan                  string
	ExpectedPrice         *money.KRW // payable, as the customer saw it
	AcceptedPolicyVersion string
	CorrelationID         string
	At                    time.Time
}

// Reserve holds the seats and makes a PENDING reservation at the product's present price and terms.
// Refusals: DISCONTINUED, DEPARTURE_CLOSED, TOO_LATE, PLAN_NOT_OFFERED, CONSENT_REQUIRED, PRICE_CHANGED,
// TERMS_CHANGED, SOLD_OUT.
func Reserve(w Wish, p TourProduct, d *Departure) (*Reservation, error) {
	s, err := freeze(w, p, d)
	if err != nil {
		return nil, err
	}
	r := &Reservation{s}
	return r, r.move(d, Pending, Entry{At: w.At, Actor: w.Customer, Cause: CauseReserved})
}

// Reopen is Reserve for an id whose reservation was rejected because payment was certainly not asked. A payer
// has authenticated that id, so the customer must be able to come back with it. It stays the same reservation
// with one history, so that its versions go on and no view takes the new state for an old one; price and terms
// are those of now. ID_TAKEN: another's, another departure's, or rejected for any other reason.
func (r *Reservation) Reopen(w Wish, p TourProduct, d *Departure) error {
	if r.s.Customer != w.Customer || r.s.Departure != d.id || r.s.Status != Rejected || r.VoidOrder() ||
		r.s.History[len(r.s.History)-1].Cause != CausePaymentNotSent {
		return ErrIDTaken
	}
	s, err := freeze(w, p, d)
	if err != nil {
		return err
	}
	s.Status, s.Version, s.History, s.CreatedAt = r.s.Status, r.s.Version, r.s.History, r.s.CreatedAt
	r.s = s
	return r.move(d, Pending, Entry{At: w.At, Actor: w.Customer, Cause: CauseReserved})
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

// freeze works out what a reservation made now would be.
func freeze(w Wish, p TourProduct, d *Departure) (Snapshot, error) {
	today := terms.DateOf(w.At)
	price := terms.PriceOf(p.Price, p.DiscountRate, w.Travellers)
	schedule := p.Schedule(today)
	if w.Plan != PlanFull || price.Payable < MinCharge {
		return Snapshot{}, ErrPlanNotOffered
	}
	if p.SpecialTerms != nil && w.AcceptedPolicyVersion == "" {
		return Snapshot{}, ErrConsentRequired
	}
	if p.Discontinued {
		return Snapshot{}, ErrDiscontinued
	}
	open := d.accepts(w.Travellers, today)
	if open != nil && !ErrSoldOut.Is(open) {
		return Snapshot{}, open
	}
	if w.ExpectedPrice != nil && *w.ExpectedPrice != price.Payable {
		return Snapshot{}, ErrPriceChanged.With("price", price.Payable)
	}
	if w.AcceptedPolicyVersion != "" && w.AcceptedPolicyVersion != schedule.Version {
		return Snapshot{}, ErrTermsChanged
	}
	if open != nil {
		return Snapshot{}, open
	}
	return Snapshot{
		ID: w.ID, Customer: w.Customer, MDID: p.MDID, Product: p.ID, ProductName: p.Name, Kind: p.Kind, Nights: p.Nights,
		Departure: d.id, DepartureDate: d.date, Travellers: w.Travellers, Plan: w.Plan,
		Price: price, DueNow: price.Payable, Terms: schedule, SpecialTerms: p.SpecialTerms != nil, Consent: p.SpecialConsent,
		CorrelationID: w.CorrelationID, CreatedAt: w.At,
	}, nil
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
