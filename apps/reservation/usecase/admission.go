package usecase

import (
	"context"
	"sync/atomic"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/reservation/domain"
)

// Admission bounds what reserving may take of the service, so that a rush is answered in time instead of
// everybody waiting for ever.
type Admission struct {
	AtWork  int           // reservations at work at the same time
	Waiting int           // those that may wait for their turn; more are turned away
	Wait    time.Duration // for a turn
	Pause   time.Duration // for which nobody is let in after payment or its provider could not be reached
	Unknown int           // those that may wait for a product not yet heard of; more are NOT_FOUND at once
}

// gate is where reservations wait for their turn.
type gate struct {
	limits  Admission
	slots   chan struct{}
	waiting atomic.Int64
	unknown chan struct{} // places to wait for a product not yet heard of
	closed  atomic.Int64  // until when, in Unix microseconds
}

func newGate(l Admission) *gate {
	return &gate{limits: l, slots: make(chan struct{}, max(1, l.AtWork)), unknown: make(chan struct{}, max(0, l.Unknown))}
}

// shut lets nobody in for the pause.
func (g *gate) shut(now time.Time) { g.closed.Store(now.Add(g.limits.Pause).UnixMicro()) }

func (g *gate) isShut(now time.Time) bool { return now.UnixMicro() < g.closed.Load() }

func (g *gate) leave() { <-g.slots }

// step takes a turn, which leave ends, if nobody has to be waited for.
func (g *gate) step(now time.Time) (leave func(), ok bool) {
	if g.isShut(now) {
		return nil, false
	}
	select {
	case g.slots <- struct{}{}:
		return g.leave, true
	default:
		return nil, false
	}
}

// enter waits for a turn, which leave ends. BUSY: there are too many, it took too long, or payment cannot be
// reached; nothing is written then. Who has to wait is first told what look knows: without a seat there is no
// point in waiting.
func (g *gate) enter(ctx context.Context, now func() time.Time, look func() error) (leave func(), err error) {
	if g.isShut(now()) {
		return nil, errBusy.After(g.limits.Pause)
	}
	if leave, ok := g.step(now()); ok {
		return leave, nil
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
		if g.isShut(now()) {
			g.leave()
			return nil, errBusy.After(g.limits.Pause)
		}
		return g.leave, nil
	case <-turn.C:
	case <-ctx.Done():
	}
	return nil, errBusy.After(g.limits.Wait)
}

// known is what is offered, judged without a lock. What product has announced a moment ago may not have been heard of
// yet, so it is waited for; but before the gate and by few, since anybody can make up ids.
func (s *Service) known(ctx context.Context, q ReserveRequest) (Offer, error) {
	offer, err := s.catalogue.Look(ctx, q.ProductID, q.DepartureID)
	if fault.CodeOf(err) != fault.NotFound {
		return offer, err
	}
	select {
	case s.gate.unknown <- struct{}{}:
		defer func() { <-s.gate.unknown }()
		return s.awaitKnown(ctx, q)
	default:
		return Offer{}, err
	}
}

// awaitKnown looks for product and departure, ever less often, for as long as events may be under way.
func (s *Service) awaitKnown(ctx context.Context, q ReserveRequest) (Offer, error) {
	deadline := time.Now().Add(s.limits.ProductWait)
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, 200*time.Millisecond) {
		offer, err := s.catalogue.Look(ctx, q.ProductID, q.DepartureID)
		if fault.CodeOf(err) != fault.NotFound || time.Now().After(deadline) {
			return offer, err
		}
		select {
		case <-ctx.Done():
			return offer, err
		case <-time.After(pause):
		}
	}
}

// soldOut says SOLD_OUT when a reservation made now would be refused for that.
func soldOut(offer Offer, w domain.Wish) error {
	if _, err := domain.Reserve(w, offer.Product, offer.Departure); domain.ErrSoldOut.Is(err) {
		return err
	}
	return nil
}
