package usecase

import (
	"fmt"
	"maps"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
)

// history is what the owners of products and reservations have announced, in the order in which it happened.
type history struct {
	events   []contract.Event
	products []contract.Product
	totals   map[string]contract.Totals // by departure
	now      time.Time
	serial   int
}

func newHistory() *history {
	return &history{totals: map[string]contract.Totals{}, now: time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)}
}

func (h *history) id() string {
	h.serial++
	return fmt.Sprintf("01990000-0000-7000-8000-%012d", h.serial)
}

// tick lets a moment pass; now and then none, so that ids must decide.
func (h *history) tick() time.Time {
	if h.serial%3 != 0 {
		h.now = h.now.Add(time.Millisecond)
	}
	return h.now
}

func (h *history) tell(source, kind, subject string, data any) {
	e, err := contract.NewEvent(contract.Envelope{
		ID: uuid.Must(uuid.NewV7()).String(), Source: source, Type: kind, Subject: subject, Time: h.tick(),
	}, data)
	if err != nil {
		panic(err)
	}
	h.events = append(h.events, e)
}

func (h *history) register(md, kind string, departures int) int {
	p := contract.Product{
		ProductID: h.id(), MDID: md, Status: contract.ProductOpen, Version: 1, Kind: kind,
		Name: contract.Text{Ko: "오사카 3일", En: "Osaka"}, Price: 800_000, CreatedAt: h.tick(),
	}
	for range departures {
		d := contract.Departure{DepartureID: h.id(), Date: "2027-03-14", Capacity: 20, MinParticipants: 8}
		p.Departures = append(p.Departures, d)
	}
	h.products = append(h.products, p)
	h.tell("product", contract.ProductRegistered, p.ProductID, p)
	for _, d := range p.Departures {
		h.count(p.ProductID, d.DepartureID, func(t *contract.Totals) { t.Capacity = d.Capacity })
		h.tell("reservation", contract.DepartureChanged, d.DepartureID, contract.DepartureState{Departure: h.totals[d.DepartureID]})
	}
	return len(h.products) - 1
}

func (h *history) revise(product int, change func(*contract.Product)) {
	p := &h.products[product]
	p.Version++
	change(p)
	kind := contract.ProductRevised
	if p.Status == contract.ProductIsWithdrawn {
		kind = contract.ProductDiscontinued
	}
	h.tell("product", kind, p.ProductID, *p)
}

func (h *history) count(product, departure string, change func(*contract.Totals)) {
	t := h.totals[departure]
	t.ProductID, t.DepartureID, t.Reservations = product, departure, maps.Clone(t.Reservations)
	if t.Reservations == nil {
		t.Reservations = map[string]int{}
	}
	t.Version++
	change(&t)
	h.totals[departure] = t
}

// reserve tells the whole life of a reservation in as many of its states as are asked for.
func (h *history) reserve(customer string, product, departure int, states ...string) {
	p := h.products[product]
	d := p.Departures[departure]
	r := contract.Reservation{ReservationState: contract.ReservationState{
		ReservationID: h.id(), CustomerID: customer, MDID: p.MDID, ProductID: p.ProductID, Kind: p.Kind,
		DepartureID: d.DepartureID, DepartureDate: d.Date, Travellers: 2, PaymentPlan: "FULL", CreatedAt: h.tick(),
		Price: contract.Price{List: 1_600_000, Discount: 80_000, Payable: 1_520_000, DueNow: 1_520_000},
	}}
	for _, state := range states {
		before := r.Status
		r.Status, r.Version = state, r.Version+1
		h.count(p.ProductID, d.DepartureID, func(t *contract.Totals) {
			if before != "" {
				t.Reservations[before]--
			}
			t.Reservations[state]++
			t.Held = 2 * t.Reservations[contract.StatusPending]
			t.Confirmed = 2 * t.Reservations[contract.StatusConfirmed]
		})
		r.Departure = h.totals[d.DepartureID]
		h.tell("reservation", typeOf[state], r.ReservationID, r)
	}
}

var typeOf = map[string]string{
	contract.StatusPending: contract.ReservationPending, contract.StatusConfirmed: contract.ReservationConfirmed,
	contract.StatusRejected: contract.ReservationRejected, contract.StatusCancelRequested: contract.ReservationCancelRequested,
	contract.StatusCancelled: contract.ReservationCancelled, contract.StatusCompleted: contract.ReservationCompleted,
}
