package chaos

import (
	"slices"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// What a run must come up to.
const (
	mostRecovery   = 30 * time.Second // from a fault's end
	leastAvailable = 0.99
	leastCounted   = 0.20 // of the run's seconds, or there was too little to judge by
	leastSeeing    = 0.80 // of the samples that no fault excuses
	leastSeats     = 5    // departures whose seat histories were judged
	whollyJudged   = 3 * time.Minute
)

// critic is told what is wrong: the test, or who tests it.
type critic interface {
	Helper()
	Errorf(format string, args ...any)
}

// judge fails the test by what the report says. A run that is shorter than usual need not have seen everything.
func (r *report) judge(t critic, length time.Duration) {
	t.Helper()
	for i, f := range r.Findings {
		if i == 20 {
			t.Errorf("… %d findings in all", len(r.Findings))
			break
		}
		t.Errorf("%s", f)
	}
	r.judgeFaults(t)
	if n := r.Samples.Seeing + r.Samples.Slow; n == 0 || share(r.Samples.Seeing, n) < leastSeeing {
		t.Errorf("too few samples: %s", r.Samples)
	}
	if r.Seats.Undecided > 0 {
		t.Errorf("the seats of %d departures could not be judged in time", r.Seats.Undecided)
	}
	for _, a := range r.Availability {
		// In a short run one second is more than the share that may be lost.
		if (a.Path == reserving || a.Path == "store") && a.Share() < leastAvailable && a.Bad > 1 {
			t.Errorf("%s was available in %d of %d seconds: %q", a.Path, a.Counted-a.Bad, a.Counted, a.Examples)
		}
	}
	if length >= whollyJudged {
		r.judgeExtent(t)
	}
}

func (r *report) judgeFaults(t critic) {
	t.Helper()
	if 2*len(r.Faults) < r.Planned {
		t.Errorf("only %d of %d faults happened", len(r.Faults), r.Planned)
	}
	hit := map[string]bool{}
	for _, f := range r.Faults {
		hit[kindOf(f.Victim)] = true
		if f.Err != "" || f.Recovery < 0 || f.Recovery > mostRecovery {
			t.Errorf("%s of %s: recovered %s, %s", f.How, f.Victim, f.Recovery, f.Err)
		}
	}
	if len(hit) < min(len(kinds), len(r.Faults)) {
		t.Errorf("only these were hit: %v", hit)
	}
}

// judgeExtent: a run in which little happened says little.
func (r *report) judgeExtent(t critic) {
	t.Helper()
	for _, a := range r.Availability {
		if a.Path == reserving && share(a.Counted, r.Seconds) < leastCounted {
			t.Errorf("only %d of %d seconds of reserving were judged", a.Counted, r.Seconds)
		}
		if a.Path == "store" && a.Lower == 0 {
			t.Errorf("no second of the store was judged while a service of lower rank was hit")
		}
	}
	if r.Seats.Departures < leastSeats {
		t.Errorf("the seats of only %d departures were judged", r.Seats.Departures)
	}
	for what, n := range r.Done {
		if n == 0 {
			t.Errorf("there was no %s", what)
		}
	}
	if 4*r.Samples.Seeing < r.Seconds {
		t.Errorf("in %d seconds only %s", r.Seconds, r.Samples)
	}
}

// rare is what does not happen by itself with every reservation, and must have happened all the same.
func rare(w *oracle.World, calls []oracle.Call) map[string]int {
	done := map[string]int{"closure": 0, "compensation": 0, "granted waiver": 0, "stuck refund seen to": 0, "no-show": 0, "id opened again": 0, "id misused": 0}
	for _, p := range w.Products {
		done["closure"] += len(p.Closures)
	}
	for _, debts := range w.Owed {
		if slices.ContainsFunc(debts, func(won int64) bool { return won > 0 }) {
			done["compensation"]++
		}
	}
	for _, r := range w.Reservations {
		if r.Waiver != nil && r.Waiver.Status == "GRANTED" {
			done["granted waiver"]++
		}
		if r.NoShow() {
			done["no-show"]++
		}
		if r.Attempts() > 1 {
			done["id opened again"]++
		}
	}
	for _, c := range calls {
		if (c.Op == "retry-refund" || c.Op == "settle-refund") && good(c) && c.Status < 300 {
			done["stuck refund seen to"]++
		}
		if c.Op == oracle.OpMisuse && good(c) {
			done["id misused"]++
		}
	}
	return done
}
