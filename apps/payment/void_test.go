package main

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
)

func TestK3_AVoidOrderBeforeTheRequestCallsNobody(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation := newID()
	s.voidOrder(reservation)
	s.voidOrder(reservation)
	if status, word := s.approve(charge(reservation, 10_000, "tok_ok")); status != 200 || word != "VOIDED" {
		t.Errorf("answered %d %s", status, word)
	}
	if _, _, entries := sim.ledger(reservation); entries != 0 {
		t.Errorf("%d entries", entries)
	}
	words, events := s.events(reservation)
	if words != "voided" || events[0].Meta.CorrelationID != "corr-1" || events[0].Meta.CausationID == "" {
		t.Errorf("events: %s %+v", words, events)
	}
	if p := s.stored(reservation); !p.Next.IsZero() {
		t.Error("nothing was requested, so there is nothing to watch")
	}
}

func TestK3_AVoidOrderOfASavingsPlanForbidsTheDeposit(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	r := contract.Reservation{ReservationState: state(newID()), VoidOrder: true}
	r.PaymentPlan = "SAVINGS_FUNDED"
	s.hear(contract.ReservationRejected, r)
	ask := charge(r.ReservationID, 10_000, "tok_ok")
	ask.Purpose = contract.PurposeDeposit
	if status, word := s.approve(ask); status != 200 || word != "VOIDED" {
		t.Errorf("answered %d %s", status, word)
	}
}

func TestK3_AVoidOrderDuringTheApprovalReturnsTheCharge(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	sim.weather(`{"latencyMs":700}`)
	reservation := newID()
	answers := make(chan string, 1)
	go func() {
		_, word := s.approve(charge(reservation, 10_000, "tok_ok"))
		answers <- word
	}()
	s.becomes(reservation, "REQUESTED")
	s.voidOrder(reservation)
	if word := <-answers; word != "VOIDED" {
		t.Errorf("answered %s", word)
	}
	s.becomes(reservation, "VOIDED")
	if charged, returned, _ := sim.ledger(reservation); charged != 10_000 || returned != 10_000 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
	if words, _ := s.events(reservation); words != "voided" {
		t.Errorf("events: %s", words)
	}
}

// Whoever asked for the charge is told that it was declined, but not who gave the order.
func TestK3_AVoidOrderDuringARefusalIsToldToBeObeyed(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	sim.weather(`{"latencyMs":700}`)
	reservation := newID()
	answers := make(chan string, 1)
	go func() {
		_, word := s.approve(charge(reservation, 10_000, "tok_declined"))
		answers <- word
	}()
	s.becomes(reservation, "REQUESTED")
	s.voidOrder(reservation)
	if word := <-answers; word != "VOIDED" {
		t.Errorf("answered %s", word)
	}
	if words, _ := s.events(reservation); words != "voided" {
		t.Errorf("events: %s", words)
	}
}

func TestK3_AVoidOrderAfterTheApprovalReturnsTheCharge(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_ok"))
	s.voidOrder(reservation)
	s.voidOrder(reservation)
	s.becomes(reservation, "VOIDED")
	s.voidOrder(reservation)
	if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 10_000 || entries != 2 {
		t.Errorf("charged %d, returned %d in %d entries", charged, returned, entries)
	}
	if words, _ := s.events(reservation); words != "voided" {
		t.Errorf("events: %s", words)
	}
}

// Charged, the answer lost, and the reservation rejected before anybody found out.
func TestK3_ALostApprovalOfARejectedReservationIsReturned(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	reservation := newID()
	if _, word := s.approve(charge(reservation, 10_000, "tok_lost")); word != "UNKNOWN" {
		t.Fatal(word)
	}
	s.voidOrder(reservation)
	if got := s.inquire(reservation).Status; got != "VOIDING" {
		t.Errorf("inquiry says %s", got)
	}
	s.resumes()
	s.becomes(reservation, "VOIDED")
	if charged, returned, _ := sim.ledger(reservation); charged != 10_000 || returned != 10_000 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
	if words, _ := s.events(reservation); words != "voided" {
		t.Errorf("events: %s", words)
	}
}

func TestK3_WhicheverComesFirstNothingStaysCharged(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	sim.weather(`{"latencyMs":10,"errorRate":0.1,"lostRate":0.2}`)
	reservations := make([]string, 60)
	var all sync.WaitGroup
	for i := range reservations {
		reservations[i] = newID()
		all.Go(func() { s.approve(charge(reservations[i], 10_000, "tok_ok")) })
		all.Go(func() {
			time.Sleep(time.Duration(rand.IntN(40)) * time.Millisecond)
			s.voidOrder(reservations[i])
		})
	}
	all.Wait()
	for _, reservation := range reservations {
		eventually(t, "payment of "+reservation+" is VOIDED", func() bool {
			s.ahead.Add(int64(time.Second)) // nobody waits for the back-off
			return s.stored(reservation).Status == domain.Voided
		})
		if charged, returned, _ := sim.ledger(reservation); charged != returned {
			t.Errorf("charged %d, returned %d", charged, returned)
		}
		words, _ := s.events(reservation)
		if words != "voided" && words != "approved voided" {
			t.Errorf("events: %s", words)
		}
	}
}

