package oracle

import (
	"time"

	"github.com/anishathalye/porcupine"
)

// Linear is how the seat histories were judged.
type Linear struct {
	Departures, Operations int // judged
	Undecided              int // departures whose search took too long
	Left                   int // departures that were not judged: resized or with too many reservations
	Found                  []Finding
}

// most reservations of one departure that are judged: a bit each in the model's state.
const mostReservations = 1024

// seatOp is what a client asked of a departure's seats.
type seatOp struct {
	kind  string // take, free, soldOut
	index int    // of the reservation
	seats int
}

type seatState struct {
	taken int
	who   [mostReservations / 64]uint64
}

// seatModel is a departure of so many seats: taking succeeds when they are enough, a sold-out answer is right only
// while they are not, and only what was taken is given back.
func seatModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return seatState{} },
		Step: func(state, input, _ any) (bool, any) {
			s, op := state.(seatState), input.(seatOp)
			word, bit := op.index/64, uint64(1)<<(op.index%64)
			switch op.kind {
			case "take":
				if s.taken+op.seats > capacity || s.who[word]&bit != 0 {
					return false, s
				}
				s.taken, s.who[word] = s.taken+op.seats, s.who[word]|bit
			case "free":
				if s.who[word]&bit == 0 {
					return false, s
				}
				s.taken, s.who[word] = s.taken-op.seats, s.who[word]&^bit
			case "soldOut":
				return s.taken+op.seats > capacity, s
			}
			return true, s
		},
	}
}

// Linearizable asks for each departure whether some order of the clients' calls, each at an instant between its
// question and its answer, explains all answers. Seats are taken between the first question of a key and the first
// answer that names the reservation; freed between the last question that was answered with it alive and the first
// answer that showed it ended. An answer that never came leaves the interval open until the world was read. Who comes
// back with an id of one's own takes seats once more. The budget is for all departures together.
func (w *World) Linearizable(calls *Log, budget time.Duration) Linear {
	end := time.Now().Add(budget)
	var result Linear
	for departure, ops := range w.seatOps(calls, (*findings)(&result.Found)) {
		capacity, fixed := calls.Capacity(departure)
		if !fixed || len(ops) == 0 || ops[len(ops)-1].Input.(seatOp).index >= mostReservations {
			result.Left++
			continue
		}
		result.Departures++
		result.Operations += len(ops)
		switch porcupine.CheckOperationsTimeout(seatModel(capacity), ops, max(time.Until(end), time.Millisecond)) {
		case porcupine.Illegal:
			result.Found = append(result.Found, Finding{NotLinearizable, departure, "no order of the calls explains the answers about its seats"})
		case porcupine.Unknown:
			result.Undecided++
		}
	}
	return result
}

// seatOps are the operations on each departure; the last one has the highest index.
func (w *World) seatOps(calls *Log, f *findings) map[string][]porcupine.Operation {
	wishes := calls.wishes()
	seen := sightings(calls)
	owner := map[string]*wish{}
	for _, wish := range wishes {
		for _, c := range wish.calls {
			owner[c.Names()] = wish
		}
		for _, id := range w.heldBy(wish) {
			owner[id] = wish
		}
	}
	ops, next := map[string][]porcupine.Operation{}, map[string]int{}
	add := func(departure string, client int, op seatOp, from, to time.Time) {
		ops[departure] = append(ops[departure], porcupine.Operation{ClientId: client, Input: op, Call: from.UnixNano(), Return: to.UnixNano()})
	}
	for _, c := range calls.Calls() {
		if c.Reserves() && c.Status == 409 && c.Code == "SOLD_OUT" {
			add(c.Departure, 0, seatOp{"soldOut", 0, c.Travellers}, c.Start, c.End)
		}
	}
	for id, r := range w.Reservations {
		from := owner[id]
		if from == nil {
			from = wishOf(r, wishes)
		}
		if from == nil {
			continue // an orphan, found elsewhere
		}
		index := next[r.Departure]
		next[r.Departure]++
		for _, s := range w.stays(r, from, seen[id]) {
			add(r.Departure, index, seatOp{"take", index, r.Travellers}, s.first, s.taken)
			if !s.ended {
				continue
			}
			if s.gone.Before(s.alive) {
				f.add(BrokenPromise, id, "%s saw it alive after having been told that it had ended", r.Customer)
				continue
			}
			add(r.Departure, index, seatOp{"free", index, r.Travellers}, s.alive, s.gone)
		}
	}
	return ops
}
