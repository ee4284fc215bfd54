package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/product/domain"
)

// ClosureReport is a closure and how far its reservations are settled, as far as this service has heard.
type ClosureReport struct {
	domain.Closure
	domain.ClosureProgress
}

// CloseDeparture says that a departure of the MD's product will not take place. Reservation, which hears of
// it, cancels what was reserved. For the same reason once more is no error and no news.
// Refusals: Invalid, NotFound, DepartureClosed (for another reason), TooLate.
func (s *Service) CloseDeparture(ctx context.Context, md domain.MDID, id domain.ProductID, departure domain.DepartureID,
	reason domain.ClosureReason, note string,
) (ClosureReport, error) {
	if err := domain.CheckClosure(reason, note); err != nil {
		return ClosureReport{}, err
	}
	on := s.occasion()
	product, err := s.change(ctx, md, id, contract.ProductDepartureClosed, on, func(p *domain.TourProduct) (bool, error) {
		return p.CloseDeparture(departure, reason, note, on.At)
	})
	if err != nil {
		return ClosureReport{}, err
	}
	return s.report(ctx, product, departure)
}

// FindClosure reports on a closed departure of the MD's product. fault.NotFound.
func (s *Service) FindClosure(ctx context.Context, md domain.MDID, id domain.ProductID, departure domain.DepartureID) (ClosureReport, error) {
	product, err := s.products.Find(ctx, id)
	if err != nil {
		return ClosureReport{}, err
	}
	if !product.OwnedBy(md) {
		return ClosureReport{}, fault.New(fault.NotFound)
	}
	return s.report(ctx, product, departure)
}

func (s *Service) report(ctx context.Context, product *domain.TourProduct, departure domain.DepartureID) (ClosureReport, error) {
	closure, err := product.ClosureOf(departure)
	if err != nil {
		return ClosureReport{}, err
	}
	progress, err := s.inbox.Progress(ctx, departure, closure.ClosedAt)
	return ClosureReport{closure, progress}, err
}
