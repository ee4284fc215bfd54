package oracle

import (
	"testing"
	"time"
)

var noon = time.Date(2027, 3, 14, 12, 0, 0, 0, time.UTC)

func at(second float64) time.Time { return noon.Add(time.Duration(second * float64(time.Second))) }

// asks is a call to reserve the one seat of d; what it was told names the reservation, unless that is "".
func asks(user, own, key string, from, to float64, status int, code, id, state string) Call {
	c := Call{User: user, Op: OpReserve, Of: own, Key: key, Departure: "d", Travellers: 1, Start: at(from), End: at(to), Status: status, Code: code}
	if id != "" {
		c.Seen = []Seen{{ID: id, Status: state}}
	}
	return c
}

func row(version int64, from, to, cause string, second float64) Entry {
	return Entry{Version: version, From: from, To: to, Cause: cause, At: at(second)}
}

// a is turned away at 3, and comes back with its id at 8.
func comesBack() (*Reservation, []Call) {
	return &Reservation{
			ID: "a", Customer: "one", Departure: "d", Travellers: 1, Status: "CONFIRMED", Version: 4, CreatedAt: at(0.5),
			History: []Entry{row(1, "", "PENDING", "RESERVED", 0.5), row(2, "PENDING", "REJECTED", notAsked, 1), row(3, "REJECTED", "PENDING", "RESERVED", 8.5), row(4, "PENDING", "CONFIRMED", "", 8.7)},
		}, []Call{
			asks("one", "a", "k1", 0, 3, 503, Busy, "a", "REJECTED"),
			asks("one", "a", "k2", 8, 9, 201, "", "a", "CONFIRMED"),
		}
}

func told(calls ...Call) *Log {
	log := NewLog()
	log.AskCapacity("d", 1)
	for _, c := range calls {
		log.Add(c)
	}
	return log
}

// Of one seat, whoever comes back with an id of one's own has it twice, and somebody else in between at most.
func TestSeatsOfOneWhoComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		from, to  float64 // when the other one asked, and was told
		cancelled float64 // 0: never
		want      bool
	}{
		"the other one came and went in between":      {4, 5, 7, true},
		"the other one was never gone":                {4, 5, 0, false},
		"the other one went afterwards":               {4, 5, 10, false},
		"the other one came while it was turned away": {1, 2, 7, true},
		"the other one came afterwards":               {10, 11, 0, false},
	} {
		a, calls := comesBack()
		b := &Reservation{ID: "b", Customer: "two", Departure: "d", Travellers: 1, Status: "CONFIRMED", CreatedAt: at(c.from)}
		calls = append(calls, asks("two", "", "k", c.from, c.to, 201, "", "b", "CONFIRMED"))
		if c.cancelled > 0 {
			b.Status = "CANCELLED"
			calls = append(calls, Call{User: "two", Op: "find", Start: at(c.cancelled - 0.5), End: at(c.cancelled - 0.4), Status: 200, Seen: []Seen{{ID: "b", Status: "CONFIRMED"}}})
			calls = append(calls, Call{User: "two", Op: "cancel", Start: at(c.cancelled), End: at(c.cancelled + 0.5), Status: 200, Seen: []Seen{{ID: "b", Status: "CANCELLED"}}})
		}
		w := &World{At: at(20), Reservations: map[string]*Reservation{"a": a, "b": b}}
		result := w.Linearizable(told(calls...), time.Minute)
		if found := len(result.Found) > 0; found == c.want || result.Departures != 1 {
			t.Errorf("%s: %+v", name, result)
		}
	}
}

// What a reservation whose id a client made may do, and what only that.
func TestOnlyAnOwnIDOpensAgain(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Reservation, []Call)
		kind   string // "" when nothing is to be found
	}{
		"as it should be":                                       {func(*Reservation, []Call) {}, ""},
		"the client made none":                                  {func(_ *Reservation, c []Call) { c[0].Of, c[1].Of = "", "" }, HistoryBroken},
		"it had been declined":                                  {func(r *Reservation, _ []Call) { r.History[1].Cause = "PAYMENT_DECLINED" }, HistoryBroken},
		"it had been confirmed":                                 {func(r *Reservation, _ []Call) { r.History[1].To, r.History[2].From = "CONFIRMED", "CONFIRMED" }, HistoryBroken},
		"it was opened before asking":                           {func(r *Reservation, _ []Call) { r.History[2].At = at(5) }, Orphan},
		"it was opened, and then was told that the id is taken": {func(_ *Reservation, c []Call) { c[1].Status, c[1].Code, c[1].Seen = 409, idTaken, nil }, ""},
		"the id was taken while nobody had it": {func(r *Reservation, c []Call) {
			r.Status, r.Version, r.History = "REJECTED", 2, r.History[:2]
			c[1].Status, c[1].Code, c[1].Seen = 409, idTaken, nil
		}, BrokenPromise},
		"a first call without an answer that comes late": {func(r *Reservation, c []Call) {
			c[0].Status, c[0].Code, c[0].Seen, r.History[2].At = 0, "", nil, at(5)
		}, ""},
	} {
		r, calls := comesBack()
		c.change(r, calls)
		w, log := &World{Reservations: map[string]*Reservation{"a": r}}, told(calls...)
		var kinds []string
		for _, f := range append(w.histories(log), w.ownIDs(log)...) {
			kinds = append(kinds, f.Kind)
		}
		if c.kind == "" && len(kinds) > 0 || c.kind != "" && !has(kinds, c.kind) {
			t.Errorf("%s: %v", name, kinds)
		}
	}
}
