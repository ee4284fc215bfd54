package main

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
)

type told struct {
	topic string
	event contract.Event
}

// drawLife makes up what product and reservation say of a product: it is revised, gets another departure, one is
// closed, it is discontinued; and its departures are reserved meanwhile.
func drawLife(t *rapid.T, p contract.Product) (life []told) {
	now := time.Now()
	tell := func(topic, kind, subject string, data any) {
		now = now.Add(time.Millisecond)
		e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: topic, Type: kind, Subject: subject, Time: now}, data)
		if err != nil {
			t.Fatal(err)
		}
		life = append(life, told{topic, e})
	}
	seats := map[string]contract.Totals{}
	tell("product", contract.ProductRegistered, p.ProductID, p)
	for range rapid.IntRange(1, 12).Draw(t, "deeds") {
		i := rapid.IntRange(0, len(p.Departures)-1).Draw(t, "departure")
		deed := rapid.SampledFrom([]string{"reserve", "reserve", "reserve", "revise", "open", "close", "discontinue"}).Draw(t, "deed")
		if deed == "reserve" {
			d := seats[p.Departures[i].DepartureID]
			d.DepartureID, d.ProductID, d.Capacity, d.Version = p.Departures[i].DepartureID, p.ProductID, p.Departures[i].Capacity, d.Version+1
			d.Confirmed = rapid.IntRange(0, d.Capacity).Draw(t, "confirmed")
			d.Held = rapid.IntRange(0, d.Capacity-d.Confirmed).Draw(t, "held")
			d.Reservations = map[string]int{contract.StatusConfirmed: d.Confirmed}
			seats[d.DepartureID] = d
			tell("reservation", contract.DepartureChanged, d.DepartureID, contract.DepartureState{Departure: d})
			continue
		}
		if p.Status == contract.ProductIsWithdrawn {
			continue
		}
		kind := contract.ProductRevised
		p.Version++
		p.Departures = slices.Clone(p.Departures)
		switch deed {
		case "revise":
			p.Price += 1000
			p.Departures[i].Capacity++
		case "open":
			date := rapid.IntRange(200, 1000).Draw(t, "date")
			p.Departures = append(p.Departures, contract.Departure{DepartureID: newID(), Date: now.AddDate(0, 0, date).Format(time.DateOnly), Capacity: 5, MinParticipants: 1})
		case "close":
			kind = contract.ProductDepartureClosed
			p.Departures[i].Closure = &contract.Closure{Reason: "UNDER_SUBSCRIBED", ClosedOn: now.Format(time.DateOnly)}
		case "discontinue":
			kind, p.Status = contract.ProductDiscontinued, contract.ProductIsWithdrawn
		}
		tell("product", kind, p.ProductID, p)
	}
	return life
}

// Shuffled, doubled and delayed, the events of a product end in the rows of a delivery in order.
func TestI5_AnyOrderOfEventsMakesTheSameItem(t *testing.T) {
	dbtest.FewChecks(t, 25)
	inOrder, shuffled := start(t), start(t)
	rapid.Check(t, func(t *rapid.T) {
		hear := func(s *service, life []told) {
			for _, said := range life {
				if ack := s.Deliver(said.topic, said.event); ack != "SUCCESS" {
					t.Fatalf("%s was answered %s", said.event.Type, ack)
				}
			}
		}
		p := inOrder.product()
		life := drawLife(t, p)
		hear(inOrder, life)
		hear(shuffled, rapid.Permutation(append(slices.Clone(life), life...)).Draw(t, "deliveries"))
		for _, query := range []string{"SELECT * FROM items WHERE product_id = ?", "SELECT * FROM departures WHERE product_id = ? ORDER BY departure_id"} {
			want, got := dbtest.Found(t, inOrder.db, query, p.ProductID), dbtest.Found(t, shuffled.db, query, p.ProductID)
			if got != want || want == "" {
				t.Fatalf("%s\nin order:\n%s\nshuffled:\n%s", query, want, got)
			}
		}
	})
}
