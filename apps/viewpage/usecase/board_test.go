package usecase

import (
	"context"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
)

func TestF13_TheBoardJoinsAProductWithTheCountsOfItsDepartures(t *testing.T) {
	s := newView(newMemory())
	h := newHistory()
	p := h.register(mds[0], "OVERSEAS", 2)
	h.reserve(customers[0], p, 0, contract.StatusPending, contract.StatusConfirmed)
	h.reserve(customers[0], p, 1, contract.StatusPending, contract.StatusConfirmed)
	h.reserve(customers[1], p, 1, contract.StatusPending)
	hearAll(t, s, h.events)

	b, err := s.Board(t.Context(), "", nil, 20)
	if err != nil || len(b.Items) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	item := b.Items[0]
	if item.Reservations["CONFIRMED"] != 2 || item.Reservations["PENDING"] != 1 {
		t.Errorf("reservations %v", item.Reservations)
	}
	if d := item.Departures[1]; d.Held != 2 || d.Confirmed != 2 || d.Capacity != 20 {
		t.Errorf("second departure %+v", d)
	}
	if last := h.events[len(h.events)-1].Time; !b.AsOf.Equal(last) || !item.AsOf.Equal(last) {
		t.Errorf("as of %v and %v, want the newest event, %v", b.AsOf, item.AsOf, last)
	}
}

func TestAProductWithoutCountsShowsItsOwnCapacity(t *testing.T) {
	s := newView(newMemory())
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	hearAll(t, s, h.events[:1])
	b, _ := s.Board(t.Context(), "", nil, 20)
	if d := b.Items[0].Departures[0]; d.Capacity != 20 || d.Held != 0 || d.Closed || d.Reservations == nil {
		t.Errorf("departure %+v", d)
	}
}

func TestCountsWithoutAProductWaitForIt(t *testing.T) {
	s := newView(newMemory())
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	hearAll(t, s, h.events[1:])
	if b, err := s.Board(t.Context(), "", nil, 20); err != nil || len(b.Items) != 0 || !b.AsOf.IsZero() {
		t.Errorf("board %+v, %v", b, err)
	}
}

func TestAPageOfTheBoardIsTwoReads(t *testing.T) {
	m := newMemory()
	s := newView(m)
	h := longHistory()
	hearAll(t, s, h.events)
	counting := &counter{memory: m}
	s = New(counting, deaf{}, s.cfg)
	if _, err := s.plans.get(t.Context()); err != nil { // once a second
		t.Fatal(err)
	}
	counting.reads = 0
	if _, err := s.Board(t.Context(), "", nil, 3); err != nil {
		t.Fatal(err)
	}
	if counting.reads > 3 { // the documents, the newest page of the index, and its tiny next one
		t.Errorf("%d reads", counting.reads)
	}
}

type counter struct {
	*memory
	reads int
}

func (c *counter) Get(ctx context.Context, key string) (Document, error) {
	c.reads++
	return c.memory.Get(ctx, key)
}

func (c *counter) GetAll(ctx context.Context, keys []string) ([]Document, error) {
	c.reads++
	return c.memory.GetAll(ctx, keys)
}

func TestMineWaitsForTheVersionThatTheReaderKnows(t *testing.T) {
	s := newView(newMemory())
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	h.reserve(customers[0], 0, 0, contract.StatusPending, contract.StatusConfirmed)
	confirmed := h.events[len(h.events)-1]
	hearAll(t, s, h.events[:len(h.events)-1])

	told := make(chan error, 1)
	time.AfterFunc(60*time.Millisecond, func() { told <- s.HearReservation(t.Context(), confirmed) })
	trips, err := s.Mine(t.Context(), customers[0], &Seen{confirmed.Subject, 2}, nil, 20)
	if err != nil || <-told != nil {
		t.Fatal(err)
	}
	if len(trips.Items) != 1 || trips.Items[0].Status != contract.StatusConfirmed || !trips.AsOf.Equal(confirmed.Time) {
		t.Errorf("mine %+v", trips)
	}
}

func TestMineDoesNotWaitForEver(t *testing.T) {
	s := newView(newMemory())
	s.cfg.Wait = 30 * time.Millisecond
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	h.reserve(customers[0], 0, 0, contract.StatusPending)
	hearAll(t, s, h.events)
	trips, err := s.Mine(t.Context(), customers[0], &Seen{h.events[2].Subject, 9}, nil, 20)
	if err != nil || len(trips.Items) != 1 || trips.Items[0].Version != 1 {
		t.Errorf("mine %+v, %v", trips, err)
	}
}

func TestK6_MineShowsNobodyElsesReservationsAndDoesNotWaitForThem(t *testing.T) {
	s := newView(newMemory())
	s.cfg.Wait = time.Minute
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	h.reserve(customers[0], 0, 0, contract.StatusPending)
	hearAll(t, s, h.events)
	// A subject that differs in letter case only.
	trips, err := s.Mine(t.Context(), customers[1], &Seen{h.events[2].Subject, 9}, nil, 20)
	if err != nil || len(trips.Items) != 0 {
		t.Errorf("mine %+v, %v", trips, err)
	}
}
