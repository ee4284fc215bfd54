package main

import (
	"strings"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/payment/domain"
)

func TestF11_ACancellationReturnsItsCardPartOnceHoweverOftenItIsSaid(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_ok"))
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.cancel(reservation, refund, 7_000) })
	}
	all.Wait()
	if r := s.refundIs(reservation, domain.RefundDone); string(r.ID) != refund || r.Amount != 7_000 {
		t.Errorf("%+v", r)
	}
	if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 7_000 || entries != 2 {
		t.Errorf("charged %d, returned %d in %d entries", charged, returned, entries)
	}
	words, events := s.events(reservation)
	e := events[len(events)-1]
	if !strings.HasPrefix(words, "refunded") || e.Refunds[0].RefundID != refund || e.Refunds[0].Status != "DONE" ||
		e.Refunds[0].Cause != "CANCELLATION" || e.Status != "APPROVED" || e.Meta.CausationID == "" {
		t.Errorf("%s %+v", words, e)
	}
	// The word of it was lost: the next reminder brings it again.
	s.cancel(reservation, refund, 7_000)
	if again, all := s.events(reservation); again != words+" refunded" || all[len(all)-1].Meta.Version != e.Meta.Version {
		t.Errorf("events: %s", again)
	}
}

func TestRefundsByTokenEndAsTheLedgerSays(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	for _, c := range []struct {
		token    string
		amount   money.KRW
		status   domain.RefundStatus
		returned money.KRW
	}{
		{"tok_ok", 10_000, domain.RefundDone, 10_000},
		{"tok_ok", 0, domain.RefundDone, 0},
		{"tok_ok", 1, domain.RefundDone, 1},
		{"tok_refund_lost", 7_000, domain.RefundDone, 7_000},
		{"tok_refund_refused", 7_000, domain.RefundStuck, 0},
		{"tok_no_partial", 7_000, domain.RefundStuck, 0},
		{"tok_no_partial", 10_000, domain.RefundDone, 10_000},
	} {
		t.Run(c.token, func(t *testing.T) {
			reservation := newID()
			s.approve(charge(reservation, 10_000, c.token))
			refund := newID()
			s.cancel(reservation, refund, c.amount)
			r := s.refundIs(reservation, c.status)
			charged, returned, _ := sim.ledger(reservation)
			if charged != 10_000 || returned != c.returned {
				t.Errorf("charged %d, returned %d", charged, returned)
			}
			words, _ := s.events(reservation)
			if done := strings.Contains(words, "refunded"); done != (c.status == domain.RefundDone) {
				t.Errorf("events: %s", words)
			}
			if c.status == domain.RefundStuck && (r.Code == "" || !strings.Contains(s.log.String(), "refund "+refund+" was refused for good")) {
				t.Errorf("stuck without a word: %+v", r)
			}
		})
	}
}

func TestARefundThatCannotBeIsAcknowledgedAndShownToTheOperator(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation := newID()
	s.cancel(reservation, newID(), 5) // nothing was ever paid
	s.approve(charge(reservation, 10_000, "tok_ok"))
	s.cancel(reservation, newID(), 10_001)
	if got := s.stored(reservation); len(got.Refunds) != 0 {
		t.Errorf("%+v", got.Refunds)
	}
	if n := strings.Count(s.log.String(), "OPERATOR: a refund is asked for that cannot be"); n != 2 {
		t.Errorf("%d lines", n)
	}
}

func TestRefundsSurviveBadWeatherExactly(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	twin := serveOn(t, s.db, sim.url).resumes() // a second replica
	reservations := make([]string, 30)
	for i := range reservations {
		reservations[i] = newID()
		s.approve(charge(reservations[i], 10_000, "tok_ok"))
	}
	sim.weather(`{"latencyMs":5,"errorRate":0.3,"lostRate":0.3}`)
	for i, reservation := range reservations {
		[]*service{s, twin}[i%2].cancel(reservation, newID(), 6_000)
	}
	for _, reservation := range reservations {
		eventually(t, "the storm was felt", func() bool {
			p := s.stored(reservation)
			return p.Attempts > 1 || p.Refunds[0].Status == domain.RefundDone
		})
	}
	sim.weather(`{"lostRate":0.3}`)
	var hour int64 // passes quickly, so that nobody waits for the back-off
	for _, reservation := range reservations {
		eventually(t, "the refund is done", func() bool {
			hour += int64(10 * time.Second)
			s.ahead.Store(hour)
			twin.ahead.Store(hour)
			return s.stored(reservation).Refunds[0].Status == domain.RefundDone
		})
		if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 6_000 || entries != 2 {
			t.Errorf("charged %d, returned %d in %d entries", charged, returned, entries)
		}
	}
}
