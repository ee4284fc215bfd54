package domain

import (
	"slices"
	"strings"
	"time"

	"oneqtour/apps/internal/terms"
)

// PlannedDeparture is a departure as product has told it.
type PlannedDeparture struct {
	ID       DepartureID
	Date     terms.Date
	Capacity int
	Closed   bool // the supplier has closed it
}

// Departure is one date of an item: what product plans, and what reservation says of its seats.
type Departure struct {
	PlannedDeparture
	Seats Seats
}

// plan takes the departures as product has told them; what is known of their seats stays.
func (i *DisplayItem) plan(planned []PlannedDeparture) {
	departures := make([]Departure, 0, len(planned))
	for _, p := range planned {
		d := Departure{PlannedDeparture: p}
		if at := slices.IndexFunc(i.departures, func(known Departure) bool { return known.ID == p.ID }); at >= 0 {
			d.Seats = i.departures[at].Seats
		}
		departures = append(departures, d)
	}
	slices.SortFunc(departures, func(a, b Departure) int { return strings.Compare(string(a.Date), string(b.Date)) })
	i.departures = departures
}

// Seats are the totals of a departure as of reservation, which counts them; here they are only copied. They
// may come before product has told of the departure.
type Seats struct {
	Version   int64 // 0: nothing was told yet
	Capacity  int   // the effective one: never less than what is taken
	Held      int
	Confirmed int
	Closed    bool
	Reserved  int // reservations that are CONFIRMED or COMPLETED
	AsOf      time.Time
}

// Copy takes totals that are newer. gained is by how much the departure's reservations have grown.
func (s *Seats) Copy(told Seats) (gained int, changed bool) {
	if told.Version <= s.Version {
		return 0, false
	}
	gained = told.Reserved - s.Reserved
	*s = told
	return gained, true
}

// SeatsLeft is how many travellers can still reserve: all seats, until reservation says otherwise.
func (d Departure) SeatsLeft() int {
	if d.Seats.Version == 0 {
		return d.PlannedDeparture.Capacity
	}
	return max(d.Seats.Capacity-d.Seats.Held-d.Seats.Confirmed, 0)
}

// EffectiveCapacity is reservation's word, until then product's.
func (d Departure) EffectiveCapacity() int {
	if d.Seats.Version == 0 {
		return d.PlannedDeparture.Capacity
	}
	return d.Seats.Capacity
}

// Closed says whether the departure takes no more reservations; whichever of the two was heard first counts.
func (d Departure) Closed() bool { return d.PlannedDeparture.Closed || d.Seats.Closed }
