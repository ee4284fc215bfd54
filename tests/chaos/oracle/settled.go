package oracle

import "strings"

// Tokens whose refunds the provider refuses for good, as a whole or in part.
var refused = []string{"tok_refund_refused", "tok_no_partial"}

// settled: nothing is on its way any more, but for refunds that the provider refuses for good.
func (w *World) settled(calls *Log) []Finding {
	var f findings
	w.delivered(&f)
	tokens := map[string]string{}
	for _, wish := range calls.wishes() {
		for _, c := range wish.calls {
			tokens[c.Names()] = wish.token
		}
		for _, id := range w.heldBy(wish) {
			tokens[id] = wish.token
		}
	}
	for id, r := range w.Reservations {
		if r.Status == "PENDING" || r.Status == "CANCEL_REQUESTED" && !w.stuck(id) {
			f.add(Unsettled, id, "%s since %s", r.Status, r.History[len(r.History)-1].At)
		}
		if r.Status == "CANCELLED" {
			w.returned(id, &f)
		}
		if w.stuck(id) && !refusing(tokens[id]) {
			f.add(Unsettled, id, "its refund is stuck, and its token is %q", tokens[id])
		}
		if p := w.Products[r.Product]; p != nil && r.Status == "CONFIRMED" {
			if _, closed := p.Closures[r.Departure]; closed {
				f.add(Unsettled, id, "CONFIRMED on a departure that its supplier closed")
			}
		}
	}
	return f
}

// returned: who is CANCELLED has all of the cancellation's refund. A waiver's comes later and may still be stuck.
func (w *World) returned(reservation string, f *findings) {
	for _, r := range w.refundsOf(reservation) {
		if r.Cause == "CANCELLATION" && r.Status != "DONE" {
			f.add(Unsettled, reservation, "CANCELLED, and its refund of %d won is %s", r.Amount, r.Status)
		}
	}
}

// delivered: no payment, no refund and no event is on its way, and none was given up.
func (w *World) delivered(f *findings) {
	for id, p := range w.Payments {
		if !has([]string{"APPROVED", "DECLINED", "VOIDED"}, p.Status) {
			f.add(Unsettled, id, "the payment of %s is %s", p.Reservation, p.Status)
		}
	}
	for _, r := range w.Refunds {
		if r.Status == "REQUESTED" {
			f.add(Unsettled, r.ID, "a refund of %d won for %s is on its way", r.Amount, r.Cause)
		}
	}
	for service, n := range w.Waiting {
		if n > 0 {
			f.add(Undelivered, service, "%d events wait in its outbox", n)
		}
	}
	for service, n := range w.Dead {
		if n > 0 {
			f.add(DeadLetter, service, "%d dead letters", n)
		}
	}
}

func refusing(token string) bool {
	name, _, _ := strings.Cut(token, ".")
	return has(refused, name)
}
