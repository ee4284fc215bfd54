package domain

import (
	"maps"

	"oneqtour/apps/internal/terms"
)

// Departure counts the seats of one departure of a product. Nothing is sold twice: held + confirmed never
// exceeds the capacity, and it changes only together with the reservation that takes or frees the seats.
type Departure struct {
	id        DepartureID
	product   ProductID
	date      terms.Date
	requested int // capacity as product said it
	held      int // seats of PENDING reservations
	confirmed int // seats of CONFIRMED and COMPLETED ones
	closure   *Closure
	counts    map[Status]int // reservations, not seats
	version   int64
}

// Closure is the supplier's word that the departure will not take place.
type Closure struct {
	Reason   string     `json:"reason"`
	ClosedOn terms.Date `json:"closedOn"`
}

// DepartureSnapshot is a departure as it is stored.
type DepartureSnapshot struct {
	ID        DepartureID
	Product   ProductID
	Date      terms.Date
	Requested int
	Held      int
	Confirmed int
	Closure   *Closure
	Counts    map[Status]int
	Version   int64
}

// OpenDeparture makes a departure that product has just announced.
func OpenDeparture(id DepartureID, product ProductID, date terms.Date, capacity int) *Departure {
	return &Departure{id: id, product: product, date: date, requested: capacity, counts: map[Status]int{}, version: 1}
}

// RestoreDeparture rebuilds a stored departure.
func RestoreDeparture(s DepartureSnapshot) *Departure {
	counts := maps.Clone(s.Counts)
	if counts == nil {
		counts = map[Status]int{}
	}
	return &Departure{s.ID, s.Product, s.Date, s.Requested, s.Held, s.Confirmed, s.Closure, counts, s.Version}
}

// Snapshot is the departure for storage and for events.
func (d *Departure) Snapshot() DepartureSnapshot {
	return DepartureSnapshot{d.id, d.product, d.date, d.requested, d.held, d.confirmed, d.closure, maps.Clone(d.counts), d.version}
}

// Capacity is what product asked for, but never less than what is taken.
func (d *Departure) Capacity() int { return max(d.requested, d.held+d.confirmed) }

// SeatsLeft is what can still be reserved.
func (d *Departure) SeatsLeft() int { return d.Capacity() - d.held - d.confirmed }

// Resize takes the capacity that product asks for; it says whether anything changed.
func (d *Departure) Resize(capacity int) bool {
	if d.requested == capacity {
		return false
	}
	d.requested = capacity
	d.version++
	return true
}

// Close stops new reservations for good; closing again changes nothing.
func (d *Departure) Close(c Closure) bool {
	if d.closure != nil {
		return false
	}
	d.closure = &c
	d.version++
	return true
}

// accepts says whether the departure takes a reservation of so many seats today.
func (d *Departure) accepts(travellers int, today terms.Date) error {
	if d.closure != nil {
		return ErrDepartureClosed
	}
	if today >= d.date {
		return ErrTooLate
	}
	if travellers > d.SeatsLeft() {
		return ErrSoldOut.With("seatsLeft", d.SeatsLeft())
	}
	return nil
}

// follow books one reservation's step from one state to the next.
func (d *Departure) follow(from, to Status, travellers int) {
	d.held += seatsHeld(to, travellers) - seatsHeld(from, travellers)
	d.confirmed += seatsConfirmed(to, travellers) - seatsConfirmed(from, travellers)
	if from != "" {
		d.counts[from]--
	}
	d.counts[to]++
	d.version++
}

func seatsHeld(s Status, n int) int {
	if s == Pending {
		return n
	}
	return 0
}

func seatsConfirmed(s Status, n int) int {
	if s == Confirmed || s == Completed {
		return n
	}
	return 0
}
