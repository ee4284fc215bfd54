package oracle

import (
	"slices"
	"time"
)

// idTaken refuses an id that is somebody's already.
const idTaken = "ID_TAKEN"

// mostAttempts is how often an id can be tried.
const mostAttempts = 10

// notAsked is why a reservation was rejected whose payment was certainly not asked.
const notAsked = "PAYMENT_NOT_SENT"

// ownIDs that clients made.
func (l *Log) ownIDs() map[string]bool {
	all := map[string]bool{}
	for _, c := range l.Calls() {
		if c.Op == OpReserve && c.Of != "" {
			all[c.Of] = true
		}
	}
	return all
}

// opensAgain says whether row i of the history is the one step out of REJECTED, which an id that its client made may
// take when payment was certainly not asked.
func (r *Reservation) opensAgain(i int) bool {
	h := r.History[i]
	return i > 0 && h.From == "REJECTED" && h.To == "PENDING" && r.History[i-1].To == "REJECTED" && r.History[i-1].Cause == notAsked
}

// notSent says whether it had been rejected by an instant because payment was certainly not asked.
func (r *Reservation) notSent(by time.Time) bool {
	return slices.ContainsFunc(r.History, func(h Entry) bool {
		return h.To == "REJECTED" && h.Cause == notAsked && !h.At.After(by)
	})
}

// ownIDs: an id that a client made is that client's, for the reservation that it was made for. Whoever misuses it is
// refused; each time that its seats were asked for, its owner did; who may come back with it is not refused.
func (w *World) ownIDs(calls *Log) []Finding {
	var f findings
	for _, c := range calls.Calls() {
		if c.Op == OpMisuse && (c.Status > 0 && c.Status < 300 || c.Status == 402 || len(c.Seen) > 0) {
			f.add(BrokenPromise, c.Of, "%s misused this id and was told %d %s", c.User, c.Status, c.Code)
		}
	}
	for _, wish := range calls.wishes() {
		if wish.own == "" {
			continue
		}
		r := w.Reservations[wish.own]
		for _, c := range wish.calls {
			if id := c.Names(); id != "" && id != wish.own {
				f.add(BrokenPromise, wish.own, "%s reserved with this id and was told of %s", wish.user, id)
			}
			if c.Code == idTaken && (r == nil || r.free(c)) {
				f.add(BrokenPromise, wish.own, "%s was told that this id is taken, and nobody had it", wish.user)
			}
		}
		if r != nil {
			wish.explains(r, &f)
		}
	}
	return f
}

// free says whether during a call the id could be used again: it was rejected before for want of payment, and stayed so.
func (r *Reservation) free(c Call) bool {
	for i, h := range r.History {
		if h.To == "REJECTED" && h.Cause == notAsked && h.At.Before(c.Start) && (i+1 == len(r.History) || r.History[i+1].At.After(c.End)) {
			return true
		}
	}
	return false
}

// explains: each time that seats were asked for, a call of the owner was on its way. One without an answer may still
// have been on its way long after.
func (w wish) explains(r *Reservation, f *findings) {
	for _, h := range r.History {
		if h.From == h.To || h.To != "PENDING" {
			continue
		}
		if !slices.ContainsFunc(w.calls, func(c Call) bool {
			answered := c.Status > 0 && c.Status < 500 || c.Code == Busy
			return !c.Start.After(h.At) && (!answered || !c.End.Before(h.At))
		}) {
			f.add(Orphan, r.ID, "nobody asked for its seats at %s", h.At.Format(time.RFC3339Nano))
		}
	}
	if n := r.Attempts(); n > len(w.calls) {
		f.add(Orphan, r.ID, "its seats were asked for %d times, by %d calls", n, len(w.calls))
	}
}
