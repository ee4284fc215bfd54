package domain

import (
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

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
// are those of now. ID_TAKEN: another's, another departure's, or rejected for any other reason. BUSY: it was tried
// mostAttempts times; the history is kept for good and goes with every event, so it does not grow for ever.
func (r *Reservation) Reopen(w Wish, p TourProduct, d *Departure) error {
	if r.s.Customer != w.Customer || r.s.Departure != d.id || r.VoidOrder() || !r.NotSent() {
		return ErrIDTaken
	}
	if r.attempts() >= mostAttempts {
		return ErrTooOften.With("reservationId", string(r.s.ID)).After(time.Minute)
	}
	s, err := freeze(w, p, d)
	if err != nil {
		return err
	}
	s.Status, s.Version, s.History, s.CreatedAt = r.s.Status, r.s.Version, r.s.History, r.s.CreatedAt
	r.s = s
	return r.move(d, Pending, Entry{At: w.At, Actor: w.Customer, Cause: CauseReserved})
}

// mostAttempts is how often an id can be tried.
const mostAttempts = 10

// attempts is how often the seats were asked for.
func (r *Reservation) attempts() (n int) {
	for _, e := range r.s.History {
		if e.To == Pending {
			n++
		}
	}
	return n
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
