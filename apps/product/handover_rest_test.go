package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/mysql"
	"oneqtour/apps/product/usecase"
)

// hanging is a receiver that keeps one MD waiting and then fails, and serves the others.
type hanging struct {
	mu    sync.Mutex
	asked []domain.MDID
}

func (h *hanging) HandOver(ctx context.Context, m usecase.Message) error {
	h.mu.Lock()
	h.asked = append(h.asked, m.MD)
	h.mu.Unlock()
	if m.MD != "md-hangs" {
		return nil
	}
	select {
	case <-ctx.Done():
	case <-time.After(300 * time.Millisecond):
	}
	return errors.New("no answer")
}

// Much is owed to an MD whose receiver hangs; what is owed to others waits for one of his attempts, not for all.
func TestAReceiverThatHangsHoldsUpNobodyElse(t *testing.T) {
	db := dbtest.Open(t, mysql.Migrations())
	inbox := mysql.NewInbox(db).HandingOver()
	owe := func(md domain.MDID) {
		t.Helper()
		at := time.Now()
		err := inbox.Hear(t.Context(), domain.ReservationNews{ReservationID: newID(), MD: md, ProductID: domain.ProductID(newID()),
			DepartureID: domain.DepartureID(newID()), Version: 2, Status: contract.StatusConfirmed,
			History: []domain.HistoryRow{{Version: 1, To: contract.StatusPending, At: at},
				{Version: 2, From: contract.StatusPending, To: contract.StatusConfirmed, Kind: "TRANSITION", At: at}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		owe("md-hangs")
	}
	for range 5 {
		owe("md-1")
	}
	ctx, stop := context.WithCancel(t.Context())
	to := &hanging{}
	var ended sync.WaitGroup
	ended.Go(func() { _ = usecase.HandOver(ctx, mysql.NewHandovers(db), to) })
	defer ended.Wait()
	defer stop()
	var asked []domain.MDID
	until(t, 20*time.Second, func() bool {
		to.mu.Lock()
		defer to.mu.Unlock()
		asked = slices.Clone(to.asked)
		return len(asked) >= 6
	})
	if want := []domain.MDID{"md-hangs", "md-1", "md-1", "md-1", "md-1", "md-1"}; !slices.Equal(asked[:6], want) {
		t.Errorf("asked %q", asked)
	}
}
