package usecase_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
)

// drawProduct makes up what product says of one of its own: it is revised, gets another departure, one is closed, it
// is discontinued.
func drawProduct(t *rapid.T) (events []contract.Event) {
	open := func() contract.Departure {
		date := rapid.IntRange(30, 1000).Draw(t, "date")
		return contract.Departure{DepartureID: newID(), Date: time.Now().AddDate(0, 0, date).Format(time.DateOnly), Capacity: 20, MinParticipants: 1}
	}
	p := contract.Product{
		ProductID: newID(), MDID: "md-1", Status: contract.ProductOpen, Version: 1, Kind: "OVERSEAS", Name: contract.Text{Ko: "오사카", En: "Osaka"},
		Nights: 2, Price: 800_000, CancellationPolicy: contract.CancellationPolicy{Type: "STANDARD"}, Departures: []contract.Departure{open()},
	}
	tell := func(kind string) {
		e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "product", Type: kind, Subject: p.ProductID, Time: time.Now()}, p)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	tell(contract.ProductRegistered)
	for range rapid.IntRange(1, 8).Draw(t, "deeds") {
		p.Version++
		p.Departures = slices.Clone(p.Departures)
		i := rapid.IntRange(0, len(p.Departures)-1).Draw(t, "departure")
		switch rapid.SampledFrom([]string{"revise", "open", "close", "discontinue"}).Draw(t, "deed") {
		case "revise":
			p.Price += 1000
			p.Departures[i].Capacity = rapid.IntRange(1, 50).Draw(t, "capacity")
			tell(contract.ProductRevised)
		case "open":
			p.Departures = append(p.Departures, open())
			tell(contract.ProductRevised)
		case "close":
			p.Departures[i].Closure = &contract.Closure{Reason: "UNDER_SUBSCRIBED", ClosedOn: time.Now().Format(time.DateOnly)}
			tell(contract.ProductDepartureClosed)
		case "discontinue":
			p.Status = contract.ProductIsWithdrawn
			tell(contract.ProductDiscontinued)
			return events
		}
	}
	return events
}

// Shuffled, doubled and delayed, the events of a product end in the copy of a delivery in order, and what was announced
// last of each departure is what it is. Versions of departures are not compared: they count the changes that were made
// here, and who hears the last revision first makes fewer.
func TestI5_AnyOrderOfProductEventsMakesTheSameCopy(t *testing.T) {
	dbtest.FewChecks(t, 25)
	inOrder, shuffled := newStage(t, 20), newStage(t, 20)
	rapid.Check(t, func(t *rapid.T) {
		hear := func(s *stage, events []contract.Event) {
			for _, e := range events {
				if err := s.service.ProductChanged(s.t.Context(), e); err != nil {
					t.Fatalf("%s: %v", e.Type, err)
				}
			}
		}
		events := drawProduct(t)
		hear(inOrder, events)
		hear(shuffled, rapid.Permutation(append(slices.Clone(events), events...)).Draw(t, "deliveries"))
		id := events[0].Subject
		for _, query := range []string{
			"SELECT * FROM products WHERE id = ?",
			"SELECT id, travel_date, capacity, held, confirmed, closure, counts FROM departures WHERE product_id = ? ORDER BY id",
			"SELECT departure_id FROM closings JOIN departures ON id = departure_id WHERE product_id = ? ORDER BY id",
		} {
			want, got := dbtest.Found(t, inOrder.db, query, id), dbtest.Found(t, shuffled.db, query, id)
			if got != want {
				t.Fatalf("%s\nin order:\n%s\nshuffled:\n%s", query, want, got)
			}
		}
		if want, got := announced(t, inOrder, id), announced(t, shuffled, id); !reflect.DeepEqual(got, want) {
			t.Fatalf("announced in order:\n%+v\nshuffled:\n%+v", want, got)
		}
	})
}

// announced is what was said last of each departure of a product.
func announced(t *rapid.T, s *stage, product string) map[string]contract.Totals {
	last := map[string]contract.Totals{}
	for _, e := range s.events() {
		d, err := contract.Decode[contract.DepartureState](e)
		if err != nil {
			t.Fatal(err)
		}
		if d.Departure.ProductID == product && d.Departure.Version > last[e.Subject].Version {
			last[e.Subject] = d.Departure
		}
	}
	for id, d := range last {
		d.Version = 0
		last[id] = d
	}
	return last
}
