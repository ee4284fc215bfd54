package usecase

import (
	"context"

	"oneqtour/apps/product/domain"
)

// Find reads a product, whatever its state. fault.NotFound.
func (s *Service) Find(ctx context.Context, id domain.ProductID) (*domain.TourProduct, error) {
	return s.products.Find(ctx, id)
}

// ListOf reads an MD's own products, the newest first, discontinued ones included.
func (s *Service) ListOf(ctx context.Context, md domain.MDID, before domain.ProductID, limit int) ([]*domain.TourProduct, error) {
	return s.products.ListOf(ctx, md, before, limit)
}
