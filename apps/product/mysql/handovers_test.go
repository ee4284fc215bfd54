package mysql

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/product/domain"
)

func TestEachOwedNoticeIsClaimedByOneReplica(t *testing.T) {
	db := open(t)
	if err := NewInbox(db).Hear(t.Context(), news("md-1", newID(), 4)); err != nil { // before it was switched on
		t.Fatal(err)
	}
	inbox := NewInbox(db).HandingOver()
	const reservations = 8
	for range reservations {
		for _, version := range []int{2, 4, 4} {
			if err := inbox.Hear(t.Context(), news("md-1", newID(), version)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var claimed sync.Map
	var wg sync.WaitGroup
	for range 8 {
		replica := NewHandovers(db)
		wg.Go(func() {
			for {
				n, ok, err := replica.Claim(t.Context(), time.Minute)
				if err != nil {
					t.Error(err)
				}
				if !ok {
					return
				}
				if n.MD != "md-1" || n.Attempts != 1 || n.Status == "" {
					t.Errorf("claimed %+v", n)
				}
				if _, twice := claimed.LoadOrStore(n.Seq, n); twice {
					t.Errorf("%d was claimed twice", n.Seq)
				}
			}
		})
	}
	wg.Wait()
	// A replica that found nothing may have lost every candidate to the others; who looks again finds the rest.
	for n, ok, err := NewHandovers(db).Claim(t.Context(), time.Minute); ok || err != nil; n, ok, err = NewHandovers(db).Claim(t.Context(), time.Minute) {
		if _, twice := claimed.LoadOrStore(n.Seq, n); twice || err != nil {
			t.Fatal(n, err)
		}
	}
	total := 0
	claimed.Range(func(seq, _ any) bool {
		if total++; seq.(int64) <= 3 {
			t.Errorf("%d is from before the switch", seq)
		}
		return true
	})
	if want := reservations * (1 + 3 + 3); total != want {
		t.Errorf("%d notices claimed, want %d", total, want)
	}
}

func TestALeaseThatIsOverIsSomebodyElses(t *testing.T) {
	db := open(t)
	if err := NewInbox(db).HandingOver().Hear(t.Context(), news("md-1", newID(), 2)); err != nil {
		t.Fatal(err)
	}
	h := NewHandovers(db)
	claim := func(lease time.Duration) (domain.OwedNotice, bool) {
		t.Helper()
		n, ok, err := h.Claim(t.Context(), lease)
		if err != nil {
			t.Fatal(err)
		}
		return n, ok
	}
	died, ok := claim(-time.Second) // its lease is over at once
	if !ok {
		t.Fatal("nothing to claim")
	}
	second, ok := claim(time.Minute)
	if !ok || second.Attempts != 2 {
		t.Fatalf("after the lease: %+v, %v", second, ok)
	}
	if err := h.Postpone(t.Context(), died, -time.Second); err != nil { // it was only slow, and is late
		t.Fatal(err)
	}
	if n, ok := claim(time.Minute); ok {
		t.Errorf("claimed beside its holder: %+v", n)
	}
	if err := h.Postpone(t.Context(), second, -time.Second); err != nil {
		t.Fatal(err)
	}
	third, ok := claim(time.Minute)
	if !ok || third.Attempts != 3 {
		t.Errorf("after a pause: %+v, %v", third, ok)
	}
	if err := h.Settle(t.Context(), third); err != nil {
		t.Fatal(err)
	}
	if err := h.Postpone(t.Context(), third, -time.Second); err != nil {
		t.Fatal(err)
	}
	if n, ok := claim(time.Minute); ok {
		t.Errorf("claimed after it was settled: %+v", n)
	}
}

// What was never tried goes before what has failed, and an MD that rests has nothing due.
func TestFreshNoticesGoFirst(t *testing.T) {
	db := open(t)
	inbox := NewInbox(db).HandingOver()
	for _, md := range []domain.MDID{"md-1", "md-1", "md-2"} {
		if err := inbox.Hear(t.Context(), news(md, newID(), 2)); err != nil {
			t.Fatal(err)
		}
	}
	h := NewHandovers(db)
	var order []string
	claim := func() bool {
		t.Helper()
		n, ok, err := h.Claim(t.Context(), -time.Second) // its lease is over at once
		if err != nil {
			t.Fatal(err)
		}
		order = append(order, fmt.Sprint(n.MD, ":", n.Seq))
		return ok
	}
	for range 4 {
		claim()
	}
	if want := []string{"md-1:1", "md-1:2", "md-2:1", "md-1:1"}; !slices.Equal(order, want) {
		t.Errorf("claimed %q, want %q", order, want)
	}
	for _, md := range []domain.MDID{"md-1", "md-2"} {
		if err := h.Rest(t.Context(), md, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := h.Rest(t.Context(), md, -time.Minute); err != nil { // makes no pause shorter
			t.Fatal(err)
		}
	}
	if claim() {
		t.Errorf("claimed while all rest: %q", order)
	}
}
