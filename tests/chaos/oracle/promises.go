package oracle

import "time"

// wish is one reservation that a client wanted, under one key: all calls for it.
type wish struct {
	user, key, token, product, departure string
	travellers                           int
	calls                                []Call
}

func (w wish) first() time.Time { return w.calls[0].Start }

// wishes of the log, by customer and key.
func (l *Log) wishes() map[string]*wish {
	all := map[string]*wish{}
	for _, c := range l.Calls() {
		if c.Op != OpReserve {
			continue
		}
		w := all[c.User+" "+c.Key]
		if w == nil {
			w = &wish{user: c.User, key: c.Key, token: c.Token, product: c.Product, departure: c.Departure, travellers: c.Travellers}
			all[c.User+" "+c.Key] = w
		}
		w.calls = append(w.calls, c)
	}
	return all
}

// OpReserve is the operation of a call that reserves.
const OpReserve = "reserve"

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
	for name, wish := range wishes {
		kept := map[string]bool{} // reservations that the key answered with; after BUSY it makes a new one
		for _, c := range wish.calls {
			id := c.Names()
			if id == "" {
				continue
			}
			asked[id] = wish
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
			case (c.Status == 402 || c.Code == Busy) && (r.Status != "REJECTED" || charged(id) != 0):
				f.add(BrokenPromise, id, "%s was told %d, and it is %s with %d won charged", wish.user, c.Status, r.Status, charged(id))
			}
			if price := r.Price; price.List-price.Discount != price.Payable || !calls.priced(r) {
				f.add(BrokenPromise, id, "its price is %+v for %d travellers, which the product never had", price, r.Travellers)
			}
		}
		for _, id := range w.Keys[name] {
			kept[id], asked[id] = true, wish
		}
		if len(kept) > 1 {
			f.add(KeyShared, wish.key, "one key, %d reservations: %v", len(kept), kept)
		}
		// A refusal as the last word: nothing is charged under this key.
		if last := wish.calls[len(wish.calls)-1]; last.Status == 409 && last.Code != "IDEMPOTENCY_IN_PROGRESS" {
			for id := range kept {
				if charged(id) != 0 {
					f.add(BrokenPromise, id, "%s was told %s in the end, and %d won are charged", wish.user, last.Code, charged(id))
				}
			}
		}
	}
	w.unasked(asked, wishes, &f)
	return f
}

// unasked finds reservations for which no client asked. One whose key was forgotten, since nothing was charged, and
// whose answer was lost, is known by who wanted such a one at that time.
func (w *World) unasked(asked map[string]*wish, wishes map[string]*wish, f *findings) {
	for id, r := range w.Reservations {
		if asked[id] == nil && wishOf(r, wishes) == nil {
			f.add(Orphan, id, "nobody asked for this reservation of %s at %s", r.Customer, r.CreatedAt.Format(time.RFC3339Nano))
		}
	}
}

// wishOf is the latest wish of the customer that can have made the reservation.
func wishOf(r *Reservation, wishes map[string]*wish) *wish {
	var found *wish
	for _, w := range wishes {
		if w.user == r.Customer && w.departure == r.Departure && w.travellers == r.Travellers && !w.first().After(r.CreatedAt) &&
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
