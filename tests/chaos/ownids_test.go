package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// comesBack is a customer with an id of one's own, who is turned away while the provider cannot be reached, and comes
// back with it. It gives the id.
func (l *load) comesBack(t *testing.T, p tour) string {
	t.Helper()
	wish := oracle.Call{User: customer(0), Op: oracle.OpReserve, Service: "reservation", Token: "tok_ok", Product: p.id, Departure: p.departures[0].id, Travellers: 1}
	ask := func() stack.Answer {
		wish.Key = newID()
		return l.ask(wish, "POST", "/api/reservations", object{"productId": p.id, "departureId": wish.Departure, "travellers": 1,
			"paymentPlan": "FULL", "paymentMethod": object{"type": "CARD", "token": wish.Token}, "reservationId": wish.Of})
	}
	proxy["paymentsim"].Stop()
	stack.Eventually(t, 20*time.Second, "nothing was charged", func() error {
		wish.Of = newID() // of one before, the fate may be unknown
		if a := ask(); a.Code() != oracle.Busy || len(seenIn(a)) == 0 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	if err := proxy["paymentsim"].Start(); err != nil {
		t.Fatal(err)
	}
	stack.Eventually(t, 20*time.Second, "it is opened again", func() error {
		if a := ask(); a.Status != http.StatusCreated {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	return wish.Of
}

// doesNotCome is a customer whose no-show is recorded, after somebody has tried to do so before the day. It gives the
// reservation.
func (l *load) doesNotCome(t *testing.T, p tour) string {
	t.Helper()
	id := decode[struct{ ReservationID string }](l.reserveOnce(customer(0), p, "tok_ok", "ko").Is(t, http.StatusCreated)).ReservationID
	path := "/api/reservations/" + id + "/no-show"
	if a := l.ask(oracle.Call{User: p.md, Op: oracle.OpTooEarly, Service: "reservation", Of: id}, "POST", path, nil); a.Code() != "TOO_EARLY" {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	l.desk.absent.put(absentee{id, p.md})
	l.recordNoShow(p.md, func(a absentee) bool { return a.reservation == id }, rand.New(rand.NewPCG(1, 1)))
	return id
}

// liesOfIDs: had clients been told otherwise of ids that they made, the oracle would have found it.
func liesOfIDs(t *testing.T, w *oracle.World, calls *oracle.Log, again string) {
	t.Helper()
	all := calls.Calls()
	victim := all[slices.IndexFunc(all, misused)].Of
	misuse := func(c oracle.Call) bool { return misused(c) && c.Of == victim }
	once, _ := answered(t, w, calls, func(r *oracle.Reservation) bool {
		return r.Status == "CONFIRMED" && r.Attempts() == 1 && slices.ContainsFunc(all, ofOwner(r.ID))
	})
	stranger := newID()
	for _, lie := range []struct {
		name, kind, subject string
		log                 *oracle.Log
	}{
		{"who misused an id was told 201", oracle.BrokenPromise, victim, changed(calls, misuse, func(c *oracle.Call) { c.Status, c.Code = 201, "" })},
		{"who misused an id was told of a reservation", oracle.BrokenPromise, victim, changed(calls, misuse, turnedAway(victim))},
		{"nobody came back with it", oracle.Orphan, again, without(calls, func(c oracle.Call) bool { return ofOwner(again)(c) && c.Status == 201 })},
		{"who was told BUSY had been confirmed at once", oracle.BrokenPromise, once.Of, changed(calls, ofOwner(once.Of), turnedAway(once.Of))},
		{"the answer named another one", oracle.BrokenPromise, again, changed(calls, ofOwner(again), turnedAway(stranger))},
		{"its owner was another customer", oracle.BrokenPromise, again, changed(calls, ofOwner(again), func(c *oracle.Call) { c.User = customer(1) })},
	} {
		told(t, lie.name, w, lie.log, lie.kind, lie.subject)
	}
}

// misused is a call that misused an id and was refused for that.
func misused(c oracle.Call) bool { return c.Op == oracle.OpMisuse && c.Code == "ID_TAKEN" }

// ofOwner are the calls of whoever made the id.
func ofOwner(id string) func(oracle.Call) bool {
	return func(c oracle.Call) bool { return c.Op == oracle.OpReserve && c.Of == id }
}

// turnedAway is told that nothing was charged for a reservation.
func turnedAway(id string) func(*oracle.Call) {
	return func(c *oracle.Call) {
		c.Status, c.Code, c.Seen = 503, oracle.Busy, []oracle.Seen{{ID: id, Status: "REJECTED"}}
	}
}

func changed(calls *oracle.Log, such func(oracle.Call) bool, how func(*oracle.Call)) *oracle.Log {
	return calls.Altered(func(all []oracle.Call) []oracle.Call {
		for i := range all {
			if such(all[i]) {
				how(&all[i])
			}
		}
		return all
	})
}

func without(calls *oracle.Log, such func(oracle.Call) bool) *oracle.Log {
	return calls.Altered(func(all []oracle.Call) []oracle.Call { return slices.DeleteFunc(all, such) })
}

// liesOfNoShows is the same of those who did not come.
func liesOfNoShows(t *testing.T, w *oracle.World, calls *oracle.Log, absent string) {
	t.Helper()
	told(t, "nobody recorded the no-show", w, without(calls, func(c oracle.Call) bool { return c.Op == oracle.OpNoShow && c.Of == absent }), oracle.Orphan, absent)
	early := func(c oracle.Call) bool { return c.Op == oracle.OpTooEarly && c.Of == absent }
	told(t, "it was recorded before the day", w, changed(calls, early, func(c *oracle.Call) { c.Status = http.StatusOK }), oracle.BrokenPromise, absent)
	expected, _ := answered(t, w, calls, func(r *oracle.Reservation) bool { return r.Status == "CONFIRMED" })
	told(t, "who is still expected was said not to have come", w, calls.Altered(func(all []oracle.Call) []oracle.Call {
		return append(all, oracle.Call{User: mds[0], Op: oracle.OpNoShow, Of: expected.Names(), Status: http.StatusOK, Start: w.At, End: w.At})
	}), oracle.BrokenPromise, expected.Names())
}

func told(t *testing.T, name string, w *oracle.World, log *oracle.Log, kind, subject string) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		if found := w.Judge(log); !mentions(found, kind, subject) {
			t.Errorf("no %s of %s found, but %v", kind, subject, found)
		}
	})
}

// declined are two that were rejected by their card: one whose id its client made, and one without; nil when there is
// none.
func declined(w *oracle.World, calls *oracle.Log) (own, other *oracle.Reservation) {
	made := map[string]bool{}
	for _, c := range calls.Calls() {
		made[c.Of] = made[c.Of] || c.Op == oracle.OpReserve
	}
	for _, r := range w.Reservations {
		if r.Status != "REJECTED" || r.Attempts() > 1 || r.History[len(r.History)-1].Cause != "PAYMENT_DECLINED" {
			continue
		}
		if made[r.ID] {
			own = r
		} else {
			other = r
		}
	}
	return own, other
}

// violationsOf ids that clients made, and of no-shows.
func violationsOf(w *oracle.World, calls *oracle.Log, absent string) []violation {
	own, other := declined(w, calls)
	r, c := w.Reservations[absent], w.Reservations[absent].Cancellation
	return []violation{
		{"who was declined was let in again", oracle.HistoryBroken, own.ID, oracle.Reservations, openedAgain(own, 1, "PAYMENT_DECLINED")},
		{"an id that no client made was opened again", oracle.HistoryBroken, other.ID, oracle.Reservations, openedAgain(other, 1, "PAYMENT_NOT_SENT")},
		{"an id was tried once too often", oracle.HistoryBroken, own.ID, oracle.Reservations, openedAgain(own, 10, "PAYMENT_NOT_SENT")},
		{"nobody asked a second time", oracle.Orphan, own.ID, oracle.Reservations, openedAgain(own, 1, "PAYMENT_NOT_SENT")},
		{"a no-show pays nothing", oracle.FeeDiffers, absent, oracle.Reservations, both(document("$.cancellation.fee", c.Fee, 0, absent), document("$.cancellation.refund", c.Refund, r.DueNow, absent))},
		{"a no-show that was counted by another day", oracle.FeeDiffers, absent, oracle.Reservations, document("$.cancellation.daysBefore", 0, 1, absent)},
		{"a no-show before the departure", oracle.HistoryBroken, absent, oracle.Reservations, document("$.departureDate", r.DepartureDate, inDays(1), absent)},
	}
}
