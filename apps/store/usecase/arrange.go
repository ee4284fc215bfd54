package usecase

import (
	"context"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/store/domain"
)

// Arrangement is how an MD wants an item displayed; what is not set stays as it is.
type Arrangement struct {
	Hidden   *bool
	Position **int // set to nil: no place of its own any more
}

// Arrange hides the MD's item, shows it, or gives it a place. Refusals: Invalid, NotFound (also for another
// MD's product, and for one that was withdrawn).
func (s *Service) Arrange(ctx context.Context, md domain.MDID, id domain.ProductID, a Arrangement) (*domain.DisplayItem, error) {
	if a.Position != nil {
		if err := domain.CheckPosition(*a.Position); err != nil {
			return nil, err
		}
	}
	var arranged *domain.DisplayItem
	err := s.items.Update(ctx, id, func(item *domain.DisplayItem) (bool, error) {
		arranged = item
		if !item.OwnedBy(md) || !item.Displayed() {
			return false, fault.New(fault.NotFound)
		}
		if a.Hidden != nil {
			item.Hide(*a.Hidden)
		}
		if a.Position != nil {
			item.Place(*a.Position)
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return arranged, nil
}
