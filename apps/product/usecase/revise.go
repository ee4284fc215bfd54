package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// Revise replaces the product, of which the MD has seen the given version, by the draft.
// Refusals, in this order: Invalid for what is wrong with the draft itself, NotFound (also another MD's
// product), Discontinued, Stale, Invalid for what does not fit the product.
func (s *Service) Revise(ctx context.Context, md domain.MDID, id domain.ProductID, seen int64, draft domain.Draft) (*domain.TourProduct, error) {
	if err := draft.Check(); err != nil {
		return nil, err
	}
	on := s.occasion()
	return s.change(ctx, md, id, contract.ProductRevised, on, func(p *domain.TourProduct) (bool, error) {
		return true, p.Revise(draft, seen, on)
	})
}
