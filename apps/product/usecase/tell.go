package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/product/domain"
)

// tell prepares an event that says the whole public state of a product. Its id is made beforehand, so that a
// repeated transaction stores the same event.
func (s *Service) tell(ctx context.Context, event string, md domain.MDID, on domain.Occasion) func(*domain.TourProduct) (contract.Event, error) {
	id, trace, correlation := s.newID(), telemetry.Trace(ctx), telemetry.Correlation(ctx)
	return func(p *domain.TourProduct) (contract.Event, error) {
		data := PublicState(p)
		data.Meta = contract.Meta{Version: p.Version(), CorrelationID: correlation, CausationID: correlation, Actor: string(md)}
		return contract.NewEvent(contract.Envelope{ID: id, Source: s.app, Type: event, Subject: string(p.ID()),
			Time: on.At, TraceParent: trace}, data)
	}
}

// PublicState is a product as everybody may see it.
func PublicState(p *domain.TourProduct) contract.Product {
	s := p.Snapshot()
	d := s.Details
	out := contract.Product{
		ProductID: string(s.ID), MDID: string(s.MD), Status: string(s.Status), Version: s.Version,
		Kind: d.Kind, Name: contract.Text(d.Name), Description: contract.Text(d.Description), Country: d.Country,
		Nights: d.Nights, Price: d.Price, DiscountRate: d.DiscountRate, Recommendation: d.Recommendation,
		FXBenefitRate: d.FXBenefitRate, SavingsOffer: (*contract.SavingsOffer)(d.Savings),
		CancellationPolicy: contract.CancellationPolicy{Type: d.Policy.Type, Consent: (*contract.Text)(d.Policy.Consent)},
		PolicyVersion:      s.PolicyVersion, Departures: make([]contract.Departure, 0, len(s.Departures)), CreatedAt: s.CreatedAt,
	}
	for _, t := range d.Policy.Tiers {
		out.CancellationPolicy.Tiers = append(out.CancellationPolicy.Tiers, contract.Tier(t))
	}
	for _, dep := range s.Departures {
		public := contract.Departure{DepartureID: string(dep.ID), Date: string(dep.Date), Capacity: dep.Capacity, MinParticipants: dep.MinParticipants}
		if c := dep.Closure; c != nil {
			public.Closure = &contract.Closure{Reason: string(c.Reason), ClosedOn: string(c.ClosedOn), Note: c.Note}
		}
		out.Departures = append(out.Departures, public)
	}
	return out
}
