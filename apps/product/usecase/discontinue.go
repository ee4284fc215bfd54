package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// Discontinue takes the MD's product off the market for good; once more is no error and no news.
// fault.NotFound, also for another MD's product.
func (s *Service) Discontinue(ctx context.Context, md domain.MDID, id domain.ProductID) error {
	_, err := s.change(ctx, md, id, contract.ProductDiscontinued, s.occasion(), func(p *domain.TourProduct) (bool, error) {
		return p.Discontinue(), nil
	})
	return err
}
