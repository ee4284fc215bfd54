package domain

import (
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Ids are UUIDs, version 7.
type (
	ReservationID string
	ProductID     string
	DepartureID   string
)

// Text is a text in both languages.
type Text struct {
	Ko string `json:"ko"`
	En string `json:"en"`
}

// TourProduct is reservation's own copy of what it needs of a product, so that reserving works while product
// and store are down.
type TourProduct struct {
	ID             ProductID         `json:"id"`
	Version        int64             `json:"version"`
	MDID           string            `json:"mdId"`
	Discontinued   bool              `json:"discontinued"`
	Kind           string            `json:"kind"` // terms.Domestic, terms.Overseas
	Name           Text              `json:"name"`
	Nights         int               `json:"nights"` // 0 = day trip
	Price          money.KRW         `json:"price"`  // list price of one traveller
	DiscountRate   money.BasisPoints `json:"discountRate"`
	SpecialTerms   *terms.Schedule   `json:"specialTerms,omitempty"` // nil: the standard schedule of the kind
	SpecialConsent *Text             `json:"specialConsent,omitempty"`
}

// Schedule is the cancellation schedule that a reservation made on that date freezes.
func (p TourProduct) Schedule(reserved terms.Date) terms.Schedule {
	if p.SpecialTerms != nil {
		return *p.SpecialTerms
	}
	return terms.StandardSchedule(p.Kind, p.Nights, reserved)
}
