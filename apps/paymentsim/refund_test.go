package main

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"testing"
)

func TestRefundsTakeFromTheBalance(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_ok", "order-1", 10000)
	part := s.cancel(paid.PaymentKey, "refund-1", 3000)
	want(t, part, 200, "")
	if part.Status != "PARTIAL_CANCELED" || part.TotalAmount != 10000 || part.BalanceAmount != 7000 || len(part.Cancels) != 1 {
		t.Fatalf("%s", part.text)
	}
	c := part.Cancels[0]
	if c.CancelAmount != 3000 || c.RefundableAmount != 7000 || c.CancelReason != "고객 취소" || c.CanceledAt == "" || c.TransactionKey == "" ||
		c.CancelStatus != "DONE" || part.LastTransactionKey == nil || *part.LastTransactionKey != c.TransactionKey {
		t.Errorf("cancel %+v", c)
	}
	want(t, s.cancel(paid.PaymentKey, "refund-2", 7001), 403, "NOT_CANCELABLE_AMOUNT")
	rest := s.must(http.MethodPost, "/v1/payments/"+paid.PaymentKey+"/cancel", "refund-3", `{"cancelReason":"나머지"}`)
	if rest.Status != "CANCELED" || rest.BalanceAmount != 0 || len(rest.Cancels) != 2 || rest.Cancels[1].CancelAmount != 7000 {
		t.Errorf("%s", rest.text)
	}
	want(t, s.cancel(paid.PaymentKey, "refund-4", 1), 400, "ALREADY_CANCELED_PAYMENT")
	want(t, s.cancel("sim_0", "refund-5", 1), 404, "NOT_FOUND_PAYMENT")
	if found := s.inquire("order-1"); found.text != rest.text {
		t.Errorf("inquiry %s, want %s", found.text, rest.text)
	}
	s.wantLedger("order-1", charge(10000), refund(3000), refund(7000))
}

func TestARefusedRefundStaysRefused(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_refund_refused.1", "order-1", 1000)
	for _, key := range []string{"refund-1", "refund-1", "refund-2"} {
		want(t, s.cancel(paid.PaymentKey, key, 1000), 403, "NOT_CANCELABLE_PAYMENT")
	}
	s.wantLedger("order-1", charge(1000))
}

func TestARefundThatIsRefusedOnceIsMadeUnderAnotherKey(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_refund_refused_once", "order-1", 1000)
	for range 2 {
		want(t, s.cancel(paid.PaymentKey, "refund-1", 1000), 403, "NOT_CANCELABLE_PAYMENT")
	}
	s.restart()
	want(t, s.cancel(paid.PaymentKey, "refund-1", 1000), 403, "NOT_CANCELABLE_PAYMENT")
	want(t, s.cancel(paid.PaymentKey, "refund-2", 1000), 200, "")
	s.wantLedger("order-1", charge(1000), refund(1000))
}

func TestALostRefundWasMade(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_refund_lost", "order-1", 1000)
	path := "/v1/payments/" + paid.PaymentKey + "/cancel"
	if r, err := s.call(http.MethodPost, path, "refund-1", cancelBody(400)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("heard %v, %v", r.text, err)
	}
	if found := s.inquire("order-1"); len(found.Cancels) != 1 || found.Cancels[0].CancelAmount != 400 {
		t.Errorf("inquiry: %s", found.text)
	}
	want(t, s.cancel(paid.PaymentKey, "refund-1", 400), 200, "")
	want(t, s.cancel(paid.PaymentKey, "refund-2", 600), 200, "")
	s.wantLedger("order-1", charge(1000), refund(400), refund(600))
}

func TestAPartialRefundCanBeRefused(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_no_partial", "order-1", 1000)
	if paid.IsPartialCancelable {
		t.Errorf("%s", paid.text)
	}
	want(t, s.cancel(paid.PaymentKey, "refund-1", 999), 403, "NOT_ALLOWED_PARTIAL_REFUND")
	want(t, s.cancel(paid.PaymentKey, "refund-2", 1000), 200, "")
	s.wantLedger("order-1", charge(1000), refund(1000))
}

func TestParallelRefundsNeverExceedTheCharge(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_ok", "order-1", 1000)
	var together sync.WaitGroup
	for range 50 {
		together.Go(func() {
			if _, err := s.call(http.MethodPost, "/v1/payments/"+paid.PaymentKey+"/cancel", "", cancelBody(100)); err != nil {
				t.Error(err)
			}
		})
	}
	together.Wait()
	if entries := s.ledger("order-1"); len(entries) != 11 {
		t.Errorf("%d refunds of 100 from 1000", len(entries)-1)
	}
	if found := s.inquire("order-1"); found.Status != "CANCELED" || found.BalanceAmount != 0 {
		t.Errorf("%s", found.text)
	}
}
