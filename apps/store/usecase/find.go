package usecase

import (
	"context"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/store/domain"
)

// Find reads a displayed item, a hidden one included. fault.NotFound, also when it was withdrawn.
func (s *Service) Find(ctx context.Context, id domain.ProductID) (*domain.DisplayItem, error) {
	item, err := s.items.Find(ctx, id)
	if err != nil {
		return nil, err
	}
	if !item.Displayed() {
		return nil, fault.New(fault.NotFound)
	}
	return item, nil
}

// List reads a page of what is listed.
func (s *Service) List(ctx context.Context, search Search) ([]*domain.DisplayItem, *Place, error) {
	search.Today = s.Today()
	return s.items.List(ctx, search)
}
