package httpapi

import (
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/store/domain"
)

// item is a display item in JSON. PolicyVersion is what a customer accepts with a reservation made today.
type item struct {
	ProductID       string                 `json:"productId"`
	MDID            string                 `json:"mdId"`
	Kind            string                 `json:"kind"`
	Country         string                 `json:"country"`
	Name            contract.Text          `json:"name"`
	Description     contract.Text          `json:"description"`
	Nights          int                    `json:"nights"`
	Price           money.KRW              `json:"price"`
	DiscountRate    money.BasisPoints      `json:"discountRate"`
	DiscountedPrice money.KRW              `json:"discountedPrice"`
	Recommendation  int                    `json:"recommendation"`
	ReservedCount   int                    `json:"reservedCount"`
	FXBenefitRate   money.BasisPoints      `json:"fxBenefitRate"`
	SavingsOffer    *contract.SavingsOffer `json:"savingsOffer"`
	Departures      []departure            `json:"departures"`
	PolicyVersion   string                 `json:"policyVersion"`
	Version         int64                  `json:"version"`
	AsOf            time.Time              `json:"asOf"`
}

type departure struct {
	DepartureID string `json:"departureId"`
	Date        string `json:"date"`
	Capacity    int    `json:"capacity"`
	SeatsLeft   int    `json:"seatsLeft"`
	Closed      bool   `json:"closed"`
}

func itemOf(i *domain.DisplayItem, today terms.Date) item {
	s := i.Snapshot()
	o := s.Offer
	out := item{
		ProductID: string(o.ProductID), MDID: string(o.MD), Kind: o.Kind, Country: o.Country,
		Name: contract.Text(o.Name), Description: contract.Text(o.Description), Nights: o.Nights, Price: o.Price,
		DiscountRate: o.DiscountRate, DiscountedPrice: i.DiscountedPrice(), Recommendation: o.Recommendation,
		ReservedCount: s.Reserved, FXBenefitRate: o.FXBenefitRate, SavingsOffer: (*contract.SavingsOffer)(o.Savings),
		Departures: []departure{}, PolicyVersion: i.Schedule(today).Version, Version: o.Version, AsOf: i.AsOf(),
	}
	for _, d := range i.Coming(today) {
		out.Departures = append(out.Departures, departure{string(d.ID), string(d.Date), d.EffectiveCapacity(), d.SeatsLeft(), d.Closed()})
	}
	return out
}
