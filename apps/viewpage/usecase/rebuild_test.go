package usecase

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/viewpage/domain"
)

// clock is a time that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// snapshotsOf is what the owners tell when they are asked after these events: the last state of everything.
func snapshotsOf(events []contract.Event, rebuildID string) []contract.Event {
	type told struct {
		kind, owner, id string
		at              time.Time
		data            func(contract.Meta) any
	}
	last := map[string]told{}
	counts := func(t contract.Totals, at time.Time) {
		last["d"+t.DepartureID] = told{contract.DepartureSnapshot, "reservation", t.DepartureID, at, func(m contract.Meta) any {
			return contract.DepartureState{Meta: m, Departure: t}
		}}
	}
	for _, e := range events {
		switch {
		case e.Type == contract.DepartureChanged:
			d, _ := contract.Decode[contract.DepartureState](e)
			counts(d.Departure, e.Time)
		case e.Source == "product":
			p, _ := contract.Decode[contract.Product](e)
			last["p"+e.Subject] = told{contract.ProductSnapshot, "product", e.Subject, e.Time, func(m contract.Meta) any { p.Meta = m; return p }}
		default:
			r, _ := contract.Decode[contract.Reservation](e)
			counts(r.Departure, e.Time)
			r.Departure = contract.Totals{}
			last["r"+e.Subject] = told{contract.ReservationSnapshot, "reservation", e.Subject, e.Time, func(m contract.Meta) any { r.Meta = m; return r }}
		}
	}
	numbers := map[string]int64{}
	var out []contract.Event
	add := func(t told) {
		e, err := contract.NewEvent(contract.Envelope{ID: uuid.NewString(), Source: t.owner, Type: t.kind, Subject: t.id, Time: t.at},
			t.data(contract.Meta{Replay: &contract.ReplayMark{RebuildID: rebuildID, Owner: t.owner, Number: numbers[t.owner]}}))
		if err != nil {
			panic(err)
		}
		out = append(out, e)
	}
	for _, key := range slices.Sorted(maps.Keys(last)) {
		numbers[last[key].owner]++
		add(last[key])
	}
	for _, owner := range owners {
		add(told{contract.ReplayEnded, owner, rebuildID, time.Now(), func(m contract.Meta) any { return contract.Replayed{Meta: m} }})
	}
	return out
}

