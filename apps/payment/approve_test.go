package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

func contextWith(log zerolog.Logger) (context.Context, context.CancelFunc) {
	return context.WithCancel(log.WithContext(context.Background()))
}

// Every token of the simulator: what reservation is answered, where the payment ends, which events tell what was not
// answered, and what really was charged.
func TestF9_EveryTokenEndsAsTheLedgerSays(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	const amount = 1_520_000
	for _, c := range []struct {
		token  string
		status int
		word   string
		ends   string
		events string
		net    int
	}{
		{"tok_lost", 200, "UNKNOWN", "APPROVED", "approved", amount},
		{"tok_ok", 200, "APPROVED", "APPROVED", "", amount},
		{"tok_ok.7", 200, "APPROVED", "APPROVED", "", amount},
		{"tok_unknown", 200, "UNKNOWN", "UNKNOWN", "", 0},
		{"tok_declined", 200, "DECLINED", "DECLINED", "", 0},
		{"tok_insufficient", 200, "DECLINED", "DECLINED", "", 0},
		{"tok_error", 200, "UNKNOWN", "UNKNOWN", "", 0},
		{"tok_nobody_knows", 200, "DECLINED", "DECLINED", "", 0},
		{"tok_slow", 200, "UNKNOWN", "APPROVED", "approved", amount},
		{"tok_wrong_amount", 200, "DECLINED", "VOIDED", "voided", 0},
		{"tok_refund_refused", 200, "APPROVED", "APPROVED", "", amount},
		{"tok_refund_lost", 200, "APPROVED", "APPROVED", "", amount},
		{"tok_no_partial", 200, "APPROVED", "APPROVED", "", amount},
	} {
		t.Run(c.token, func(t *testing.T) {
			reservation, begun := newID(), time.Now()
			status, word := s.approve(charge(reservation, amount, c.token))
			if status != c.status || word != c.word {
				t.Errorf("answered %d %s", status, word)
			}
			if took := time.Since(begun); took > 3*time.Second {
				t.Errorf("answered after %s", took)
			}
			s.becomes(reservation, c.ends)
			if words, _ := s.events(reservation); words != c.events {
				t.Errorf("events: %s", words)
			}
			charged, returned, _ := sim.ledger(reservation)
			if int(charged-returned) != c.net {
				t.Errorf("charged %d, returned %d", charged, returned)
			}
			if got := s.inquire(reservation); c.ends != "VOIDED" && got.Status != c.ends || c.ends == "VOIDED" && got.Status != "DECLINED" {
				t.Errorf("inquiry says %s", got.Status)
			}
		})
	}
}

func TestK3_WhatReservationAskedForIsInTheEvent(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	r := charge(newID(), 10_000, "tok_lost")
	s.approve(r)
	s.becomes(r.ReservationID, "APPROVED")
	_, events := s.events(r.ReservationID)
	if len(events) != 1 {
		t.Fatal(events)
	}
	e := events[0]
	if e.Meta.CorrelationID != r.CorrelationID || e.Meta.CausationID == "" || e.Meta.Version != 3 || e.Status != "APPROVED" ||
		e.Amount != 10_000 || e.ReservationID != r.ReservationID || e.PaymentID != s.inquire(r.ReservationID).PaymentID {
		t.Errorf("%+v", e)
	}
}

// 504 is a failure for the breaker of those who ask, and 200 is none: it opens by a provider that is ill, and a single
// card that nobody knows anything of does not keep it open.
func TestN3_AProviderThatIsIllIsToldFromACard(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url)
	for i, c := range []struct {
		token  string
		status int
		word   string
	}{
		{"tok_slow", 200, "UNKNOWN"}, {"tok_unknown", 200, "UNKNOWN"}, {"tok_error", 504, "UNKNOWN"}, {"tok_error", 504, "UNKNOWN"},
		{"tok_ok", 200, "APPROVED"}, {"tok_error", 200, "UNKNOWN"}, {"tok_error", 200, "UNKNOWN"},
		{"tok_declined", 200, "DECLINED"}, {"tok_error", 200, "UNKNOWN"},
	} {
		if status, word := s.approve(charge(newID(), 10_000, c.token)); status != c.status || word != c.word {
			t.Errorf("%d: %s was answered %d %s", i, c.token, status, word)
		}
	}
}

