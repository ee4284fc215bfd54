package domain

import (
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Quote is what a cancellation at an instant would cost, in won.
type Quote struct {
	DaysBefore   int               // departure date − the date in Seoul; negative once departed
	FeeRate      money.BasisPoints // of the frozen schedule
	AssessedFee  money.KRW         // percentage of the tour price
	Fee          money.KRW         // at most what was paid; the rest is not claimed
	Paid         money.KRW
	Refund       money.KRW
	Parts        []RefundPart // what goes back of each payment, the balance first
	Compensation money.KRW    // that the supplier owes for having closed the departure
}

// Cancellation is frozen when it is requested. Afterwards the state of its parts changes, and a waiver that is
// granted later moves money from the fee to the refund.
type Cancellation struct {
	RequestedAt  time.Time         `json:"requestedAt"`
	Actor        string            `json:"actor"`
	Cause        string            `json:"cause,omitempty"`
	Reason       string            `json:"reason"`
	DaysBefore   int               `json:"daysBefore"`
	FeeRate      money.BasisPoints `json:"feeRate"`
	AssessedFee  money.KRW         `json:"assessedFee"`
	Fee          money.KRW         `json:"fee"`
	Refund       money.KRW         `json:"refund"`
	Compensation *Compensation     `json:"compensation,omitempty"`
	Savings      string            `json:"savings,omitempty"` // what becomes of the savings account: KEEP, CLOSE
	Parts        []RefundPart      `json:"parts"`
}

// Quote computes what cancelling at that instant costs, by the schedule that was frozen when the reservation
// was made: fee = min(percentage of the tour price, paid), less what a granted waiver takes off; refund = paid − fee.
// Of a departure that its supplier has closed, it is what the closure gives.
func (r *Reservation) Quote(d *Departure, at time.Time) Quote {
	if d.closure != nil {
		return r.quoteClosed(*d.closure)
	}
	days := terms.DateOf(at).DaysUntil(r.s.DepartureDate)
	return r.quote(days, r.s.Terms.RateAt(days))
}

func (r *Reservation) quote(days int, rate money.BasisPoints) Quote {
	q := Quote{DaysBefore: days, FeeRate: rate, AssessedFee: r.s.Price.Payable.Part(rate)}
	for _, p := range r.s.Payments {
		q.Paid += p.Amount
	}
	q.Fee = r.feeAfter(min(q.AssessedFee, q.Paid))
	q.Refund = q.Paid - q.Fee
	q.Parts = r.share(q.Refund, "", nil)
	return q
}

// quoteClosed is by the closure's date, not by now, so that a late worker owes nobody more or less.
func (r *Reservation) quoteClosed(c Closure) Quote {
	q := r.quote(c.ClosedOn.DaysUntil(r.s.DepartureDate), 0)
	if r.s.Status == Confirmed {
		q.Compensation = r.compensation(c)
	}
	return q
}

// Cancelling is a customer's wish to cancel.
type Cancelling struct {
	Actor       string
	Reason      string
	ExpectedFee *money.KRW    // what the customer was shown
	Waiver      WaiverReason  // claimed; empty: none
	Savings     string        // KEEP, CLOSE; empty: no choice
	NewID       func() string // ids of refunds
	At          time.Time
}

// RequestCancellation frees the seats at once and freezes fee and refund; a claimed waiver waits for an operator
// and the fee is taken meanwhile. A reservation that owes no refund is CANCELLED in the same step; a PENDING one
// is withdrawn: REJECTED with a void order. When the supplier has closed the departure, that is what ends it, also
// when the customer comes before the worker does; the fee that he expects does not matter then.
// Refusals: NOT_CANCELLABLE, TOO_LATE (the departure date has ended), FEE_CHANGED.
func (r *Reservation) RequestCancellation(d *Departure, c Cancelling) error {
	if ended, err := r.CloseDeparture(d, c.NewID, c.At); ended || err != nil {
		if r.s.Cancellation != nil {
			r.s.Cancellation.Savings = c.Savings
		}
		return err
	}
	switch r.s.Status {
	case Pending:
		return r.Reject(d, Rejection{Actor: c.Actor, Cause: CauseWithdrawn, Void: true, At: c.At})
	case Confirmed:
	default:
		return ErrNotCancellable
	}
	q := r.Quote(d, c.At)
	if q.DaysBefore < 0 {
		return ErrTooLate
	}
	if c.ExpectedFee != nil && *c.ExpectedFee != q.Fee {
		return ErrFeeChanged
	}
	return r.cancel(d, q, Cancellation{RequestedAt: c.At, Actor: c.Actor, Cause: CauseCustomer, Reason: c.Reason, Savings: c.Savings}, c.NewID, func() {
		if c.Waiver != "" {
			r.claimWaiver(c.Waiver, c.Actor, c.At)
		}
	})
}

// cancel freezes a quote, frees the seats, notes what else belongs to it, and ends at once when nothing goes back.
func (r *Reservation) cancel(d *Departure, q Quote, c Cancellation, newID func() string, besides func()) error {
	for i := range q.Parts {
		q.Parts[i].RefundID = newID()
	}
	c.DaysBefore, c.FeeRate, c.AssessedFee, c.Fee, c.Refund, c.Parts = q.DaysBefore, q.FeeRate, q.AssessedFee, q.Fee, q.Refund, q.Parts
	r.s.Cancellation = &c
	fee := q.Fee
	if err := r.move(d, CancelRequested, Entry{At: c.RequestedAt, Actor: c.Actor, Cause: c.Cause, Amount: &fee}); err != nil {
		return err
	}
	besides()
	if len(q.Parts) == 0 {
		return r.move(d, Cancelled, Entry{At: c.RequestedAt, Actor: "reservation", Cause: CauseNothingToRefund})
	}
	return nil
}

// NoShow records that the travellers did not come: the fee of the departure day, however late it is recorded. Nobody
// comes to a departure that its supplier has closed: that ends as a closure does.
// It says whether that is news. Refusals: TOO_EARLY (before the departure date), NOT_CANCELLABLE.
func (r *Reservation) NoShow(d *Departure, actor string, newID func() string, at time.Time) (bool, error) {
	if c := r.s.Cancellation; c != nil && c.Cause == CauseNoShow {
		return false, nil
	}
	if r.s.Status != Confirmed {
		return false, ErrNotCancellable
	}
	if terms.DateOf(at) < r.s.DepartureDate {
		return false, ErrTooEarly
	}
	if ended, err := r.CloseDeparture(d, newID, at); ended || err != nil {
		return ended, err
	}
	c := Cancellation{RequestedAt: at, Actor: actor, Cause: CauseNoShow, Reason: CauseNoShow}
	return true, r.cancel(d, r.quote(0, r.s.Terms.RateAt(0)), c, newID, func() {})
}

// CloseDeparture ends a reservation of a departure that its supplier has closed: a PENDING one is REJECTED with a
// void order, a CONFIRMED one cancelled without a fee, with all that was paid and the compensation. It says
// whether there was anything to end: one that is already cancelling keeps its terms.
func (r *Reservation) CloseDeparture(d *Departure, newID func() string, at time.Time) (bool, error) {
	if d.closure == nil {
		return false, nil
	}
	switch r.s.Status {
	case Pending:
		return true, r.Reject(d, Rejection{Actor: r.s.MDID, Cause: CauseDepartureClosed, Void: true, At: at})
	case Confirmed:
		q := r.quoteClosed(*d.closure)
		c := Cancellation{RequestedAt: at, Actor: r.s.MDID, Cause: CauseDepartureClosed, Reason: d.closure.Reason}
		return true, r.cancel(d, q, c, newID, func() { r.owe(q.Compensation, d.closure.Reason, at) })
	}
	return false, nil
}
