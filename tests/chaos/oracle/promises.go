package oracle

import (
	"cmp"
	"time"
)

// wish is one reservation that a client wanted: all calls for it, under one key, or with one id that the client made.
type wish struct {
	user, own, token, departure string // own is the id that the client made; "" when none
	travellers                  int
	calls                       []Call
}

func (w wish) first() time.Time { return w.calls[0].Start }

// name of a wish, for findings.
func (w wish) name() string { return cmp.Or(w.own, w.calls[0].Key) }

// wishes of the log, by customer and name.
func (l *Log) wishes() map[string]*wish {
	all := map[string]*wish{}
	for _, c := range l.Calls() {
		if c.Op != OpReserve {
			continue
		}
		name := c.User + " " + cmp.Or(c.Of, c.Key)
		w := all[name]
		if w == nil {
			w = &wish{user: c.User, own: c.Of, token: c.Token, departure: c.Departure, travellers: c.Travellers}
			all[name] = w
		}
		w.calls = append(w.calls, c)
	}
	return all
}

// heldBy a wish's keys are these reservations.
func (w *World) heldBy(of *wish) (all []string) {
	known := map[string]bool{}
	for _, c := range of.calls {
		if !known[c.Key] {
			known[c.Key] = true
			all = append(all, w.Keys[of.user+" "+c.Key]...)
		}
	}
	return all
}

// Busy turns somebody away with nothing charged. Any other 503 promises nothing: who gets it asks again.
const Busy = "BUSY"

// promises: what clients were told is so, and nobody has what nobody asked for.
func (w *World) promises(calls *Log) []Finding {
	var f findings
	balances := w.balances()
	charged := func(id string) int64 {
		if b := balances[id]; b != nil {
			return b.charged - b.returned - w.beside(id)
		}
		return 0
	}
	wishes := calls.wishes()
	asked := map[string]*wish{} // by reservation
	for _, wish := range wishes {
		kept := map[string]bool{}  // reservations that the key answered with; after BUSY it makes a new one
		known := map[string]bool{} // those of BUSY included
		for _, c := range wish.calls {
			id := c.Names()
			if id == "" {
				continue
			}
			asked[id], known[id] = wish, true
			r := w.Reservations[id]
			if r == nil {
				f.add(BrokenPromise, id, "%s was told %d, and there is no such reservation", wish.user, c.Status)
				continue
			}
			if r.Customer != wish.user || r.Departure != wish.departure || r.Travellers != wish.travellers {
				f.add(BrokenPromise, id, "%s was told %d of somebody else's reservation", wish.user, c.Status)
			}
			if c.Code != Busy {
				kept[id] = true
			}
			switch {
			case c.Status == 201 && !r.was("CONFIRMED"):
				f.add(BrokenPromise, id, "%s was told 201, and it never was CONFIRMED", wish.user)
			case c.Code == Busy && wish.own != "": // it may have been opened again since
				if !r.notSent(c.End) {
					f.add(BrokenPromise, id, "%s was told BUSY at %s, and it had not been rejected for that", wish.user, c.End.Format(time.RFC3339Nano))
				}
			case (c.Status == 402 || c.Code == Busy) && (r.Status != "REJECTED" || charged(id) != 0):
				f.add(BrokenPromise, id, "%s was told %d, and it is %s with %d won charged", wish.user, c.Status, r.Status, charged(id))
			}
			if told := c.Seen[0].Payable; c.Status == 201 && (told != r.Price.Payable || c.Quoted != 0 && told != c.Quoted) {
				f.add(BrokenPromise, id, "%s was quoted %d won and told %d, and it costs %d", wish.user, c.Quoted, told, r.Price.Payable)
			}
			if price := r.Price; price.List-price.Discount != price.Payable || !calls.priced(r) {
				f.add(BrokenPromise, id, "its price is %+v for %d travellers, which the product never had", price, r.Travellers)
			}
		}
		for _, id := range w.heldBy(wish) {
			kept[id], known[id], asked[id] = true, true, wish
		}
		if len(kept) > 1 {
			f.add(KeyShared, wish.name(), "one key, %d reservations: %v", len(kept), kept)
		}
		w.onlyOne(wish, known, &f)
		if last := wish.calls[len(wish.calls)-1]; last.refuses() {
			for id := range known {
				if charged(id) != 0 {
					f.add(BrokenPromise, id, "%s was told %d %s in the end, and %d won are charged", wish.user, last.Status, last.Code, charged(id))
				}
			}
		}
	}
	for id, r := range w.Reservations {
		if asked[id] == nil {
			unasked(r, wishOf(r, wishes), charged(id), &f)
		}
	}
	return f
}

// refuses says whether an answer to reserving tells that there is no reservation, and so nothing charged under the key.
// That an id is taken says nothing of the kind.
func (c Call) refuses() bool {
	switch c.Status {
	case 402, 404, 410, 422:
		return true
	case 409:
		return c.Code != "IDEMPOTENCY_IN_PROGRESS" && c.Code != idTaken
	}
	return c.Code == Busy
}

// onlyOne: of all that a key led to at most one was not refused.
func (w *World) onlyOne(wish *wish, known map[string]bool, f *findings) {
	var alive []string
	for id := range known {
		if r := w.Reservations[id]; r != nil && r.Status != "REJECTED" {
			alive = append(alive, id)
		}
	}
	if len(alive) > 1 {
		f.add(KeyShared, wish.name(), "one key, %d reservations that were not refused: %v", len(alive), alive)
	}
}

// unasked judges a reservation that no answer named and no key holds. Only a key whose attempt was refused with
// nothing charged is forgotten, so it can be no other; and somebody must have wanted such a one at that time.
func unasked(r *Reservation, from *wish, charged int64, f *findings) {
	at := r.CreatedAt.Format(time.RFC3339Nano)
	switch {
	case from == nil:
		f.add(Orphan, r.ID, "nobody asked for this reservation of %s at %s", r.Customer, at)
	case r.Status != "REJECTED" || charged != 0:
		f.add(Orphan, r.ID, "%s with %d won charged, of %s at %s; no answer named it and no key holds it", r.Status, charged, r.Customer, at)
	}
}

// wishOf is the wish of the customer with that very id, or else the latest that can have made the reservation.
func wishOf(r *Reservation, wishes map[string]*wish) *wish {
	found := wishes[r.Customer+" "+r.ID]
	if found != nil {
		return found
	}
	for _, w := range wishes {
		if w.own == "" && w.user == r.Customer && w.departure == r.Departure && w.travellers == r.Travellers && !w.first().After(r.CreatedAt) &&
			(found == nil || found.first().Before(w.first())) {
			found = w
		}
	}
	return found
}

// priced says whether the product ever had the price of the reservation.
func (l *Log) priced(r *Reservation) bool {
	for _, p := range l.pricesOf(r.Product) {
		list := p.Won * int64(r.Travellers)
		if r.Price.List == list && r.Price.Discount == list*p.DiscountRate/10_000 {
			return true
		}
	}
	return false
}