func TestN1_FiftyTimesTheSameRequestIsOneCharge(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	sim.weather(`{"latencyMs":30}`)
	r := charge(newID(), 10_000, "tok_ok")
	var approved, unknown atomic.Int64
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			switch status, word := s.approve(r); {
			case status == 200 && word == "APPROVED":
				approved.Add(1)
			case status == 504 && word == "UNKNOWN":
				unknown.Add(1)
			default:
				t.Errorf("answered %d %s", status, word)
			}
		})
	}
	all.Wait()
	charged, _, entries := sim.ledger(r.ReservationID)
	if approved.Load() < 1 || charged != 10_000 || entries != 1 {
		t.Errorf("%d approved, %d unknown, %d won in %d entries", approved.Load(), unknown.Load(), charged, entries)
	}
	if status, word := s.approve(r); status != 200 || word != "APPROVED" {
		t.Errorf("afterwards: %d %s", status, word)
	}
	if words, _ := s.events(r.ReservationID); words != "" {
		t.Errorf("events: %s", words)
	}
}

func TestAnotherAmountForTheSamePaymentIsRefused(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	r := charge(newID(), 10_000, "tok_ok")
	s.approve(r)
	r.Amount = 10_001
	if status, word := s.approve(r); status != 422 || word != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("answered %d %s", status, word)
	}
	if charged, _, entries := sim.ledger(r.ReservationID); charged != 10_000 || entries != 1 {
		t.Errorf("%d won in %d entries", charged, entries)
	}
}

func TestAProviderThatIsDownIsNotSent_AndTheSamePaymentSucceedsLater(t *testing.T) {
	addr := freeAddr(t)
	s := serve(t, "http://"+addr).resumes()
	r := charge(newID(), 10_000, "tok_ok")
	for range 3 {
		if status, word := s.approve(r); status != 503 || word != "NOT_SENT" {
			t.Fatalf("answered %d %s", status, word)
		}
		if got := s.inquire(r.ReservationID); got.Status != "NONE" {
			t.Fatalf("inquiry says %s", got.Status)
		}
	}
	sim := simulate(t, addr)
	if status, word := s.approve(r); status != 200 || word != "APPROVED" {
		t.Errorf("answered %d %s", status, word)
	}
	if charged, _, _ := sim.ledger(r.ReservationID); charged != 10_000 {
		t.Errorf("charged %d", charged)
	}
	if words, _ := s.events(r.ReservationID); words != "" {
		t.Errorf("events: %s", words)
	}
}

// A connection that breaks after it carried the request proves nothing, also when the next one is refused.
func TestALostConnectionIsUnknownAndNeverNotSent(t *testing.T) {
	var calls atomic.Int64
	bank := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if calls.Add(1) == 1 { // makes the connection a used one
			w.WriteHeader(http.StatusNotFound)
			_, _ = fmt.Fprint(w, `{"code":"NOT_FOUND_PAYMENT"}`)
			return
		}
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.Close()
	}))
	bank.Start()
	t.Cleanup(bank.Close)
	s := serve(t, bank.URL)
	s.provider.Find(t.Context(), "somebody")
	if status, word := s.approve(charge(newID(), 10_000, "tok_ok")); status != 200 || word != "UNKNOWN" {
		t.Errorf("answered %d %s", status, word)
	}
	if n := calls.Load(); n != 2 {
		t.Errorf("the provider was called %d times: the transport repeated the charge by itself", n-1)
	}
}

func TestAResultIsStoredAlthoughTheCallerHasLeft(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	sim.weather(`{"latencyMs":600}`)
	token, _ := domain.NewToken("tok_ok")
	reservation := newID()
	ctx, leave := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer leave()
	_, err := s.payments.Approve(ctx, usecase.Request{Reservation: domain.ReservationID(reservation), Purpose: domain.Price,
		Amount: 10_000, Method: domain.Card, Token: token, CorrelationID: "c"})
	if err == nil || err.Error() != "UNKNOWN" {
		t.Errorf("got %v", err)
	}
	s.payments.Drain() // a graceful stop waits for it
	if got := s.stored(reservation).Status; got != domain.Approved {
		t.Errorf("stored %s", got)
	}
}

func TestK3_ACrashBetweenStoringAndCallingIsFoundByInquiry(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	crashed := func() *domain.Payment {
		t.Helper()
		p, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(newID()),
			Purpose: domain.Price, Method: domain.Card, Amount: 10_000, CorrelationID: "c", CausationID: "c"},
			domain.Moment{Now: time.Now().UTC().Truncate(time.Microsecond), Pace: pace})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.store.Add(t.Context(), p, nil); err != nil {
			t.Fatal(err)
		}
		return p
	}
	before, after := crashed(), crashed()
	token, _ := domain.NewToken("tok_ok")
	if r := s.provider.Confirm(t.Context(), after, token); r.Kind != domain.Answered {
		t.Fatal(r.Cause)
	}
	s.resumes()
	uncharged, charged := string(before.Snapshot().Reservation), string(after.Snapshot().Reservation)
	s.becomes(charged, "APPROVED")
	s.becomes(uncharged, "UNKNOWN")
	if status, word := s.approve(charge(uncharged, 10_000, "tok_ok")); status != 504 || word != "UNKNOWN" {
		t.Errorf("asked again: %d %s", status, word)
	}
	s.voidOrder(uncharged)
	s.becomes(uncharged, "VOIDED")
	if _, _, entries := sim.ledger(uncharged); entries != 0 {
		t.Errorf("%d entries", entries)
	}
}