func TestAVoidedPaymentIsWatchedFor24HoursAndALaterChargeReturned(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_unknown"))
	s.voidOrder(reservation)
	s.becomes(reservation, "VOIDED")

	// What was on its way arrives at the provider after all.
	p, err := s.store.Find(t.Context(), domain.ReservationID(reservation), domain.Price)
	if err != nil {
		t.Fatal(err)
	}
	token, _ := domain.NewToken("tok_ok")
	if r := s.provider.Confirm(t.Context(), p, token); r.Kind != domain.Answered {
		t.Fatal(r.Cause)
	}
	s.ahead.Store(int64(time.Hour))
	s.refundIs(reservation, domain.RefundDone)
	if charged, returned, _ := sim.ledger(reservation); charged != 10_000 || returned != 10_000 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
	words, events := s.events(reservation)
	if words != "voided refunded" || events[1].Status != "VOIDED" || events[1].Refunds[0].Cause != contract.RefundCauseVoid {
		t.Errorf("events: %s %+v", words, events)
	}
	if !strings.Contains(s.log.String(), "charged after all") {
		t.Error("the operator hears nothing of it")
	}
	if s.stored(reservation).Next.IsZero() {
		t.Error("the watch ended before 24 hours")
	}
	s.ahead.Store(int64(25 * time.Hour))
	eventually(t, "the watch ends", func() bool { return s.stored(reservation).Next.IsZero() })
}

func TestAVoidOrderWorksWhileTheProviderIsDown(t *testing.T) {
	addr := freeAddr(t)
	reservation := newID()
	s := serve(t, "http://"+addr).resumes()
	m := domain.Moment{Now: time.Now().UTC().Truncate(time.Microsecond), Pace: pace}
	p, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(reservation),
		Purpose: domain.Price, Method: domain.Card, Amount: 10_000}, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Add(t.Context(), p, nil); err != nil {
		t.Fatal(err)
	}
	s.voidOrder(reservation)
	eventually(t, "the provider was asked in vain", func() bool { return s.stored(reservation).Attempts >= 2 })
	if got := s.stored(reservation).Status; got != domain.Voiding {
		t.Fatalf("%s without a proof", got)
	}
	simulate(t, addr)
	s.becomes(reservation, "VOIDED")
}

func TestEventsThatAreNotForPaymentAreAcknowledged(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	for _, kind := range []string{contract.ReservationPending, contract.ReservationConfirmed, contract.ReservationCancelled,
		contract.DepartureChanged, "oneqtour.reservation.something-new.v1", "oneqtour.product.revised.v1"} {
		if got := s.hear(kind, contract.Reservation{ReservationState: state(newID())}); got != "SUCCESS" {
			t.Errorf("%s: %s", kind, got)
		}
	}
	// Not even with a void order in it: what a later version means by the member is not known.
	for _, kind := range []string{contract.DepartureChanged, "oneqtour.reservation.something-new.v1", "oneqtour.reservation.rejected.v2",
		"oneqtour.reservation.rejected.v10", "oneqtour.reservation.rejected", "oneqtour.product.revised.v1"} {
		if got := s.hear(kind, contract.Reservation{ReservationState: state(newID()), VoidOrder: true}); got != "SUCCESS" {
			t.Errorf("%s: %s", kind, got)
		}
		cancelled := contract.Reservation{ReservationState: state("nobody")}
		cancelled.Cancellation = &contract.Cancellation{Parts: []contract.RefundPart{{Method: contract.MethodCard}}}
		if got := s.hear(kind, cancelled); got != "SUCCESS" {
			t.Errorf("%s with a cancellation: %s", kind, got)
		}
	}
	s.buries(contract.ReservationRejected, contract.Reservation{ReservationState: state("nobody"), VoidOrder: true})
	s.buries(contract.ReservationCancelRequested, contract.Reservation{ReservationState: state(newID())})
	var n int
	if err := s.db.QueryRow("SELECT COUNT(*) FROM payments").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d stored, %v", n, err)
	}
}

// The provider is asked of a requested payment and answers "not found" when it has long been charged and voided:
// that is no proof any more.
func TestK3_AnAnswerToAnOlderQuestionProvesNothing(t *testing.T) {
	asked, release := make(chan struct{}, 100), make(chan struct{})
	var first atomic.Bool
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		if !first.CompareAndSwap(false, true) {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		<-release
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, `{"code":"NOT_FOUND_PAYMENT"}`)
	}))
	t.Cleanup(bank.Close)
	s := serve(t, bank.URL)
	reservation := newID()
	m := domain.Moment{Now: time.Now().UTC().Truncate(time.Microsecond).Add(-time.Second), FreshID: domain.RefundID(newID()), Pace: pace}
	p, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(reservation),
		Purpose: domain.Price, Method: domain.Card, Amount: 10_000}, m)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.Add(t.Context(), p, nil); err != nil {
		t.Fatal(err)
	}
	s.resumes()
	<-asked
	_, err = s.store.Update(t.Context(), p.ID(), func(p *domain.Payment) ([]contract.Event, error) {
		return nil, p.Replied(domain.Reply{Kind: domain.Answered, Charge: domain.Charge{State: "DONE", OrderID: p.OrderID(), Total: 10_000, Balance: 10_000}}, m)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.voidOrder(reservation)
	<-asked // the refund is on its way
	close(release)
	for range 3 {
		<-asked
	}
	if got := s.stored(reservation); got.Status != domain.Voiding || got.Refunds[0].Status != domain.RefundRequested {
		t.Errorf("%s, %+v", got.Status, got.Refunds)
	}
}
