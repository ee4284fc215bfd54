package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// Text is a text in both languages of the service.
type Text struct {
	Ko string `json:"ko"`
	En string `json:"en"`
}

// Product is the data of every product event and the public state of a tour product.
type Product struct {
	Meta               Meta               `json:"meta"`
	ProductID          string             `json:"productId"`
	MDID               string             `json:"mdId"`
	Status             string             `json:"status"` // OPEN, DISCONTINUED
	Version            int64              `json:"version"`
	Kind               string             `json:"kind"` // DOMESTIC, OVERSEAS
	Name               Text               `json:"name"`
	Description        Text               `json:"description"`
	Country            string             `json:"country"` // ISO 3166-1 alpha-2
	Nights             int                `json:"nights"`  // 0 = day trip
	Price              money.KRW          `json:"price"`   // list price of one traveller
	DiscountRate       money.BasisPoints  `json:"discountRate"`
	Recommendation     int                `json:"recommendation"` // stars of the MD, 0–5
	FXBenefitRate      money.BasisPoints  `json:"fxBenefitRate"`
	SavingsOffer       *SavingsOffer      `json:"savingsOffer,omitempty"`
	CancellationPolicy CancellationPolicy `json:"cancellationPolicy"`
	PolicyVersion      string             `json:"policyVersion"` // changes when the special terms change; STANDARD for the standard ones
	Departures         []Departure        `json:"departures"`
	CreatedAt          time.Time          `json:"createdAt"`
}

// Product states.
const (
	ProductOpen        = "OPEN"
	ProductIsWithdrawn = "DISCONTINUED"
)

// SavingsOffer is the savings account that comes with the product.
type SavingsOffer struct {
	BaseRate         money.BasisPoints `json:"baseRate"`
	PreferentialRate money.BasisPoints `json:"preferentialRate"`
	TermMonths       int               `json:"termMonths"`
}

// CancellationPolicy names the standard schedule of the kind, or brings special terms.
type CancellationPolicy struct {
	Type    string `json:"type"` // STANDARD, SPECIAL
	Tiers   []Tier `json:"tiers,omitempty"`
	Consent *Text  `json:"consent,omitempty"` // what the customer agrees to, for SPECIAL
}

// Tier says which part of the tour price is the fee from so many days before the departure.
type Tier struct {
	FromDays int               `json:"fromDays"`
	Rate     money.BasisPoints `json:"rate"`
}

// Departure is one date on which a product can be travelled.
type Departure struct {
	DepartureID     string   `json:"departureId"`
	Date            string   `json:"date"` // YYYY-MM-DD in Asia/Seoul
	Capacity        int      `json:"capacity"`
	MinParticipants int      `json:"minParticipants"`
	Closure         *Closure `json:"closure,omitempty"`
}

// Closure is the supplier's word that a departure will not take place.
type Closure struct {
	Reason   string `json:"reason"`   // UNDER_SUBSCRIBED, SUPPLIER_FAULT, FORCE_MAJEURE
	ClosedOn string `json:"closedOn"` // YYYY-MM-DD in Asia/Seoul, when product accepted it
	Note     string `json:"note,omitempty"`
}