func TestAWebhookIsAHintAndNothingMore(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_lost"))
	if _, err := s.db.Exec("UPDATE payments SET next_attempt_at = NOW(6) + INTERVAL 1 DAY"); err != nil {
		t.Fatal(err)
	}
	s.resumes()
	for _, body := range []string{``, `null`, `[]`, `{"orderId":7}`, "\xff", `{"orderId":"` + newID() + `-PRICE"}`, `{"orderId":"' OR 1=1 --"}`} {
		if status, raw := s.call("/webhooks/payment", []byte(body), "gateway"); status != 200 {
			t.Errorf("%q: %d %s", body, status, raw)
		}
	}
	if got := s.stored(reservation).Status; got != domain.Unknown {
		t.Errorf("stored %s", got)
	}
	// It lies about the state; the provider is asked.
	hint := `{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"` + reservation + `-PRICE","status":"CANCELED"}}`
	if status, _ := s.call("/webhooks/payment", []byte(hint), "gateway"); status != 200 {
		t.Errorf("status %d", status)
	}
	s.becomes(reservation, "APPROVED")
}

func TestK6_InternalRoutesAnswerTheirCallerAlone(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	for path, allowed := range map[string]string{contract.ApprovePath: "reservation", contract.InquirePath: "reservation",
		contract.PaymentTimelinePath: "reservation", contract.RefundListPath: "reservation", contract.RefundRetryPath: "reservation",
		contract.RefundSettlementPath: "reservation", contract.ReconcilePath: "reservation", "/webhooks/payment": "gateway"} {
		for _, callers := range [][]string{nil, {"store"}, {allowed, allowed}, {allowed, "store"}, {""}} {
			if status, _ := s.call(path, charge(newID(), 1000, "tok_ok"), callers...); status != http.StatusForbidden {
				t.Errorf("%s from %q: %d", path, callers, status)
			}
		}
	}
	if status, _ := s.call("/events/reservation", map[string]any{}, "reservation"); status != http.StatusForbidden {
		t.Errorf("an event by invocation: %d", status)
	}
}

func TestBadRequestsAreRefusedBeforeAnythingIsStored(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	good := charge(newID(), 1000, "tok_ok")
	for name, c := range map[string]struct {
		change func(r *contract.ApproveRequest)
		field  string
	}{
		"no uuid":          {func(r *contract.ApproveRequest) { r.ReservationID = "1" }, "reservationId"},
		"upper case":       {func(r *contract.ApproveRequest) { r.ReservationID = "0197A000-0000-7000-8000-000000000001" }, "reservationId"},
		"purpose":          {func(r *contract.ApproveRequest) { r.Purpose = "TIP" }, "purpose"},
		"method":           {func(r *contract.ApproveRequest) { r.Method = "SAVINGS" }, "method"},
		"too little":       {func(r *contract.ApproveRequest) { r.Amount = 99 }, "amount"},
		"negative":         {func(r *contract.ApproveRequest) { r.Amount = -5000 }, "amount"},
		"no token":         {func(r *contract.ApproveRequest) { r.Token = "" }, "token"},
		"long correlation": {func(r *contract.ApproveRequest) { r.CorrelationID = string(make([]byte, 65)) }, "correlationId"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			c.change(&r)
			if status, word := s.approve(r); status != 422 || word != "INVALID" {
				t.Errorf("answered %d %s", status, word)
			}
		})
	}
	for _, body := range []string{``, `[]`, `{`, `{"amount":"x"}`, "{\"token\":\"\xff\"}"} {
		if status, raw := s.call(contract.ApprovePath, []byte(body), "reservation"); status != 400 && status != 422 {
			t.Errorf("%q: %d %s", body, status, raw)
		}
	}
	var n int
	if err := s.db.QueryRow("SELECT COUNT(*) FROM payments").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d stored, %v", n, err)
	}
}

func TestNothingIsChargedThatCouldNotBeStored(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	r := charge(newID(), 10_000, "tok_ok")
	if status, word := s.approve(r); status != 503 || word != "NOT_SENT" {
		t.Errorf("answered %d %s", status, word)
	}
	if _, _, entries := sim.ledger(r.ReservationID); entries != 0 {
		t.Errorf("%d entries", entries)
	}
}
