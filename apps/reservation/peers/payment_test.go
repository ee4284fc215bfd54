package peers_test

import (
	"context"
	"errors"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/reservation/peers"
	"oneqtour/apps/reservation/usecase"
)

// script answers one call after the other. What Dapr really says is pinned in internal/sidecar.
type script struct {
	steps []step
	calls int
}

type step struct {
	status int
	body   string
	err    error
}

func (s *script) Invoke(context.Context, sidecar.Request) (sidecar.Response, error) {
	at := s.steps[min(s.calls, len(s.steps)-1)]
	s.calls++
	return sidecar.Response{Status: at.status, Body: []byte(at.body)}, at.err
}

// Unsent means that a customer may be told "nothing was charged"; so it is said only when it is certain.
func TestN1_TheFourOutcomesOfAPayment(t *testing.T) {
	gone := &sidecar.Undelivered{Reason: "connection refused"}
	open := &sidecar.Undelivered{Refused: true, Reason: "circuit breaker is open"}
	timeout := errors.New("context deadline exceeded")
	ok := step{status: 200, body: `{"reservationId":"r","status":"APPROVED","amount":1000,"paymentId":"p"}`}
	for name, c := range map[string]struct {
		steps []step
		want  usecase.OutcomeKind
		calls int
	}{
		"approved":                      {[]step{ok}, usecase.Approved, 1},
		"declined":                      {[]step{{status: 200, body: `{"reservationId":"r","status":"DECLINED"}`}}, usecase.Declined, 1},
		"voided before it was asked":    {[]step{{status: 200, body: `{"reservationId":"r","status":"VOIDED"}`}}, usecase.Declined, 1},
		"approved for another amount":   {[]step{{status: 200, body: `{"reservationId":"r","status":"APPROVED","amount":999}`}}, usecase.Unknown, 1},
		"of another reservation":        {[]step{{status: 200, body: `{"reservationId":"x","status":"APPROVED","amount":1000}`}}, usecase.Unknown, 1},
		"a state that is no result":     {[]step{{status: 200, body: `{"reservationId":"r","status":"REQUESTED"}`}}, usecase.Unknown, 1},
		"nonsense":                      {[]step{{status: 200, body: `<html>`}}, usecase.Unknown, 1},
		"the provider was not reached":  {[]step{{status: 503, body: `{"code":"NOT_SENT"}`}}, usecase.Unsent, 1},
		"another 503":                   {[]step{{status: 503, body: `{"code":"UNAVAILABLE"}`}}, usecase.Unknown, 1},
		"payment does not know":         {[]step{{status: 504, body: `{"code":"UNKNOWN"}`}}, usecase.Unknown, 1},
		"payment failed":                {[]step{{status: 500}}, usecase.Unknown, 1},
		"time-out":                      {[]step{{err: timeout}}, usecase.Unknown, 1},
		"breaker open":                  {[]step{{err: open}}, usecase.Unsent, 1},
		"nobody there":                  {[]step{{err: gone}}, usecase.Unsent, 3},
		"a dead replica, then a living": {[]step{{err: gone}, ok}, usecase.Approved, 2},
		"a dead replica, then silence":  {[]step{{err: gone}, {err: timeout}}, usecase.Unknown, 2},
	} {
		s := &script{steps: c.steps}
		got := peers.NewPayment(s).Approve(t.Context(), contract.ApproveRequest{ReservationID: "r", Purpose: contract.PurposePrice, Amount: 1000})
		if got.Refused != (name == "breaker open" || name == "the provider was not reached") {
			t.Errorf("%s: refused %v", name, got.Refused)
		}
		if got.Kind != c.want || s.calls != c.calls {
			t.Errorf("%s: %+v after %d calls, want %v after %d", name, got, s.calls, c.want, c.calls)
		}
	}
}

func TestAnInquiryThatFailsIsNoAnswer(t *testing.T) {
	ask := contract.InquiryRequest{ReservationID: "r", Purpose: contract.PurposePrice}
	for name, at := range map[string]step{
		"error": {status: 500}, "nonsense": {status: 200, body: "x"}, "no answer": {err: errors.New("gone")}, "nothing": {status: 200, body: "{}"},
		"another reservation": {status: 200, body: `{"reservationId":"x","purpose":"PRICE","status":"APPROVED"}`},
		"another purpose":     {status: 200, body: `{"reservationId":"r","purpose":"BALANCE","status":"APPROVED"}`},
	} {
		if got, err := peers.NewPayment(&script{steps: []step{at}}).Inquire(t.Context(), ask); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	ok := step{status: 200, body: `{"reservationId":"r","purpose":"PRICE","status":"NONE"}`}
	if got, err := peers.NewPayment(&script{steps: []step{ok}}).Inquire(t.Context(), ask); err != nil || got.Status != contract.PaymentNone {
		t.Errorf("%+v %v", got, err)
	}
}

// What payment refuses to operators is passed on; what else goes wrong with it is not their fault.
func TestPaymentsRefusalsArePassedOn(t *testing.T) {
	for name, c := range map[string]struct {
		at   step
		want fault.Code
	}{
		"unknown refund": {step{status: 404, body: `{"code":"NOT_FOUND"}`}, fault.NotFound},
		"not stuck":      {step{status: 409, body: `{"code":"NOT_STUCK"}`}, "NOT_STUCK"},
		"bad reference":  {step{status: 422, body: `{"code":"INVALID","errors":[{"field":"reference","code":"BAD_FORMAT","detail":"…"}]}`}, fault.Invalid},
		"no problem":     {step{status: 404, body: "nothing"}, fault.Unavailable},
		"failed":         {step{status: 500, body: `{"code":"INTERNAL"}`}, fault.Unavailable},
		"silent":         {step{err: errors.New("gone")}, fault.Unavailable},
		"nonsense":       {step{status: 200, body: "x"}, fault.Unavailable},
	} {
		_, err := peers.NewPayment(&script{steps: []step{c.at}}).SettleRefund(t.Context(), contract.RefundSettlementRequest{})
		refused, _ := errors.AsType[*fault.Error](err)
		if fault.CodeOf(err) != c.want || (c.want == fault.Invalid) != (len(refused.Fields) == 1) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ok := step{status: 200, body: `{"refundId":"r","status":"DONE"}`}
	if item, err := peers.NewPayment(&script{steps: []step{ok}}).SettleRefund(t.Context(), contract.RefundSettlementRequest{}); err != nil || item.Status != "DONE" {
		t.Errorf("%+v %v", item, err)
	}
}
