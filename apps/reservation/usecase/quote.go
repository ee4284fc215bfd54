package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
)

// Quote says what cancelling now would cost; NOT_FOUND for another's reservation, NOT_CANCELLABLE and TOO_LATE
// as Cancel would.
func (s *Service) Quote(ctx context.Context, customer string, id domain.ReservationID) (QuoteAnswer, error) {
	r, err := s.FindOwn(ctx, customer, id)
	if err != nil {
		return QuoteAnswer{}, err
	}
	if r.Status() != domain.Confirmed && r.Status() != domain.Pending {
		return QuoteAnswer{}, domain.ErrNotCancellable
	}
	now, snap := s.now(), r.Snapshot()
	offer, err := s.catalogue.Look(ctx, snap.Product, snap.Departure) // the supplier may have closed it
	if err != nil {
		return QuoteAnswer{}, err
	}
	q := r.Quote(offer.Departure, now)
	if q.DaysBefore < 0 {
		return QuoteAnswer{}, domain.ErrTooLate
	}
	return quoteAnswer(r, q, now), nil
}

// QuoteAnswer is what cancelling now would cost, amounts in won.
type QuoteAnswer struct {
	AsOf        time.Time         `json:"asOf"`
	DaysBefore  int               `json:"daysBefore"`
	FeeRate     money.BasisPoints `json:"feeRate"`
	AssessedFee money.KRW         `json:"assessedFee"`
	Fee         money.KRW         `json:"fee"`
	Paid        money.KRW         `json:"paid"`
	Refund      money.KRW         `json:"refund"`
	Parts       []QuotePart       `json:"parts"`
	// Compensation is what the supplier owes who has closed the departure; absent: nothing.
	Compensation money.KRW    `json:"compensation,omitempty"`
	Policy       PolicyAnswer `json:"policy"`
	ValidUntil   time.Time    `json:"validUntil"` // the next midnight in Seoul
}

// QuotePart is what would go back of one payment.
type QuotePart struct {
	Purpose string    `json:"purpose"`
	Method  string    `json:"method"`
	Amount  money.KRW `json:"amount"`
}

func quoteAnswer(r *domain.Reservation, q domain.Quote, now time.Time) QuoteAnswer {
	s := r.Snapshot()
	a := QuoteAnswer{
		AsOf: now, DaysBefore: q.DaysBefore, FeeRate: q.FeeRate, AssessedFee: q.AssessedFee, Fee: q.Fee, Paid: q.Paid,
		Refund: q.Refund, Parts: []QuotePart{}, Compensation: q.Compensation,
		Policy: policyAnswer(s.Terms, s.SpecialTerms, s.Consent), ValidUntil: terms.DateOf(now).AddDays(1).Begin(),
	}
	for _, p := range q.Parts {
		a.Parts = append(a.Parts, QuotePart{Purpose: p.Purpose, Method: p.Method, Amount: p.Amount})
	}
	return a
}

// PolicyAnswer is a cancellation policy in full, as store's quote shows it.
type PolicyAnswer struct {
	Type    string         `json:"type"` // terms.Standard, terms.Special
	Version string         `json:"version"`
	Tiers   []terms.Tier   `json:"tiers"`
	Consent *contract.Text `json:"consent,omitempty"`
}

func policyAnswer(s terms.Schedule, special bool, consent *domain.Text) PolicyAnswer {
	a := PolicyAnswer{Type: terms.Standard, Version: s.Version, Tiers: s.Tiers}
	if special {
		a.Type, a.Consent = terms.Special, (*contract.Text)(consent)
	}
	return a
}