// until repeats what a conflict or a lost answer has kept from being done.
func until(t fataler, do func() error) {
	t.Helper()
	var err error
	for range 50 {
		if err = do(); !errors.Is(err, ErrConflict) && !errors.Is(err, errLost) {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ofGeneration is the dump of one generation, under the keys of the first.
func ofGeneration(m *memory, n int) map[string]string {
	out := map[string]string{}
	for key, doc := range m.dump() {
		if rest, ok := strings.CutPrefix(key, keys{n}.of("")); ok {
			out[keys{1}.of(rest)] = doc
		}
	}
	return out
}

var bg = context.Background()

// damage makes documents wrong at the right version, takes one away, and lists a reservation that never was.
func damage(t fataler, m *memory, h *history) {
	t.Helper()
	for key, d := range m.docs {
		switch {
		case strings.Contains(key, ":reservation:"):
			d.Data = []byte(strings.Replace(string(d.Data), `"travellers":2`, `"travellers":7`, 1))
		case strings.Contains(key, ":totals:"):
			d.Data = []byte(strings.ReplaceAll(string(d.Data), `"held":`, `"held":9`))
		}
		m.docs[key] = d
	}
	delete(m.docs, keys{1}.product(h.products[0].ProductID))
	ghost := reservation{ReservationState: contract.ReservationState{ReservationID: uuid.NewString(), CustomerID: customers[0], Version: 9}}
	raw, _ := json.Marshal(ghost)
	m.docs[keys{1}.reservation(ghost.ReservationID)] = Document{Data: raw, ETag: "1"}
	s := newView(m)
	until(t, func() error { return s.names.note(bg, keys{1}, ofCustomer(customers[0])) })
	until(t, func() error {
		return s.indexes.put(bg, keys{1}.reservationsOf(customers[0]), domain.Entry{Position: position(h.now, ghost.ReservationID)})
	})
}

// TestI7_ARebuildUnderLoadEndsInTheDocumentsOfAViewThatNeverBroke: damaged documents, live events meanwhile at two
// replicas of which one does not know of the rebuild yet, everything twice and in any order, conflicts, lost answers.
func TestI7_ARebuildUnderLoadEndsInTheDocumentsOfAViewThatNeverBroke(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		never, m, at := newMemory(), newMemory(), newClock()
		hearAll(t, newView(never), h.events)

		a, b := viewAt(m, at.now), viewAt(m, at.now)
		before := rapid.IntRange(1, len(h.events)).Draw(t, "before the rebuild")
		hearAll(t, b, h.events[:before])
		damage(t, m, h)
		m.conflicts = rapid.IntRange(5, 20).Draw(t, "conflicts")
		m.loseAnswers(rapid.IntRange(5, 20).Draw(t, "one lost in"), rapid.Uint64().Draw(t, "seed"))
		id := start(t, a)
		if again := start(t, b); again != id {
			t.Fatalf("%s runs, and %s was begun", id, again)
		}
		asked := rapid.IntRange(before, len(h.events)).Draw(t, "before the owners read")
		deliveries := append(snapshotsOf(h.events[:asked], id), h.events[before:]...)
		for _, n := range rapid.Permutation(twice(len(deliveries))).Draw(t, "deliveries") {
			s := []*Service{a, b}[rapid.IntRange(0, 1).Draw(t, "replica")]
			until(t, func() error { return hearAny(s, deliveries[n]) })
		}
		until(t, func() error { p, _ := a.plans.get(bg); _, err := a.pursue(bg, *p.Rebuild, asking{}); return err })

		if p, err := a.plans.get(bg); err != nil || p.Current != 2 || p.running() {
			t.Fatalf("%+v, %v", p, err)
		}
		if want, got := never.dump(), ofGeneration(m, 2); !maps.Equal(want, got) {
			t.Fatalf("documents differ:\n%v\n%v", want, got)
		}
		at.pass(fresh) // b notices by itself
		want, _ := json.Marshal(everything(t, newView(never), customers, mds))
		got, _ := json.Marshal(everything(t, b, customers, mds))
		if string(want) != string(got) {
			t.Fatalf("the view differs:\n%s\n%s", want, got)
		}
		for p, _ := b.plans.get(bg); len(p.Old) > 0; p, _ = b.plans.get(bg) {
			at.pass(stillKept + time.Second)
			until(t, func() error { return b.retire(bg, p) })
		}
		for key := range m.docs {
			parts := strings.Split(key, ":")
			if len(parts) > 2 && isID(parts[len(parts)-1]) && parts[1] != "product" && parts[1] != "totals" && parts[1] != "reservation" {
				continue // a page that a lost answer has left behind, out of every chain
			}
			if strings.HasPrefix(key, keys{1}.of("")) || strings.HasPrefix(key, "rebuild:") {
				t.Fatalf("%s is left of the old generation", key)
			}
		}
	})
}

func start(t fataler, s *Service) (id string) {
	t.Helper()
	until(t, func() error {
		r, err := s.StartRebuild(bg)
		id = r.RebuildID
		return err
	})
	return id
}

func hearAny(s *Service, e contract.Event) error {
	if about, err := contract.Decode[contract.Replayed](e); err == nil && about.Meta.Replay != nil {
		return s.HearReplay(bg, e)
	}
	return hear(bg, s, e)
}

func twice(n int) []int {
	all := make([]int, 2*n)
	for i := range all {
		all[i] = i % n
	}
	return all
}

// As long as one snapshot is missing nothing is switched, however often the others come; and what is heard of no more
// is given up, with the generation that is read untouched.
func TestI7_NothingIsSwitchedBeforeEverythingIsThere(t *testing.T) {
	h, m, at := longHistory(), newMemory(), newClock()
	s := viewAt(m, at.now)
	hearAll(t, s, h.events)
	told := snapshotsOf(h.events, start(t, s))
	for range 3 {
		for _, e := range slices.Delete(slices.Clone(told), 5, 6) {
			until(t, func() error { return hearAny(s, e) })
		}
	}
	pursue := func() plan {
		p, err := s.plans.get(bg)
		if err == nil && p.running() {
			_, err = s.pursue(bg, *p.Rebuild, asking{})
		}
		p, err2 := s.plans.get(bg)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return p
	}
	if p := pursue(); p.Current != 1 || !p.running() {
		t.Fatalf("%+v", p)
	}
	before := ofGeneration(m, 1)
	at.pass(2 * time.Minute)
	if p := pursue(); p.Current != 1 || p.Rebuild.State != RebuildFailed || p.Rebuild.Reason == "" {
		t.Fatalf("%+v", p.Rebuild)
	}
	at.pass(time.Minute)
	until(t, func() error { p, _ := s.plans.get(bg); return s.retire(bg, p) })
	if !maps.Equal(before, ofGeneration(m, 1)) || len(ofGeneration(m, 2)) > 0 {
		t.Error("what is read has changed, or the failed generation is still there")
	}
	// The next one has another number, and what the first was told does not count for it.
	id := start(t, s)
	for _, e := range told {
		until(t, func() error { return hearAny(s, e) })
	}
	if p := pursue(); p.Rebuild.Generation != 3 || len(ofGeneration(m, 3)) > 0 {
		t.Fatalf("%+v", p.Rebuild)
	}
	for _, e := range snapshotsOf(h.events, id) {
		until(t, func() error { return hearAny(s, e) })
	}
	if p := pursue(); p.Current != 3 || !maps.Equal(before, ofGeneration(m, 3)) {
		t.Fatalf("%+v", p)
	}
}
