package usecase

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
)

// A page of the board costs as many reads with thousands of products and reservations as it does when the view is nearly
// empty, and no document has grown with the view. How long it takes with ten thousand and a hundred thousand is for
// the bench (FILL=full).
func TestN4_APageCostsTheSameHoweverMuchThereIs(t *testing.T) {
	const products, rounds, customers = 2_000, 3, 500
	m := newMemory()
	s := New(m, deaf{}, Settings{PageSize: 200, NewID: uuid.NewString, Now: time.Now, App: "viewpage", Patience: time.Minute})
	h := newHistory()
	for i := range products {
		h.register(fmt.Sprint("md-", i%20), []string{"OVERSEAS", "DOMESTIC"}[i%2], 2)
	}
	deliverAll(t, s, h)
	for round := range rounds {
		for i := range products {
			h.reserve(fmt.Sprint("customer-", (i*rounds+round)%customers), i, round%2, contract.StatusConfirmed)
		}
		deliverAll(t, s, h)
	}

	counting := &counter{memory: m}
	s = New(counting, deaf{}, s.cfg)
	seen, confirmed, requests := map[string]bool{}, 0, 0
	for behind := (*Cursor)(nil); ; requests++ {
		counting.reads = 0
		b, err := s.Board(t.Context(), "", behind, 100)
		if err != nil {
			t.Fatal(err)
		}
		if counting.reads > 4 { // the page of the index and perhaps the next two, and the documents
			t.Errorf("%d reads for page %d", counting.reads, requests)
		}
		for _, item := range b.Items {
			seen[item.ProductID] = true
			confirmed += item.Reservations[contract.StatusConfirmed]
		}
		if b.Next == nil {
			break
		}
		behind = b.Next
	}
	if len(seen) != products || confirmed != products*rounds || requests > products/100 {
		t.Errorf("%d products and %d reservations by %d requests", len(seen), confirmed, requests)
	}
	counting.reads = 0
	if b, err := s.Board(t.Context(), "DOMESTIC", nil, 100); err != nil || len(b.Items) != 100 || counting.reads > 4 {
		t.Errorf("of a kind: %d items by %d reads, %v", len(b.Items), counting.reads, err)
	}
	for key, d := range m.docs {
		if len(d.Data) > 48<<10 {
			t.Errorf("%s has %d bytes", key, len(d.Data))
		}
	}
}

// deliverAll hands on what was told since, by several at once as the sidecar does.
func deliverAll(t *testing.T, s *Service, h *history) {
	t.Helper()
	queue := make(chan contract.Event)
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for e := range queue {
				if err := untilHeard(t.Context(), s, e); err != nil {
					t.Errorf("%s: %v", e.Type, err)
				}
			}
		})
	}
	for _, e := range h.events {
		queue <- e
	}
	close(queue)
	workers.Wait()
	h.events = nil
}
