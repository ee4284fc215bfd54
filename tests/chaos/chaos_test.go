package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// N1, N5, N6, A3, I5: everything that must hold, holds, whatever is killed, stopped, slowed or cut off.
func TestN1_N5_N6_A3_I5_Chaos(t *testing.T) {
	people := whole(t)
	r := &report{Reservations: map[string]int{}}
	length := 3 * time.Minute
	if d, err := time.ParseDuration(os.Getenv("ONEQ_CHAOS_DURATION")); err == nil {
		length = d
	}
	r.Duration, r.Seed = length.String(), seed(t, length)
	t.Logf("seed %d: ONEQ_CHAOS_SEED=%d repeats the schedule", r.Seed, r.Seed)
	plan := schedule(r.Seed, length)
	r.Planned = len(plan)

	src, doomed := sources(t), people.special(t, 10)
	people.comesBack(t, people.special(t, 10)) // for certain; under load it is up to the dice
	start := time.Now()
	from := len(people.log.Calls())
	looking := watch(src, people.log)
	defer looking.stop()
	f := newFaults(sys, proxy)
	r.load(t, people, f, plan, length, doomed)
	r.Seconds = int(time.Since(start) / time.Second)

	w := r.settle(t, src, people.log)
	looks, found := looking.ended()
	r.Findings = append(r.Findings, found...)
	r.Samples, found = judgeLooks(looks, f.done)
	r.Findings = append(r.Findings, found...)
	calls := people.log.Calls()[from:]
	r.Calls, r.PerSecond = len(calls), float64(len(calls))/float64(r.Seconds)
	r.Operations, r.Availability, r.Faults = operations(calls), availabilities(calls, f.done, start, r.Seconds), recoveries(calls, f.done)
	for _, v := range w.Reservations {
		r.Reservations[v.Status]++
	}
	r.Done = rare(w, calls)
	r.Seats = w.Linearizable(people.log, time.Minute)
	r.Findings = once(append(r.Findings, r.Seats.Found...))
	if err := errors.Join(r.save(filepath.Join(sys.Dir, "report.json")), saveCalls(filepath.Join(sys.Dir, "calls.jsonl"), calls)); err != nil {
		t.Error(err)
	}
	r.print(os.Stdout)
	r.judge(t, length)
}

// load is everybody at work while the schedule happens, and until whoever was hit last has recovered. In the middle of
// it the doomed tour, which somebody has reserved, is closed by its supplier's fault: which tours the MDs close, and
// whether that costs them anything, is up to the dice.
func (r *report) load(t *testing.T, people *load, f *faults, plan []fault, length time.Duration, doomed tour) {
	t.Helper()
	from := len(people.log.Calls())
	working, home := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { people.run(working, r.Seed); close(gone) }()
	defer func() { home(); <-gone }()
	ctx, cancel := context.WithTimeout(working, length)
	defer cancel()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		pause(ctx, length/2)
		people.closeAtLast(working, doomed)
	}()
	f.run(ctx, plan, t.Logf)
	<-ctx.Done()
	<-closed
	for end := time.Now().Add(mostRecovery); time.Now().Before(end); pause(working, time.Second) {
		if !slices.ContainsFunc(recoveries(people.log.Calls()[from:], f.done), func(x recovered) bool { return x.Recovery < 0 }) {
			return
		}
	}
}

// settle waits until the oracle finds nothing any more, for a minute at most; what it finds then is found, and so is
// what must not be at any instant, whenever it was.
func (r *report) settle(t *testing.T, s oracle.Sources, calls *oracle.Log) *oracle.World {
	t.Helper()
	start := time.Now()
	for {
		w, err := s.Read(context.Background())
		var found []oracle.Finding
		if err == nil {
			found = w.Judge(calls)
		}
		r.Settled = time.Since(start).Round(100 * time.Millisecond).String()
		if err == nil && len(found) == 0 {
			r.Handled = w.Handled
			return w
		}
		if time.Since(start) > time.Minute {
			if err != nil {
				t.Fatalf("the world cannot be read: %v", err)
			}
			r.Settled, r.Handled = "never", w.Handled
			r.Findings = append(r.Findings, found...)
			return w
		}
		for _, f := range found {
			if f.AtOnce() {
				r.Findings = append(r.Findings, f)
			}
		}
		<-time.After(time.Second)
	}
}

// seed that is asked for, or one by the clock whose schedule leaves enough to judge by.
func seed(t *testing.T, length time.Duration) uint64 {
	t.Helper()
	text := os.Getenv("ONEQ_CHAOS_SEED")
	if text == "" {
		n := uint64(time.Now().UnixNano() % 1_000_000)
		for length >= whollyJudged && !tells(schedule(n, length), length) {
			n++
		}
		return n
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func saveCalls(name string, calls []oracle.Call) error {
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(out)
	for _, c := range calls {
		if err := enc.Encode(c); err != nil {
			return errors.Join(err, out.Close())
		}
	}
	return out.Close()
}
