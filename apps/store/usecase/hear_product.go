package usecase

import (
	"context"
	"fmt"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/store/domain"
)

// HearProduct displays a product as it is told, when that is newer than what is displayed. Repeats and
// disorder are normal. fault.Malformed when the event cannot be understood.
func (s *Service) HearProduct(ctx context.Context, e contract.Event) error {
	if !contract.IsProduct(e.Type) {
		return nil
	}
	p, err := contract.Decode[contract.Product](e)
	if err != nil {
		return err
	}
	if err := understoodProduct(p); err != nil {
		return malformed(e, err)
	}
	offer, departures := offerOf(p, e.Time), plannedOf(p)
	return s.items.Update(ctx, offer.ProductID, func(item *domain.DisplayItem) (bool, error) {
		return item.Follow(offer, departures), nil
	})
}

// understoodProduct keeps what no column could hold, and what no rule could work with, away.
func understoodProduct(p contract.Product) error {
	special := p.CancellationPolicy.Type == terms.Special
	switch {
	case len(p.ProductID) != 36 || p.MDID == "" || len(p.MDID) > 100 || p.Version < 1:
		return fmt.Errorf("productId, mdId or version is missing or out of range")
	case p.Status != contract.ProductOpen && p.Status != contract.ProductIsWithdrawn:
		return fmt.Errorf("status %q is unknown", p.Status)
	case p.Kind != terms.Domestic && p.Kind != terms.Overseas:
		return fmt.Errorf("kind %q is unknown", p.Kind)
	case len(p.Country) != 2:
		return fmt.Errorf("country %q is none", p.Country)
	case special && (len(p.CancellationPolicy.Tiers) == 0 || p.CancellationPolicy.Consent == nil):
		return fmt.Errorf("special terms without tiers or consent")
	case !special && p.CancellationPolicy.Type != terms.Standard:
		return fmt.Errorf("policy %q is unknown", p.CancellationPolicy.Type)
	}
	for _, d := range p.Departures {
		if _, err := terms.ParseDate(d.Date); err != nil || len(d.DepartureID) != 36 {
			return fmt.Errorf("departure %q on %q", d.DepartureID, d.Date)
		}
	}
	return nil
}

func malformed(e contract.Event, err error) error {
	return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: %w", e.Type, e.ID, err))
}

func offerOf(p contract.Product, at time.Time) domain.Offer {
	o := domain.Offer{
		ProductID: domain.ProductID(p.ProductID), MD: domain.MDID(p.MDID), Version: p.Version,
		Discontinued: p.Status == contract.ProductIsWithdrawn, Kind: p.Kind, Name: domain.Text(p.Name),
		Description: domain.Text(p.Description), Country: p.Country, Nights: p.Nights, Price: p.Price,
		DiscountRate: p.DiscountRate, Recommendation: p.Recommendation, FXBenefitRate: p.FXBenefitRate,
		Savings: (*domain.SavingsOffer)(p.SavingsOffer), AsOf: at.UTC().Truncate(time.Microsecond),
		Policy: domain.Policy{Type: p.CancellationPolicy.Type, Version: p.PolicyVersion, Consent: (*domain.Text)(p.CancellationPolicy.Consent)},
	}
	for _, t := range p.CancellationPolicy.Tiers {
		o.Policy.Tiers = append(o.Policy.Tiers, terms.Tier(t))
	}
	return o
}

func plannedOf(p contract.Product) []domain.PlannedDeparture {
	planned := make([]domain.PlannedDeparture, 0, len(p.Departures))
	for _, d := range p.Departures {
		planned = append(planned, domain.PlannedDeparture{ID: domain.DepartureID(d.DepartureID), Date: terms.Date(d.Date),
			Capacity: d.Capacity, Closed: d.Closure != nil})
	}
	return planned
}
