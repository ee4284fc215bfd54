package usecase

import (
	"context"

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
