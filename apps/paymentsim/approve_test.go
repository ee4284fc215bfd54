package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAnApprovalChargesUnderAFreshKey(t *testing.T) {
	s := start(t)
	first, second := s.confirm("tok_ok", "order-1", 11000), s.confirm("tok_ok.7", "order-2", 11000)
	for _, p := range []answered{first, second} {
		want(t, p, 200, "")
		if p.Status != "DONE" || p.TotalAmount != 11000 || p.BalanceAmount != 11000 || p.SuppliedAmount != 10000 || p.VAT != 1000 ||
			p.Method != "카드" || p.Currency != "KRW" || p.ApprovedAt == nil || p.Cancels != nil || !p.IsPartialCancelable {
			t.Errorf("payment %s", p.text)
		}
		if _, err := time.Parse("2006-01-02T15:04:05+09:00", *p.ApprovedAt); err != nil {
			t.Error(err)
		}
	}
	if first.PaymentKey == second.PaymentKey || first.PaymentKey == "tok_ok" {
		t.Errorf("keys %s and %s", first.PaymentKey, second.PaymentKey)
	}
	s.wantLedger("order-1", charge(11000))
	if found := s.inquire("order-1"); found.text != first.text {
		t.Errorf("inquiry by order %s, want %s", found.text, first.text)
	}
	if found := s.must(http.MethodGet, "/v1/payments/"+first.PaymentKey, "", ""); found.text != first.text {
		t.Errorf("inquiry by key %s, want %s", found.text, first.text)
	}
	want(t, s.must(http.MethodGet, "/v1/payments/sim_0", "", ""), 404, "NOT_FOUND_PAYMENT")
	want(t, s.inquire("order-3"), 404, "NOT_FOUND_PAYMENT")
}

func TestASecondApprovalOfAnOrderIsRefused(t *testing.T) {
	s := start(t)
	s.confirm("tok_ok", "order-1", 1000)
	again := s.must(http.MethodPost, "/v1/payments/confirm", "another-key", confirmBody("tok_ok.2", "order-1", 1000))
	want(t, again, 400, "ALREADY_PROCESSED_PAYMENT")
	withoutKey := s.must(http.MethodPost, "/v1/payments/confirm", "", confirmBody("tok_ok", "order-1", 1000))
	want(t, withoutKey, 400, "ALREADY_PROCESSED_PAYMENT")
	s.wantLedger("order-1", charge(1000))
}

func TestARepeatHearsTheFirstAnswerWhateverItsBodySays(t *testing.T) {
	s := start(t)
	first := s.must(http.MethodPost, "/v1/payments/confirm", "key-1", confirmBody("tok_ok", "order-1", 1000))
	other := s.must(http.MethodPost, "/v1/payments/confirm", "key-1", confirmBody("tok_ok", "order-2", 2000))
	if other.text != first.text {
		t.Errorf("heard %s, want %s", other.text, first.text)
	}
	s.wantLedger("order-2")
	// The same key at another address is another request.
	if back := s.cancel(first.PaymentKey, "key-1", 1000); back.Status != "CANCELED" {
		t.Errorf("%s", back.text)
	}
}

func TestADeclineChargesNothing(t *testing.T) {
	s := start(t)
	for token, code := range map[string]string{"tok_declined": "REJECT_CARD_COMPANY", "tok_insufficient.9": "REJECT_CARD_PAYMENT"} {
		orderID := "order-" + code
		want(t, s.confirm(token, orderID, 1000), 403, code)
		found := s.inquire(orderID)
		if found.status != 200 || found.Status != "ABORTED" || found.Failure == nil || found.Failure.Code != code {
			t.Errorf("inquiry: %s", found.text)
		}
		want(t, s.cancel(found.PaymentKey, "c", 1000), 403, "NOT_CANCELABLE_PAYMENT")
		s.wantLedger(orderID)
		// Another card, another key: the order is still unpaid.
		paid := s.must(http.MethodPost, "/v1/payments/confirm", "second-"+code, confirmBody("tok_ok", orderID, 1000))
		want(t, paid, 200, "")
		want(t, s.must(http.MethodGet, "/v1/payments/"+found.PaymentKey, "", ""), 404, "NOT_FOUND_PAYMENT")
		s.wantLedger(orderID, charge(1000))
	}
}

func TestAnErrorChargesNothing(t *testing.T) {
	s := start(t)
	for range 2 {
		want(t, s.confirm("tok_error", "order-1", 1000), 500, "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING")
	}
	want(t, s.inquire("order-1"), 404, "NOT_FOUND_PAYMENT")
	s.wantLedger("order-1")
}

