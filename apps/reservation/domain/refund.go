package domain

import (
	"time"

	"oneqtour/apps/internal/money"
)

// RefundPart is what goes back of one payment for one cause.
type RefundPart struct {
	RefundID  string     `json:"refundId"` // key towards payment and the provider
	PaymentID string     `json:"paymentId"`
	Purpose   string     `json:"purpose"`
	Method    string     `json:"method"`
	Cause     string     `json:"cause,omitempty"` // empty: the cancellation; PartOfWaiver
	Amount    money.KRW  `json:"amount"`
	Status    PartStatus `json:"status"`
}

// PartOfWaiver is the cause of a part by a waiver that was granted after the cancellation.
const PartOfWaiver = "WAIVER"

// PartStatus is how far a part of a refund has come.
type PartStatus string

// States of a part.
const (
	PartRequested PartStatus = "REQUESTED"
	PartStuck     PartStatus = "STUCK" // refused for good: an operator retries or settles it
	PartDone      PartStatus = "DONE"
)

// RefundsOpen says whether a part of the refund is not done.
func (r *Reservation) RefundsOpen() bool {
	if r.s.Cancellation == nil {
		return false
	}
	for _, p := range r.s.Cancellation.Parts {
		if p.Status != PartDone {
			return true
		}
	}
	return false
}

// RefundIsNews says whether it is not noted yet that a part of the refund is DONE or STUCK.
func (r *Reservation) RefundIsNews(refundID string, status PartStatus) bool {
	part := r.part(refundID)
	return part != nil && part.Status != PartDone && part.Status != status
}

// RefundDone notes that a part of the refund has reached the customer; when it was the last one, the
// reservation is CANCELLED. It says whether anything changed: hearing it again changes nothing.
func (r *Reservation) RefundDone(d *Departure, refundID string, at time.Time) (bool, error) {
	return r.returned(d, refundID, Entry{Kind: KindRefundDone, At: at, Actor: "payment"})
}

// RefundSettled is RefundDone for a part that an operator has paid by bank transfer.
func (r *Reservation) RefundSettled(d *Departure, refundID, actor string, at time.Time) (bool, error) {
	return r.returned(d, refundID, Entry{Kind: KindRefundSettled, At: at, Actor: actor})
}

// RefundStuck notes that a part of the refund was refused for good; it says whether that is news.
func (r *Reservation) RefundStuck(refundID string, at time.Time) bool {
	part := r.part(refundID)
	if part == nil || part.Status != PartRequested {
		return false
	}
	part.Status = PartStuck
	r.note(KindRefundStuck, Entry{At: at, Actor: "payment", Cause: part.cause(), Amount: &part.Amount})
	return true
}

func (r *Reservation) part(refundID string) *RefundPart {
	if r.s.Cancellation == nil {
		return nil
	}
	for i := range r.s.Cancellation.Parts {
		if r.s.Cancellation.Parts[i].RefundID == refundID {
			return &r.s.Cancellation.Parts[i]
		}
	}
	return nil
}

func (p *RefundPart) cause() string {
	if p.Cause == "" {
		return "CANCELLATION"
	}
	return p.Cause
}

// returned is written once, with one line in the history: e.Kind says how the money came back.
func (r *Reservation) returned(d *Departure, refundID string, e Entry) (bool, error) {
	part := r.part(refundID)
	if part == nil || part.Status == PartDone {
		return false, nil
	}
	part.Status = PartDone
	for i := range r.s.Payments {
		if r.s.Payments[i].ID == part.PaymentID {
			r.s.Payments[i].Refunded += part.Amount
		}
	}
	e.Cause, e.Amount = part.cause(), &part.Amount
	r.note(e.Kind, e)
	return true, r.refunded(d, e.At)
}

// refunded ends a cancellation whose parts are all done.
func (r *Reservation) refunded(d *Departure, at time.Time) error {
	if r.s.Status != CancelRequested || r.RefundsOpen() {
		return nil
	}
	total := r.s.Cancellation.Refund
	return r.move(d, Cancelled, Entry{At: at, Actor: "payment", Cause: CauseRefunded, Amount: &total})
}

// JustCancelled says whether the end of the cancellation is the last that happened.
func (r *Reservation) JustCancelled() bool {
	last := r.s.History[len(r.s.History)-1]
	return last.Kind == KindTransition && last.To == Cancelled
}

// share divides what goes back over the payments, the latest first: the balance before the deposit. Of no
// payment more goes back than is left of it after the parts that there are.
func (r *Reservation) share(refund money.KRW, cause string, there []RefundPart) (parts []RefundPart) {
	for i := len(r.s.Payments) - 1; i >= 0 && refund > 0; i-- {
		p := r.s.Payments[i]
		left := p.Amount
		for _, part := range there {
			if part.PaymentID == p.ID {
				left -= part.Amount
			}
		}
		if amount := min(refund, left); amount > 0 {
			refund -= amount
			parts = append(parts, RefundPart{PaymentID: p.ID, Purpose: p.Purpose, Method: p.Method, Cause: cause, Amount: amount, Status: PartRequested})
		}
	}
	return parts
}
