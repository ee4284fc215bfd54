package usecase

import (
	"context"
	"sync/atomic"
	"time"

	"oneqtour/apps/reservation/domain"
)

// Admission bounds what reserving may take of the service, so that a rush is answered in time instead of
// everybody waiting for ever.
type Admission struct {
	AtWork  int           // reservations at work at the same time
	Waiting int           // those that may wait for their turn; more are turned away
	Wait    time.Duration // for a turn
	Pause   time.Duration // for which nobody is let in after the breaker before payment was found open
}

// gate is where reservations wait for their turn.
type gate struct {
	limits  Admission
	slots   chan struct{}
	waiting atomic.Int64
	closed  atomic.Int64 // until when, in Unix microseconds
}

func newGate(l Admission) *gate {
	return &gate{limits: l, slots: make(chan struct{}, max(1, l.AtWork))}
}

// shut lets nobody in for the pause.
func (g *gate) shut(now time.Time) { g.closed.Store(now.Add(g.limits.Pause).UnixMicro()) }

// enter waits for a turn, which leave ends. BUSY: there are too many, it took too long, or payment cannot be
// reached; nothing is written then. Who has to wait is first told what look knows: without a seat there is no
// point in waiting.
func (g *gate) enter(ctx context.Context, now func() time.Time, look func() error) (leave func(), err error) {
	if now().UnixMicro() < g.closed.Load() {
		return nil, errBusy.After(g.limits.Pause)
	}
	leave = func() { <-g.slots }
	select {
	case g.slots <- struct{}{}:
		return leave, nil
	default:
	}
	defer g.waiting.Add(-1)
	if g.waiting.Add(1) > int64(g.limits.Waiting) {
		return nil, errBusy.After(g.limits.Wait)
	}
	if err := look(); err != nil {
		return nil, err
	}
	turn := time.NewTimer(g.limits.Wait)
	defer turn.Stop()
	select {
	case g.slots <- struct{}{}:
		if now().UnixMicro() < g.closed.Load() {
			leave()
			return nil, errBusy.After(g.limits.Pause)
		}
		return leave, nil
	case <-turn.C:
	case <-ctx.Done():
	}
	return nil, errBusy.After(g.limits.Wait)
}

// soldOut says SOLD_OUT when a reservation made now would be refused for that, judged without a lock.
func (s *Service) soldOut(ctx context.Context, q ReserveRequest, w domain.Wish) error {
	offer, err := s.catalogue.Look(ctx, q.ProductID, q.DepartureID)
	if err != nil {
		return nil // reserving will find out
	}
	if _, err := domain.Reserve(w, offer.Product, offer.Departure); domain.ErrSoldOut.Is(err) {
		return err
	}
	return nil
}
