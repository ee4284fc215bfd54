package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// N1, N5, N6, A3, I5: everything that must hold, holds, whatever is killed, stopped, slowed or cut off.
func TestN1_N5_N6_A3_I5_Chaos(t *testing.T) {
	people := whole(t)
	r := &report{Seed: seed(t), Reservations: map[string]int{}}
	length := 3 * time.Minute
	if d, err := time.ParseDuration(os.Getenv("ONEQ_CHAOS_DURATION")); err == nil {
		length = d
	}
	r.Duration = length.String()
	t.Logf("seed %d: ONEQ_CHAOS_SEED=%d repeats the schedule", r.Seed, r.Seed)
	plan := schedule(r.Seed, length)

	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	from := len(people.log.Calls())
	sampled := make(chan []oracle.Finding, 1)
	go func() { sampled <- r.sample(ctx, sources(t), people.log) }()
	f := &faults{sys: sys, links: proxy}
	loaded := make(chan struct{})
	go func() { people.run(ctx, r.Seed); close(loaded) }()
	f.run(ctx, plan, t.Logf)
	<-loaded
	r.Findings = append(r.Findings, <-sampled...)

	w := r.settle(t, sources(t), people.log)
	calls := people.log.Calls()[from:]
	r.Calls, r.PerSecond = len(calls), float64(len(calls))/length.Seconds()
	r.Operations, r.Availability, r.Faults = operations(calls), availabilities(calls, f.done), recoveries(calls, f.done)
	for _, v := range w.Reservations {
		r.Reservations[v.Status]++
	}
	r.Seats = w.Linearizable(people.log, 10*time.Second)
	r.Findings = append(r.Findings, r.Seats.Found...)
	if err := errors.Join(r.save(filepath.Join(sys.Dir, "report.json")), saveCalls(filepath.Join(sys.Dir, "calls.jsonl"), calls)); err != nil {
		t.Error(err)
	}
	r.print(os.Stdout)
	r.judge(t)
}

// judge fails the test by what the report says.
func (r *report) judge(t *testing.T) {
	t.Helper()
	for i, f := range r.Findings {
		if i == 20 {
			t.Errorf("… %d findings in all", len(r.Findings))
			break
		}
		t.Error(f)
	}
	hit := map[string]bool{}
	for _, f := range r.Faults {
		hit[kindOf(f.Victim)] = true
		if f.Err != "" || f.Recovery < 0 {
			t.Errorf("%s of %s: recovered %s, %s", f.How, f.Victim, f.Recovery, f.Err)
		}
	}
	if len(hit) < min(len(kinds), len(r.Faults)) {
		t.Errorf("only these were hit: %v", hit)
	}
	for _, a := range r.Availability {
		if a.Path == "reserve and pay" && a.Share < 0.99 {
			t.Errorf("reserving was available to %.2f %%", 100*a.Share)
		}
	}
	if r.Samples < r.Blind || r.Samples == 0 {
		t.Errorf("%d samples, %d blind", r.Samples, r.Blind)
	}
}

// sample looks every second until the context ends.
func (r *report) sample(ctx context.Context, s oracle.Sources, calls *oracle.Log) (found []oracle.Finding) {
	sampler := oracle.NewSampler(s)
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-ctx.Done():
			return found
		case <-tick.C:
			look, cancel := context.WithTimeout(ctx, 5*time.Second)
			f, err := sampler.Look(look, calls)
			cancel()
			r.Samples++
			if err != nil {
				r.Blind++
			}
			found = append(found, f...)
		}
	}
}

// settle waits until the oracle finds nothing any more, for a minute at most; what it finds then is found.
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
			return w
		}
		if time.Since(start) > time.Minute {
			if err != nil {
				t.Fatalf("the world cannot be read: %v", err)
			}
			r.Settled = "never"
			r.Findings = append(r.Findings, found...)
			return w
		}
		<-time.After(time.Second)
	}
}

func seed(t *testing.T) uint64 {
	t.Helper()
	text := os.Getenv("ONEQ_CHAOS_SEED")
	if text == "" {
		return uint64(time.Now().UnixNano() % 1_000_000)
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
