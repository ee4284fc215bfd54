package usecase

import (
	"context"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/payment/domain"
)

// RefundOf is a refund with what it belongs to.
type RefundOf struct {
	Payment     domain.PaymentID
	Reservation domain.ReservationID
	Purpose     domain.Purpose
	Refund      domain.Refund
}

// How many refunds a page holds.
const (
	refundsPerPage = 20
	mostRefunds    = 100
)

// Refunds lists the refunds that stand so, oldest first, and where the next page begins: nowhere when it is
// empty. limit 0 is 20. fault.Invalid.
func (s *Service) Refunds(ctx context.Context, status domain.RefundStatus, after domain.RefundID, limit int) ([]RefundOf, domain.RefundID, error) {
	if limit == 0 {
		limit = refundsPerPage
	}
	var wrong fault.Fields
	wrong.Check(status.Valid(), "status", fault.NotAllowed, "REQUESTED, DONE, STUCK")
	wrong.Check(after == "" || after.Valid(), "after", fault.BadFormat, "")
	wrong.Check(limit >= 1 && limit <= mostRefunds, "limit", fault.OutOfRange, "1..100")
	if err := wrong.Err(); err != nil {
		return nil, "", err
	}
	found, err := s.books.Refunds(ctx, status, after, limit+1)
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	return found[:limit], found[limit-1].Refund.ID, nil
}

// RetryRefund has the provider asked again, at once, for a stuck refund. fault.Invalid, domain.ErrNotFound,
// domain.ErrNotStuck.
func (s *Service) RetryRefund(ctx context.Context, id domain.RefundID, actor string) (RefundOf, error) {
	return s.onRefund(ctx, id, func(p *domain.Payment, m domain.Moment) error { return p.Retry(id, actor, m) })
}

// SettleRefund records that a stuck refund was paid by bank transfer. fault.Invalid, domain.ErrNotFound,
// domain.ErrNotStuck.
func (s *Service) SettleRefund(ctx context.Context, id domain.RefundID, reference, actor string) (RefundOf, error) {
	return s.onRefund(ctx, id, func(p *domain.Payment, m domain.Moment) error { return p.Settle(id, reference, actor, m) })
}

func (s *Service) onRefund(ctx context.Context, id domain.RefundID, do func(*domain.Payment, domain.Moment) error) (RefundOf, error) {
	payment, err := s.books.OfRefund(ctx, id)
	if err != nil {
		return RefundOf{}, err
	}
	m := s.moment()
	p, err := s.payments.Update(ctx, payment, s.change(ctx, m, func(p *domain.Payment) error { return do(p, m) }))
	if err != nil {
		return RefundOf{}, err
	}
	s.committed(ctx, p, m)
	now := p.Snapshot()
	of := RefundOf{Payment: now.ID, Reservation: now.Reservation, Purpose: now.Purpose}
	for _, r := range now.Refunds {
		if r.ID == id {
			of.Refund = r
		}
	}
	return of, nil
}
