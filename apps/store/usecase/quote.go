package usecase

import (
	"context"

	"oneqtour/apps/store/domain"
)

// Quote says what a reservation made now would cost. Refusals, in this order: Invalid, NotFound,
// PlanNotOffered, DepartureClosed, TooLate.
func (s *Service) Quote(ctx context.Context, id domain.ProductID, wish domain.Wish) (domain.Quote, error) {
	if err := wish.Check(); err != nil {
		return domain.Quote{}, err
	}
	item, err := s.items.Find(ctx, id)
	if err != nil {
		return domain.Quote{}, err
	}
	return item.Quote(wish, s.Today())
}
