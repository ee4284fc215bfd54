package chaos

import (
	"maps"
	"slices"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// lies: had clients been told something else than they were, the oracle would have found it.
func lies(t *testing.T, w *oracle.World, calls *oracle.Log) {
	t.Helper()
	told, r := answered(t, w, calls, func(r *oracle.Reservation) bool { return r.Status == "CONFIRMED" && r.Attempts() == 1 }) // no answer before named it
	key := told.User + " " + told.Key
	forgotten := *w
	forgotten.Keys = maps.Clone(w.Keys)
	delete(forgotten.Keys, key)
	altered := func(change func(*oracle.Call)) *oracle.Log {
		return calls.Altered(func(all []oracle.Call) []oracle.Call {
			for i := range all {
				if all[i].Op == oracle.OpReserve && all[i].User+" "+all[i].Key == key {
					change(&all[i])
				}
			}
			return all
		})
	}
	for _, lie := range []struct {
		name, kind string
		world      *oracle.World
		log        *oracle.Log
	}{
		{"who was told 201 was told 402", oracle.BrokenPromise, w, altered(func(c *oracle.Call) {
			if c.Status == 201 {
				c.Status, c.Code = 402, "PAYMENT_DECLINED"
			}
		})},
		{"the last word was SOLD_OUT, and named none", oracle.BrokenPromise, w, altered(func(c *oracle.Call) { c.Status, c.Code, c.Seen = 409, "SOLD_OUT", nil })},
		{"the price was another one", oracle.BrokenPromise, w, altered(func(c *oracle.Call) { c.Quoted = r.Price.Payable + 1 })},
		{"no answer names it and no key holds it", oracle.Orphan, &forgotten, altered(func(c *oracle.Call) { c.Status, c.Seen = 0, nil })},
	} {
		t.Run(lie.name, func(t *testing.T) {
			if found := lie.world.Judge(lie.log); !mentions(found, lie.kind, r.ID) {
				t.Errorf("no %s of %s found, but %v", lie.kind, r.ID, found)
			}
		})
	}
	t.Run("sold out before anybody came", func(t *testing.T) { soldOutTooEarly(t, w, calls) })
}

// answered is a 201 of the first MD's products for such a reservation on a departure of one capacity.
func answered(t *testing.T, w *oracle.World, calls *oracle.Log, such func(*oracle.Reservation) bool) (oracle.Call, *oracle.Reservation) {
	t.Helper()
	all := calls.Calls()
	for _, c := range slices.Backward(all) {
		r := w.Reservations[c.Names()]
		if c.Op != oracle.OpReserve || c.Status != 201 || r == nil || !such(r) {
			continue
		}
		if _, fixed := calls.Capacity(r.Departure); fixed {
			return c, r
		}
	}
	t.Fatal("nobody was told 201 of such a reservation")
	return oracle.Call{}, nil
}

func soldOutTooEarly(t *testing.T, w *oracle.World, calls *oracle.Log) {
	t.Helper()
	told, r := answered(t, w, calls, func(*oracle.Reservation) bool { return true })
	first := calls.Calls()[0].Start
	found := w.Linearizable(calls.Altered(func(all []oracle.Call) []oracle.Call {
		return append(all, oracle.Call{User: told.User, Op: oracle.OpReserve, Key: newID(), Departure: r.Departure, Travellers: 1,
			Start: first.Add(-2 * time.Second), End: first.Add(-time.Second), Status: 409, Code: "SOLD_OUT"})
	}), time.Minute).Found
	if !mentions(found, oracle.NotLinearizable, r.Departure) {
		t.Errorf("no %s of %s found, but %v", oracle.NotLinearizable, r.Departure, found)
	}
	if found := w.Linearizable(calls, time.Minute).Found; len(found) > 0 {
		t.Errorf("the true log: %v", found)
	}
}
