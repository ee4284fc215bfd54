package oracle

// seatCounts: no departure is oversold, and its counts are those of its reservations.
func (w *World) seatCounts(calls *Log) []Finding {
	var f findings
	for id, d := range w.Departures {
		if most, _ := calls.Capacity(id); most > 0 && d.Held+d.Confirmed > most {
			f.add(Oversold, id, "%d held and %d confirmed of %d seats", d.Held, d.Confirmed, most)
		}
		if d.Held != d.heldRows || d.Confirmed != d.takenRows {
			f.add(SeatsDiffer, id, "held %d, its reservations %d; confirmed %d, its reservations %d", d.Held, d.heldRows, d.Confirmed, d.takenRows)
		}
		if !sameCounts(d.Counts, d.rows) {
			f.add(SeatsDiffer, id, "counts %v, its reservations %v", d.Counts, d.rows)
		}
	}
	return f
}

// sameCounts compares counts in which 0 may be left out.
func sameCounts(a, b map[string]int) bool {
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	for k := range b {
		if a[k] != b[k] {
			return false
		}
	}
	return true
}

func (w *World) seats(calls *Log) []Finding { return w.seatCounts(calls) }

// steps that a reservation can take; one more is in opensAgain.
var steps = map[string][]string{
	"": {"PENDING"}, "PENDING": {"CONFIRMED", "REJECTED"}, "CONFIRMED": {"CANCEL_REQUESTED", "COMPLETED"}, "CANCEL_REQUESTED": {"CANCELLED"},
}

// histories are whole: versions 1, 2, 3 …, each row beginning where the one before ended, the last one being the
// present state. Rows that are no transition have from = to.
func (w *World) histories(calls *Log) []Finding {
	var f findings
	own := calls.ownIDs()
	for id, r := range w.Reservations {
		state := ""
		for i, h := range r.History {
			if h.Version != int64(i+1) || h.From != state || h.From != h.To && !has(steps[h.From], h.To) && !(own[id] && r.opensAgain(i)) {
				f.add(HistoryBroken, id, "row %d: version %d, from %q to %q, after %q", i+1, h.Version, h.From, h.To, state)
			}
			state = h.To
		}
		if n := r.Attempts(); n > mostAttempts {
			f.add(HistoryBroken, id, "its seats were asked for %d times", n)
		}
		if state != r.Status || int64(len(r.History)) != r.Version {
			f.add(HistoryBroken, id, "%s, version %d; its history has %d rows and ends with %q", r.Status, r.Version, len(r.History), state)
		}
	}
	return f
}

func has(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}
