package usecase

import (
	"context"

	"oneqtour/apps/payment/domain"
)

// Hint hears that something may have happened to a payment at the provider. Nobody vouches for the hint, so it
// only has the provider asked, at once; an unknown order id changes nothing.
func (s *Service) Hint(ctx context.Context, orderID string) error {
	r, purpose, ok := domain.ParseOrderID(orderID)
	if !ok {
		return nil
	}
	due, err := s.agenda.Hurry(ctx, r, purpose, s.moment().Now)
	if due {
		s.rouse()
	}
	return err
}