func TestAWrongAmountIsOneWonLess(t *testing.T) {
	s := start(t)
	if p := s.confirm("tok_wrong_amount", "order-1", 1000); p.status != 200 || p.TotalAmount != 999 {
		t.Errorf("%s", p.text)
	}
	s.wantLedger("order-1", charge(999))
}

func TestALostAnswerWasCharged(t *testing.T) {
	s := start(t)
	body := confirmBody("tok_lost.3", "order-1", 1000)
	s.inquire("order-1") // leaves an idle connection, on which Go's client would repeat by itself
	if r, err := s.call(http.MethodPost, "/v1/payments/confirm", "key-1", body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("heard %v, %v", r.text, err)
	}
	s.wantLedger("order-1", charge(1000))
	found := s.inquire("order-1")
	if found.Status != "DONE" {
		t.Errorf("inquiry: %s", found.text)
	}
	if repeat := s.must(http.MethodPost, "/v1/payments/confirm", "key-1", body); repeat.text != found.text {
		t.Errorf("the repeat was answered %s, want %s", repeat.text, found.text)
	}
	s.wantLedger("order-1", charge(1000))
}

func TestAnUnknownOutcomeWasNotCharged(t *testing.T) {
	s := start(t)
	for range 2 {
		r, err := s.call(http.MethodPost, "/v1/payments/confirm", "key-1", confirmBody("tok_unknown", "order-1", 1000))
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("heard %v, %v", r.text, err)
		}
	}
	want(t, s.inquire("order-1"), 404, "NOT_FOUND_PAYMENT")
	s.wantLedger("order-1")
}

func TestASlowAnswerTakesFiveSeconds(t *testing.T) {
	t.Parallel()
	s := start(t)
	begun, slow := time.Now(), make(chan answered, 1)
	go func() {
		r, err := s.call(http.MethodPost, "/v1/payments/confirm", "key-1", confirmBody("tok_slow", "order-1", 1000))
		if err != nil {
			t.Error(err)
		}
		slow <- r
	}()
	time.Sleep(500 * time.Millisecond)
	pending := s.inquire("order-1")
	if pending.Status != "IN_PROGRESS" {
		t.Errorf("meanwhile: %s", pending.text)
	}
	s.wantLedger("order-1")
	want(t, s.must(http.MethodPost, "/v1/payments/confirm", "key-1", confirmBody("tok_slow", "order-1", 1000)), 409, "IDEMPOTENT_REQUEST_PROCESSING")
	want(t, s.must(http.MethodPost, "/v1/payments/confirm", "key-2", confirmBody("tok_ok", "order-1", 1000)), 400, "ALREADY_PROCESSED_PAYMENT")
	want(t, s.cancel(pending.PaymentKey, "c", 1000), 403, "NOT_CANCELABLE_PAYMENT")
	r := <-slow
	if took := time.Since(begun); r.Status != "DONE" || r.PaymentKey != pending.PaymentKey || took < slowTime || took > slowTime+3*time.Second {
		t.Errorf("after %v: %s", took, r.text)
	}
	s.wantLedger("order-1", charge(1000))
}

func TestFiftyParallelApprovalsOfAnOrderChargeOnce(t *testing.T) {
	s := start(t)
	for name, keyOf := range map[string]func(int) string{
		"order-own-keys": func(i int) string { return fmt.Sprint("key-", i) },
		"order-same-key": func(int) string { return "key" },
		"order-no-keys":  func(int) string { return "" },
	} {
		var together sync.WaitGroup
		var approved, refused atomic.Int32
		for i := range 50 {
			together.Go(func() {
				r, err := s.call(http.MethodPost, "/v1/payments/confirm", keyOf(i), confirmBody("tok_ok", name, 1000))
				switch {
				case err != nil:
					t.Error(err)
				case r.status == 200:
					approved.Add(1)
				case r.Code == "ALREADY_PROCESSED_PAYMENT", r.Code == "IDEMPOTENT_REQUEST_PROCESSING":
					refused.Add(1)
				default:
					t.Errorf("%s", r.text)
				}
			})
		}
		together.Wait()
		s.wantLedger(name, charge(1000))
		// Under one key the later ones may hear the stored approval.
		if approved.Load()+refused.Load() != 50 || approved.Load() < 1 || name != "order-same-key" && approved.Load() != 1 {
			t.Errorf("%s: %d approved, %d refused", name, approved.Load(), refused.Load())
		}
	}
}

func BenchmarkConfirm(b *testing.B) {
	s := start(b)
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 64
	var n atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			orderID := fmt.Sprint("order-", n.Add(1))
			if r, err := s.call(http.MethodPost, "/v1/payments/confirm", orderID, confirmBody("tok_ok", orderID, 1000)); err != nil || r.status != 200 {
				b.Error(r.text, err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "approvals/s")
}
