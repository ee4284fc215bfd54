package terms

import "oneqtour/apps/internal/money"

// Kinds of products.
const (
	Domestic = "DOMESTIC"
	Overseas = "OVERSEAS"
)

// Types of cancellation policies.
const (
	Standard = "STANDARD"
	Special  = "SPECIAL"
)

// Tier says which part of the tour price is the fee from so many days before the departure.
type Tier struct {
	FromDays int               `json:"fromDays"`
	Rate     money.BasisPoints `json:"rate"`
}

// Schedule is a cancellation policy in full: its name and its tiers, descending to day 0.
type Schedule struct {
	Version string `json:"version"` // frozen into each reservation
	Tiers   []Tier `json:"tiers"`
}

// standard is one table of the standard terms of the Korea Fair Trade Commission.
type standard struct {
	from     Date // applies to reservations made on or after it
	schedule Schedule
}

// The tables in force by date, the latest last. A new regulation is one more row; no reservation changes.
var (
	standardOverseas = []standard{{"2014-03-21", Schedule{"STANDARD-OVERSEAS-2014-03-21",
		[]Tier{{30, 0}, {20, 1000}, {10, 1500}, {8, 2000}, {1, 3000}, {0, 5000}}}}}
	standardDomesticNights = []standard{{"2014-03-21", Schedule{"STANDARD-DOMESTIC-NIGHTS-2014-03-21",
		[]Tier{{5, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
	standardDomesticDay = []standard{{"2014-03-21", Schedule{"STANDARD-DOMESTIC-DAY-2014-03-21",
		[]Tier{{3, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
)

// StandardSchedule is the standard table for a kind and a number of nights (0 = day trip) on the date of the
// reservation.
func StandardSchedule(kind string, nights int, reserved Date) Schedule {
	tables := standardOverseas
	switch {
	case kind == Domestic && nights == 0:
		tables = standardDomesticDay
	case kind == Domestic:
		tables = standardDomesticNights
	}
	in := tables[0]
	for _, t := range tables {
		if t.from <= reserved {
			in = t
		}
	}
	return in.schedule
}

// RateAt is the fee rate when so many days are left; on and after the departure date that of day 0.
func (s Schedule) RateAt(daysBefore int) money.BasisPoints {
	for _, t := range s.Tiers {
		if daysBefore >= t.FromDays {
			return t.Rate
		}
	}
	return s.Tiers[len(s.Tiers)-1].Rate
}
