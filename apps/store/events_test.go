package main

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
)

// totals are what reservation tells of the first departure of a product.
func totals(p contract.Product, version int64, confirmed, completed, cancelled int) contract.Reservation {
	return contract.Reservation{Departure: contract.Totals{
		DepartureID: p.Departures[0].DepartureID, ProductID: p.ProductID, Version: version, Capacity: p.Departures[0].Capacity,
		Held: 1, Confirmed: 2 * confirmed,
		Reservations: map[string]int{contract.StatusPending: 1, contract.StatusConfirmed: confirmed,
			contract.StatusCompleted: completed, contract.StatusCancelled: cancelled},
	}}
}

func TestF5_ARegisteredProductIsDisplayedAtOnce(t *testing.T) {
	s := start(t)
	p := s.product()
	s.tell(p)
	i, status := s.get(p.ProductID)
	if status != 200 {
		t.Fatalf("answered %d", status)
	}
	if i.MDID != "md-1" || i.DiscountedPrice != 760_000 || i.Recommendation != 5 || i.ReservedCount != 0 || i.Version != 1 || i.AsOf.IsZero() ||
		i.PolicyVersion != "STANDARD-OVERSEAS-2014-03-21" || i.Name != p.Name || i.SavingsOffer == nil {
		t.Errorf("got %+v", i)
	}
	if len(i.Departures) != 2 || i.Departures[0].DepartureID != p.Departures[1].DepartureID || i.Departures[1].SeatsLeft != 20 {
		t.Errorf("departures %+v", i.Departures)
	}
	s.wantList("", p)
}

func TestF6_RevisionsOutOfOrder(t *testing.T) {
	s := start(t)
	p := s.product()
	older, newer := p, p
	older.Version, older.Price = 2, 700_000
	newer.Version, newer.Price = 3, 600_000
	for _, told := range []contract.Product{p, newer, older, p} {
		s.tell(told)
	}
	if i, _ := s.get(p.ProductID); i.Version != 3 || i.Price != 600_000 || i.DiscountedPrice != 570_000 {
		t.Errorf("got %+v", i)
	}
}

func TestF7_ALateRevisionBringsNothingBack(t *testing.T) {
	s := start(t)
	p := s.product()
	late, gone := p, p
	late.Version = 2
	gone.Version, gone.Status = 3, contract.ProductIsWithdrawn
	s.tell(p)
	s.tell(gone)
	s.tell(late)
	// And one that was discontinued before it was heard of.
	q := s.product()
	goneToo := q
	goneToo.Version, goneToo.Status = 2, contract.ProductIsWithdrawn
	s.tell(goneToo)
	s.tell(q)
	for _, id := range []string{p.ProductID, q.ProductID, newID(), "7"} {
		if _, status := s.get(id); status != 404 {
			t.Errorf("%s: %d", id, status)
		}
	}
	s.wantList("")
}

func TestF16_TotalsBeforeTheProductAndTwice(t *testing.T) {
	s := start(t)
	p := s.product()
	s.deliver("reservation", contract.ReservationConfirmed, newID(), totals(p, 4, 3, 1, 0))
	if _, status := s.get(p.ProductID); status != 404 {
		t.Errorf("an item of which only totals are known: %d", status)
	}
	s.tell(p)
	for _, told := range []contract.Reservation{totals(p, 5, 2, 1, 1), totals(p, 4, 3, 1, 0), totals(p, 5, 2, 1, 1)} {
		s.deliver("reservation", contract.ReservationCancelled, newID(), told)
	}
	i, _ := s.get(p.ProductID)
	if i.ReservedCount != 3 || i.Departures[1].SeatsLeft != 20-1-4 || i.Departures[0].SeatsLeft != 10 {
		t.Errorf("got %+v", i)
	}
	closed := contract.DepartureState{Departure: totals(p, 6, 2, 1, 1).Departure}
	closed.Departure.Closed = true
	s.deliver("reservation", contract.DepartureChanged, p.Departures[0].DepartureID, closed)
	if i, _ := s.get(p.ProductID); !i.Departures[1].Closed || i.Departures[0].Closed {
		t.Errorf("got %+v", i.Departures)
	}
}

// Four products with two departures each; sixteen workers deliver every event twice, in any order. The count
// of an item must be the sum over its departures, confirmed less cancelled, whatever came first.
func TestF16_CountsAreExactUnderDisorder(t *testing.T) {
	s := start(t)
	type delivery struct {
		topic, event string
		data         any
	}
	var all []delivery
	var products []contract.Product
	for range 4 {
		p := s.product()
		products = append(products, p)
		for version := range int64(5) {
			told := p
			told.Version = version + 1
			all = append(all, delivery{"product", contract.ProductRevised, told})
		}
		for i := range p.Departures {
			one := p
			one.Departures = p.Departures[i:]
			for version := 1; version <= 25; version++ { // the last five are cancellations
				told, event := totals(one, int64(version), min(version, 40-version), 0, max(0, version-20)), contract.ReservationConfirmed
				if version > 20 {
					event = contract.ReservationCancelled
				}
				all = append(all, delivery{"reservation", event, told})
			}
		}
	}
	all = append(all, all...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	queue := make(chan delivery, len(all))
	for _, d := range all {
		queue <- d
	}
	close(queue)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for d := range queue {
				s.deliver(d.topic, d.event, newID(), d.data)
			}
		})
	}
	wg.Wait()
	for _, p := range products {
		if i, _ := s.get(p.ProductID); i.ReservedCount != 2*(20-5) || i.Version != 5 {
			t.Errorf("got %d reservations, version %d; want 20 confirmed less 5 cancelled of each departure, 5", i.ReservedCount, i.Version)
		}
	}
	if got := len(s.list("sort=reserved")); got != 4 {
		t.Errorf("%d items listed", got)
	}
}

func TestEventsThatCannotBeReadBecomeDeadLetters(t *testing.T) {
	s := start(t)
	bad := s.product(func(p *contract.Product) { p.Departures[0].Date = "soon" })
	for topic, said := range map[string]struct {
		kind string
		data any
	}{"product": {contract.ProductRevised, bad}, "reservation": {contract.ReservationConfirmed, contract.Reservation{}}} {
		e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Type: said.kind, Subject: "x", Time: time.Now()}, said.data)
		if ack := s.Deliver(topic, e); ack != "SUCCESS" {
			t.Errorf("%s: %s", topic, ack)
		}
	}
}

// What is not known by its whole type is none of our business, however its data look.
func TestEventsOfUnknownTypesAreLeftAlone(t *testing.T) {
	s := start(t)
	p := s.product()
	s.tell(p)
	cheaper, fuller := p, totals(p, 7, 5, 0, 0)
	cheaper.Version, cheaper.Price = 9, 1000
	for kind, data := range map[string]any{
		"oneqtour.product.painted.v1": cheaper, "oneqtour.product.revised.v2": cheaper,
		"oneqtour.reservation.reminded.v1": fuller, "oneqtour.reservation.confirmed.v2": fuller,
		"oneqtour.reservation.departure-changed.v2": "another shape", "oneqtour.product.registered.v2": "another shape",
	} {
		topic := strings.Split(kind, ".")[1]
		e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Type: kind, Subject: "x", Time: time.Now()}, data)
		if ack := s.Deliver(topic, e); ack != "SUCCESS" {
			t.Errorf("%s: %s", kind, ack)
		}
	}
	if i, _ := s.get(p.ProductID); i.Version != 1 || i.ReservedCount != 0 {
		t.Errorf("got %+v", i)
	}
}
