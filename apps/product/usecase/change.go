package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/product/domain"
)

// change lets apply change the MD's own product and stores what has changed with the event that tells of it.
func (s *Service) change(ctx context.Context, md domain.MDID, id domain.ProductID, event string, on domain.Occasion,
	apply func(p *domain.TourProduct) (changed bool, err error),
) (*domain.TourProduct, error) {
	tell := s.tell(ctx, event, md, on)
	var product *domain.TourProduct
	err := s.products.Update(ctx, id, func(p *domain.TourProduct) (*contract.Event, error) {
		product = p
		if !p.OwnedBy(md) {
			return nil, fault.New(fault.NotFound)
		}
		changed, err := apply(p)
		if err != nil || !changed {
			return nil, err
		}
		said, err := tell(p)
		return &said, err
	})
	if err != nil {
		return nil, err
	}
	s.stored()
	return product, nil
}
