package usecase_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// narrow lets one reservation work at a time.
func narrow(waiting int, wait time.Duration) func(*usecase.Limits) {
	return func(l *usecase.Limits) { l.Admission.AtWork, l.Admission.Waiting, l.Admission.Wait = 1, waiting, wait }
}

// occupied is a stage on which customer-1 is being charged until free is called.
func occupied(t *testing.T, capacity int, limits func(*usecase.Limits)) (s *stage, free func() error) {
	t.Helper()
	s = newStage(t, capacity, limits)
	charging, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s.cashier.during = func(context.Context) {
		if s.cashier.calls.Load() == 1 {
			close(charging)
			<-release
		}
	}
	go func() {
		_, err := s.reserve("customer-1", "k", 1)
		done <- err
	}()
	<-charging
	return s, func() error { close(release); return <-done }
}

func TestARushIsTurnedAwayAndNothingIsWritten(t *testing.T) {
	s, free := occupied(t, 20, narrow(1, time.Hour))
	answers := make(chan error, 2)
	for _, customer := range []string{"customer-2", "customer-3"} {
		go func() {
			_, err := s.reserve(customer, "k", 1)
			answers <- err
		}()
	}
	if err := <-answers; fault.CodeOf(err) != fault.Busy {
		t.Errorf("one is working and one waits: %v", err)
	}
	if n := s.count("SELECT (SELECT COUNT(*) FROM reservations) + (SELECT COUNT(*) FROM idempotency_keys)"); n != 2 {
		t.Errorf("%d rows", n)
	}
	if err := free(); err != nil {
		t.Error(err)
	}
	if err := <-answers; err != nil {
		t.Errorf("the one that waited: %v", err)
	}
	if _, confirmed := s.departureRow(); confirmed != 2 {
		t.Errorf("%d confirmed", confirmed)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	s, free := occupied(t, 20, narrow(10, 20*time.Millisecond))
	if _, err := s.reserve("customer-2", "k", 1); fault.CodeOf(err) != fault.Busy || s.cashier.calls.Load() != 1 {
		t.Error(err)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	q := s.request(1)
	if _, err := s.service.Reserve(ctx, key("customer-3", "k", q), "x", q); err == nil {
		t.Error("one who has left was let in")
	}
	if err := free(); err != nil {
		t.Error(err)
	}
}

func TestNobodyWaitsForSeatsThatThereAreNot(t *testing.T) {
	s, free := occupied(t, 2, narrow(10, 20*time.Millisecond))
	_, err := s.reserve("customer-2", "k", 2)
	if fault.CodeOf(err) != fault.SoldOut || extra(err, "seatsLeft") != 1 {
		t.Errorf("%v", err)
	}
	if err := free(); err != nil {
		t.Error(err)
	}
}

// Made-up ids are waited for outside, where few may wait: they keep nobody from reserving.
func TestUnknownProductsTakeNobodysTurn(t *testing.T) {
	s := newStage(t, 20, func(l *usecase.Limits) {
		narrow(0, time.Hour)(l)
		l.Admission.Unknown, l.ProductWait = 1, time.Hour
	})
	looking := make(chan struct{})
	var looks atomic.Int64
	s.service = s.with(func(p *usecase.Ports) {
		p.Catalogue = watched{p.Catalogue, func() {
			if looks.Add(1) == 3 { // it is waiting
				close(looking)
			}
		}}
	})
	q := s.request(1)
	q.DepartureID = domain.DepartureID(newID())
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := s.service.Reserve(ctx, key("customer-1", "k", q), "x", q)
		done <- err
	}()
	<-looking
	if _, err := s.reserve("customer-2", "k", 1); err != nil {
		t.Errorf("a known one: %v", err)
	}
	if _, err := s.service.Reserve(t.Context(), key("customer-3", "k", q), "x", q); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("one more unknown: %v", err)
	}
	leave()
	if err := <-done; fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// After the breaker has said that payment cannot be reached, nobody is let in for a second: no seats are held
// and given back for nothing.
func TestAnOpenBreakerClosesTheGate(t *testing.T) {
	s := newStage(t, 20)
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		return usecase.Outcome{Kind: usecase.Unsent, Refused: true}
	}
	if _, err := s.reserve("customer-1", "k", 1); fault.CodeOf(err) != fault.Busy {
		t.Fatal(err)
	}
	s.cashier.approve = approved
	before := s.count("SELECT COUNT(*) FROM reservations")
	if _, err := s.reserve("customer-2", "k", 1); fault.CodeOf(err) != fault.Busy || s.cashier.calls.Load() != 1 {
		t.Errorf("%v after %d calls", err, s.cashier.calls.Load())
	}
	if n := s.count("SELECT COUNT(*) FROM reservations"); n != before {
		t.Error("a reservation was written")
	}
	s.clock.Store(int64(1001 * time.Millisecond))
	if _, err := s.reserve("customer-2", "k", 1); err != nil {
		t.Error(err)
	}
}
