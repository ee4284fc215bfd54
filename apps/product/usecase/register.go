package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// Register stores a new product of the MD and tells the others. fault.Invalid.
func (s *Service) Register(ctx context.Context, md domain.MDID, draft domain.Draft) (*domain.TourProduct, error) {
	on := s.occasion()
	product, err := domain.Register(domain.ProductID(s.newID()), md, draft, on)
	if err != nil {
		return nil, err
	}
	said, err := s.tell(ctx, contract.ProductRegistered, md, on)(product)
	if err != nil {
		return nil, err
	}
	if err := s.products.Add(ctx, product, said); err != nil {
		return nil, err
	}
	s.stored()
	return product, nil
}
