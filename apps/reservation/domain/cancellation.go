package domain

import (
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Quote is what a cancellation at an instant would cost, in won.
type Quote struct {
	DaysBefore  int               // departure date − the date in Seoul; negative once departed
	FeeRate     money.BasisPoints // of the frozen schedule
	AssessedFee money.KRW         // percentage of the tour price
	Fee         money.KRW         // at most what was paid; the rest is not claimed
	Paid        money.KRW
	Refund      money.KRW
	Parts       []RefundPart // what goes back of each payment, the balance first
}

// RefundPart is what goes back of one payment.
type RefundPart struct {
	RefundID  string     `json:"refundId"` // key towards payment and the provider
	PaymentID string     `json:"paymentId"`
	Purpose   string     `json:"purpose"`
	Method    string     `json:"method"`
	Amount    money.KRW  `json:"amount"`
	Status    PartStatus `json:"status"`
}

// PartStatus is how far a part of a refund has come.
type PartStatus string

// States of a part.
const (
	PartRequested PartStatus = "REQUESTED"
	PartDone      PartStatus = "DONE"
)

// Cancellation is frozen when it is requested; only the state of its parts changes.
type Cancellation struct {
	RequestedAt time.Time         `json:"requestedAt"`
	Actor       string            `json:"actor"`
	Reason      string            `json:"reason"`
	DaysBefore  int               `json:"daysBefore"`
	FeeRate     money.BasisPoints `json:"feeRate"`
	AssessedFee money.KRW         `json:"assessedFee"`
	Fee         money.KRW         `json:"fee"`
	Refund      money.KRW         `json:"refund"`
	Parts       []RefundPart      `json:"parts"`
}

// Quote computes what cancelling at that instant costs, by the schedule that was frozen when the reservation
// was made: fee = min(percentage of the tour price, paid), refund = paid − fee.
func (r *Reservation) Quote(at time.Time) Quote {
	days := terms.DateOf(at).DaysUntil(r.s.DepartureDate)
	q := Quote{DaysBefore: days, FeeRate: r.s.Terms.RateAt(days)}
	for _, p := range r.s.Payments {
		q.Paid += p.Amount - p.Refunded
	}
	q.AssessedFee = r.s.Price.Payable.Part(q.FeeRate)
	q.Fee = min(q.AssessedFee, q.Paid)
	q.Refund = q.Paid - q.Fee
	left := q.Refund
	for i := len(r.s.Payments) - 1; i >= 0 && left > 0; i-- {
		p := r.s.Payments[i]
		part := min(left, p.Amount-p.Refunded)
		left -= part
		q.Parts = append(q.Parts, RefundPart{
			PaymentID: p.ID, Purpose: p.Purpose, Method: p.Method, Amount: part, Status: PartRequested,
		})
	}
	return q
}

// Cancelling is a customer's wish to cancel.
type Cancelling struct {
	Actor       string
	Reason      string
	ExpectedFee *money.KRW    // what the customer was shown
	NewID       func() string // ids of refunds
	At          time.Time
}

// RequestCancellation frees the seats at once and freezes fee and refund. A reservation that owes no refund is
// CANCELLED in the same step; a PENDING one is withdrawn: REJECTED with a void order.
// Refusals: NOT_CANCELLABLE, TOO_LATE (the departure date has ended), FEE_CHANGED.
func (r *Reservation) RequestCancellation(d *Departure, c Cancelling) error {
	switch r.s.Status {
	case Pending:
		return r.Reject(d, Rejection{Actor: c.Actor, Cause: CauseWithdrawn, Void: true, At: c.At})
	case Confirmed:
	default:
		return ErrNotCancellable
	}
	q := r.Quote(c.At)
	if q.DaysBefore < 0 {
		return ErrTooLate
	}
	if c.ExpectedFee != nil && *c.ExpectedFee != q.Fee {
		return ErrFeeChanged
	}
	for i := range q.Parts {
		q.Parts[i].RefundID = c.NewID()
	}
	r.s.Cancellation = &Cancellation{
		RequestedAt: c.At, Actor: c.Actor, Reason: c.Reason, DaysBefore: q.DaysBefore, FeeRate: q.FeeRate,
		AssessedFee: q.AssessedFee, Fee: q.Fee, Refund: q.Refund, Parts: q.Parts,
	}
	if err := r.move(d, CancelRequested, Entry{At: c.At, Actor: c.Actor, Cause: CauseCustomer, Amount: &q.Fee}); err != nil {
		return err
	}
	if q.Refund == 0 {
		return r.move(d, Cancelled, Entry{At: c.At, Actor: "reservation", Cause: CauseNothingToRefund})
	}
	return nil
}

// PartRefunded notes that a part of the refund has reached the customer; when it was the last one, the
// reservation is CANCELLED. It says whether anything changed: hearing it again changes nothing.
func (r *Reservation) PartRefunded(d *Departure, refundID string, at time.Time) (bool, error) {
	if r.s.Status != CancelRequested {
		return false, nil
	}
	open, found := 0, false
	for i := range r.s.Cancellation.Parts {
		part := &r.s.Cancellation.Parts[i]
		if part.RefundID == refundID && part.Status != PartDone {
			part.Status, found = PartDone, true
			for j := range r.s.Payments {
				if r.s.Payments[j].ID == part.PaymentID {
					r.s.Payments[j].Refunded += part.Amount
				}
			}
		}
		if part.Status != PartDone {
			open++
		}
	}
	if !found {
		return false, nil
	}
	if open > 0 {
		r.s.Version++
		return true, nil
	}
	return true, r.move(d, Cancelled, Entry{At: at, Actor: "payment", Cause: CauseRefunded, Amount: &r.s.Cancellation.Refund})
}
