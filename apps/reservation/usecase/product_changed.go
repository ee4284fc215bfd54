package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
)

// ProductChanged follows product's events into reservation's own copy: the newer version wins, a discontinued
// product stays discontinued, and each departure that opened, changed its capacity or closed is announced
// with its totals.
func (s *Service) ProductChanged(ctx context.Context, e contract.Event) error {
	switch e.Type {
	case contract.ProductRegistered, contract.ProductRevised, contract.ProductDiscontinued, contract.ProductDepartureClosed:
	default:
		return nil
	}
	said, err := contract.Decode[contract.Product](e)
	if err != nil {
		return err
	}
	if err := check(said); err != nil {
		return err
	}
	now := s.now()
	err = s.catalogue.Follow(ctx, domain.ProductID(said.ProductID),
		func(known *domain.TourProduct, departures map[domain.DepartureID]*domain.Departure) (Followed, error) {
			if known != nil && known.Version >= said.Version {
				return Followed{}, nil
			}
			product := copyOf(said)
			followed := Followed{Product: &product}
			for _, open := range said.Departures {
				d, changed := follow(departures[domain.DepartureID(open.DepartureID)], product.ID, open)
				if !changed {
					continue
				}
				messages, err := s.departureChanged(ctx, now, d, said.Meta, e.ID)
				if err != nil {
					return Followed{}, err
				}
				followed.Departures = append(followed.Departures, d)
				followed.Messages = append(followed.Messages, messages...)
			}
			return followed, nil
		})
	if err == nil {
		s.committed()
	}
	return err
}

// check refuses events that no product of ours can have sent.
func check(p contract.Product) error {
	if p.ProductID == "" || p.Version < 1 {
		return fault.New(fault.Malformed)
	}
	for _, d := range p.Departures {
		if _, err := terms.ParseDate(d.Date); err != nil || d.DepartureID == "" {
			return fault.New(fault.Malformed).Because(err)
		}
	}
	return nil
}

func follow(d *domain.Departure, product domain.ProductID, said contract.Departure) (*domain.Departure, bool) {
	changed := false
	if d == nil {
		d, changed = domain.OpenDeparture(domain.DepartureID(said.DepartureID), product, terms.Date(said.Date), said.Capacity), true
	} else {
		changed = d.Resize(said.Capacity)
	}
	if said.Closure != nil && d.Close(domain.Closure{Reason: said.Closure.Reason, ClosedOn: terms.Date(said.Closure.ClosedOn)}) {
		changed = true
	}
	return d, changed
}

func copyOf(p contract.Product) domain.TourProduct {
	product := domain.TourProduct{
		ID: domain.ProductID(p.ProductID), Version: p.Version, MDID: p.MDID, Discontinued: p.Status == contract.ProductIsWithdrawn,
		Kind: p.Kind, Name: domain.Text(p.Name), Nights: p.Nights, Price: p.Price, DiscountRate: p.DiscountRate,
	}
	if p.CancellationPolicy.Type == terms.Special {
		special := terms.Schedule{Version: p.PolicyVersion}
		for _, t := range p.CancellationPolicy.Tiers {
			special.Tiers = append(special.Tiers, terms.Tier(t))
		}
		product.SpecialTerms, product.SpecialConsent = &special, (*domain.Text)(p.CancellationPolicy.Consent)
	}
	return product
}

func (s *Service) departureChanged(ctx context.Context, at time.Time, d *domain.Departure, by contract.Meta, causation string) ([]outbox.Message, error) {
	t := Totals(d)
	return s.message(telemetry.WithCorrelation(ctx, by.CorrelationID), at, contract.DepartureChanged, t.DepartureID, contract.DepartureState{
		Meta:      contract.Meta{Version: t.Version, CorrelationID: by.CorrelationID, CausationID: causation, Actor: by.Actor},
		Departure: t,
	})
}
