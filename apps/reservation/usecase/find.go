package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
)

// FindOwn is a customer's own reservation; another's is NOT_FOUND.
func (s *Service) FindOwn(ctx context.Context, customer string, id domain.ReservationID) (*domain.Reservation, error) {
	r, err := s.reservations.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if r.Snapshot().Customer != customer {
		return nil, domain.ErrNotFound
	}
	return r, nil
}

// ListOwn lists a customer's reservations, the newest first.
func (s *Service) ListOwn(ctx context.Context, customer string, page Page) ([]*domain.Reservation, error) {
	return s.reservations.ListOf(ctx, customer, page)
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
	Policy      terms.Schedule    `json:"policy"`
	ValidUntil  time.Time         `json:"validUntil"` // the next midnight in Seoul
}

// QuotePart is what would go back of one payment.
type QuotePart struct {
	Purpose string    `json:"purpose"`
	Method  string    `json:"method"`
	Amount  money.KRW `json:"amount"`
}

func quoteAnswer(r *domain.Reservation, q domain.Quote, now time.Time) QuoteAnswer {
	a := QuoteAnswer{
		AsOf: now, DaysBefore: q.DaysBefore, FeeRate: q.FeeRate, AssessedFee: q.AssessedFee, Fee: q.Fee, Paid: q.Paid,
		Refund: q.Refund, Parts: []QuotePart{}, Policy: r.Snapshot().Terms, ValidUntil: terms.DateOf(now).AddDays(1).Begin(),
	}
	for _, p := range q.Parts {
		a.Parts = append(a.Parts, QuotePart{Purpose: p.Purpose, Method: p.Method, Amount: p.Amount})
	}
	return a
}
