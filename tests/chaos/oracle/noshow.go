package oracle

// The cause of a cancellation that says that the travellers did not come.
const noShow = "NO_SHOW"

// NoShow says whether its travellers did not come.
func (r *Reservation) NoShow() bool { return r.cancelledFor(noShow) }

// cancelledFor a cause, as the history says it.
func (r *Reservation) cancelledFor(cause string) bool {
	for _, h := range r.History {
		if h.To == "CANCEL_REQUESTED" && h.From != h.To && h.Cause == cause {
			return true
		}
	}
	return false
}

// noShows: nobody did not come unless somebody recorded it, on the departure date or later; and who was told that it is
// recorded finds it so, or that the supplier had closed the departure, to which nobody comes.
func (w *World) noShows(calls *Log) []Finding {
	var f findings
	recorded := map[string]bool{}
	for _, c := range calls.Calls() {
		told := c.Status > 0 && c.Status < 300
		switch c.Op {
		case OpTooEarly:
			if told {
				f.add(BrokenPromise, c.Of, "%s recorded a no-show before the departure date", c.User)
			}
		case OpNoShow:
			recorded[c.Of] = true
			if r := w.Reservations[c.Of]; told && (r == nil || !r.NoShow() && !r.cancelledFor("DEPARTURE_CLOSED")) {
				f.add(BrokenPromise, c.Of, "%s was told %d for a no-show that is not recorded", c.User, c.Status)
			}
		}
	}
	for id, r := range w.Reservations {
		if !r.NoShow() {
			continue
		}
		if !recorded[id] {
			f.add(Orphan, id, "nobody recorded that its travellers did not come")
		}
		if c := r.Cancellation; c != nil && daysBefore(r.DepartureDate, c.RequestedAt) > 0 {
			f.add(HistoryBroken, id, "a no-show at %s, and the departure is on %s", c.RequestedAt, r.DepartureDate)
		}
	}
	return f
}
