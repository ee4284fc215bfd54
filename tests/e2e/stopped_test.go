package e2e

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// I5: whoever was stopped during a hundred changes ends in the same state as if never stopped. Two products have the
// same life; during that of the second one every consumer is away for a part of it.
func TestI5_WhoWasStoppedDuringAHundredChangesMissesNothing(t *testing.T) {
	slow(t)
	given := deadLetters(t)
	undisturbed := life(t, func(_ []string, changes func()) { changes() })
	disturbed := life(t, func(apps []string, changes func()) {
		sys.End(t, apps...)
		changes()
		sys.Restart(t, apps...)
	})
	consistent(t, undisturbed)
	consistent(t, disturbed)
	want := stateOf(t, undisturbed)
	stack.Eventually(t, 20*time.Second, "both products are in the same state", func() error {
		if got := stateOf(t, disturbed); !reflect.DeepEqual(got, want) {
			return fmt.Errorf("%+v, and never stopped %+v", got, want)
		}
		return nil
	})
	if now := deadLetters(t); !reflect.DeepEqual(now, given) {
		t.Errorf("dead letters before %v, after %v", given, now)
	}
}

// life is a product's, in a hundred changes; without says who is to be away during some of them.
func life(t *testing.T, without func(apps []string, changes func())) product {
	t.Helper()
	p := register(t, osaka(1000))
	displayed(t, p.ProductID, func(item) bool { return true })
	heard(t, "product", "reservation", "store", "viewpage")
	revised := func(times int) {
		for range times {
			revise(t, p.ProductID, func(b object) {
				b["price"] = b["price"].(float64) + 1000
				first := b["departures"].([]any)[0].(object)
				first["capacity"] = first["capacity"].(float64) - 1
			}).Is(t, 200)
		}
	}
	var made []string
	reserved := func(times int) {
		for range times {
			made = append(made, stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201)).ReservationID)
		}
	}
	without([]string{"store", "viewpage"}, func() {
		revised(20)
		heard(t, "product", "reservation")
		reserved(20)
	})
	without([]string{"product", "store", "viewpage"}, func() {
		reserved(10)
		for _, id := range made[:15] {
			cancel(t, "customer-1", id, object{}).Is(t, 202)
		}
	})
	without([]string{"payment"}, func() {
		for _, id := range made[15:20] {
			cancel(t, "customer-1", id, object{}).Is(t, 202)
		}
	})
	without([]string{"reservation"}, func() { revised(30) })
	heard(t, "product", "reservation")
	reserved(1) // at the price of the last revision
	return p
}

// state is what everybody knows of a product, without what names it.
type state struct {
	Displayed, Board any
	Notices          map[string]int
	Statuses         map[string]int
	Price            int64 // of the latest reservation
}

func stateOf(t *testing.T, p product) state {
	t.Helper()
	i, _ := storeItem(t, p.ProductID)
	i.ProductID, i.Departures[0].DepartureID = "", ""
	s := state{Displayed: i, Notices: map[string]int{}, Statuses: map[string]int{}}
	for _, b := range board(t) {
		if b.ProductID == p.ProductID {
			b.ProductID = ""
			s.Board = b
		}
	}
	for _, n := range inbox(t) {
		if n.ProductID == p.ProductID {
			s.Notices[n.Status]++
		}
	}
	made := reservationsOf(t, p)
	for _, r := range made {
		s.Statuses[r.status]++
	}
	last := slices.MaxFunc(made, func(a, b row) int { return cmp.Compare(a.id, b.id) })
	s.Price = find(t, "customer-1", last.id).Price.List
	return s
}
