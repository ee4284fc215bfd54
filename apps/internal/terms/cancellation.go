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

// dated is a table with the date from which on it applies.
type dated struct {
	from     Date
	schedule Schedule
}

// The standard terms of the Korea Fair Trade Commission, by the date of the reservation, the latest last. A new
// regulation is one more row; no reservation changes.
var (
	standardOverseas = []dated{{"2014-03-21", Schedule{"STANDARD-OVERSEAS-2014-03-21",
		[]Tier{{30, 0}, {20, 1000}, {10, 1500}, {8, 2000}, {1, 3000}, {0, 5000}}}}}
	standardDomesticNights = []dated{{"2014-03-21", Schedule{"STANDARD-DOMESTIC-NIGHTS-2014-03-21",
		[]Tier{{5, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
	standardDomesticDay = []dated{{"2014-03-21", Schedule{"STANDARD-DOMESTIC-DAY-2014-03-21",
		[]Tier{{3, 0}, {2, 1000}, {1, 2000}, {0, 3000}}}}}
)

// StandardSchedule is the standard table for a kind and a number of nights (0 = day trip) on the date of the
// reservation.
func StandardSchedule(kind string, nights int, reserved Date) Schedule {
	return inForce(ofKind(kind, nights, standardOverseas, standardDomesticNights, standardDomesticDay), reserved)
}

// ofKind picks what applies to a kind of trip.
func ofKind[T any](kind string, nights int, overseas, domesticNights, domesticDay T) T {
	switch {
	case kind == Domestic && nights == 0:
		return domesticDay
	case kind == Domestic:
		return domesticNights
	}
	return overseas
}

// inForce picks the last table that applies on the date; the first one before all of them.
func inForce(tables []dated, on Date) Schedule {
	in := tables[0]
	for _, t := range tables {
		if t.from <= on {
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
