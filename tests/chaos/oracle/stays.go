package oracle

import (
	"slices"
	"time"
)

// sight is an answer that named a reservation.
type sight struct {
	start, end time.Time
	status     string // "" when the answer was kept and only repeated: it says nothing of now
}

// sightings are all answers that name a reservation, by its id.
func sightings(calls *Log) map[string][]sight {
	all := map[string][]sight{}
	for _, c := range calls.Calls() {
		for _, s := range c.Seen {
			all[s.ID] = append(all[s.ID], sight{c.Start, c.End, s.Status})
		}
	}
	return all
}

// stay is one time that a reservation had its seats: taken between first and taken, given back between alive and gone.
type stay struct {
	first, taken time.Time
	ended        bool
	alive, gone  time.Time
}

// stays of a reservation: one, and another one each time that it was opened again. What clients saw belongs to the stay
// that had been asked for when the answer came; only these instants are taken from the history.
func (w *World) stays(r *Reservation, from *wish, seen []sight) []stay {
	borders := []time.Time{{}}
	for i, h := range r.History {
		if r.opensAgain(i) {
			borders = append(borders, h.At)
		}
	}
	all := make([]stay, len(borders))
	until, ended := w.At, ended(r.Status)
	for i, since := range slices.Backward(borders) {
		all[i] = from.stay(since, until, seen)
		all[i].ended = ended
		seen = slices.DeleteFunc(slices.Clone(seen), func(s sight) bool { return !s.end.Before(since) })
		until, ended = all[i].taken, true
	}
	return all
}

// stay that was asked for at an instant (zero: by the first call), by what was seen since. What nobody saw had happened
// by until.
func (w wish) stay(since, until time.Time, seen []sight) stay {
	s := stay{first: w.first(), taken: until, gone: until}
	for _, c := range w.calls {
		if !c.Start.After(since) && c.Start.After(s.first) {
			s.first = c.Start
		}
	}
	s.alive = s.first
	for _, x := range seen {
		switch {
		case x.end.Before(since):
			continue
		case x.status != "" && !ended(x.status):
			s.alive = later(s.alive, x.start)
		case x.status != "" && x.end.Before(s.gone):
			s.gone = x.end
		}
		if x.end.Before(s.taken) {
			s.taken = x.end
		}
	}
	return s
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
