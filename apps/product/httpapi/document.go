package httpapi

import (
	"strings"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// document is a product in JSON: what POST and PUT take and what every answer gives. The first six members
// are written by the service alone. PolicyVersion is there for special terms: the version of the standard ones
// depends on the date of a reservation, so store and reservation alone can name it.
type document struct {
	ProductID     *string    `json:"productId,omitempty"`
	MDID          *string    `json:"mdId,omitempty"`
	Status        *string    `json:"status,omitempty"`
	Version       *int64     `json:"version,omitempty"`
	PolicyVersion *string    `json:"policyVersion,omitempty"`
	CreatedAt     *time.Time `json:"createdAt,omitempty"`

	Kind               string                       `json:"kind"`
	Name               contract.Text                `json:"name"`
	Description        contract.Text                `json:"description"`
	Country            string                       `json:"country"`
	Nights             *int                         `json:"nights"` // 1 when absent
	Price              money.KRW                    `json:"price"`
	DiscountRate       money.BasisPoints            `json:"discountRate"`
	Recommendation     int                          `json:"recommendation"`
	FXBenefitRate      money.BasisPoints            `json:"fxBenefitRate"`
	SavingsOffer       *contract.SavingsOffer       `json:"savingsOffer,omitempty"`
	CancellationPolicy *contract.CancellationPolicy `json:"cancellationPolicy"` // STANDARD when absent
	Departures         []contract.Departure         `json:"departures"`
}

const defaultNights = 1

func (d document) draft() domain.Draft {
	draft := domain.Draft{
		Details: domain.Details{
			Kind: d.Kind, Name: domain.Text(d.Name), Description: domain.Text(d.Description), Country: d.Country,
			Nights: defaultNights, Price: d.Price, DiscountRate: d.DiscountRate, Recommendation: d.Recommendation,
			FXBenefitRate: d.FXBenefitRate, Savings: (*domain.SavingsOffer)(d.SavingsOffer),
			Policy: domain.Policy{Type: terms.Standard},
		},
		Repeats: domain.Repeats{
			ID: (*domain.ProductID)(d.ProductID), MD: (*domain.MDID)(d.MDID), Status: (*domain.Status)(d.Status),
			Version: d.Version, PolicyVersion: d.PolicyVersion, CreatedAt: d.CreatedAt,
		},
	}
	if d.Nights != nil {
		draft.Nights = *d.Nights
	}
	if p := d.CancellationPolicy; p != nil {
		draft.Policy = domain.Policy{Type: p.Type, Consent: (*domain.Text)(p.Consent)}
		for _, t := range p.Tiers {
			draft.Policy.Tiers = append(draft.Policy.Tiers, terms.Tier(t))
		}
	}
	for _, dep := range d.Departures {
		written := domain.DepartureDraft{ID: domain.DepartureID(strings.ToLower(dep.DepartureID)), Date: terms.Date(dep.Date),
			Capacity: dep.Capacity, MinParticipants: dep.MinParticipants}
		if c := dep.Closure; c != nil {
			written.Closure = &domain.Closure{Reason: domain.ClosureReason(c.Reason), Note: c.Note, ClosedOn: terms.Date(c.ClosedOn)}
		}
		draft.Departures = append(draft.Departures, written)
	}
	return draft
}

func documentOf(p *domain.TourProduct) document {
	s := usecase.PublicState(p)
	doc := document{
		ProductID: &s.ProductID, MDID: &s.MDID, Status: &s.Status, Version: &s.Version,
		CreatedAt: &s.CreatedAt, Kind: s.Kind, Name: s.Name, Description: s.Description, Country: s.Country,
		Nights: &s.Nights, Price: s.Price, DiscountRate: s.DiscountRate, Recommendation: s.Recommendation,
		FXBenefitRate: s.FXBenefitRate, SavingsOffer: s.SavingsOffer, CancellationPolicy: &s.CancellationPolicy,
		Departures: s.Departures,
	}
	if s.CancellationPolicy.Type == terms.Special {
		doc.PolicyVersion = &s.PolicyVersion
	}
	return doc
}
