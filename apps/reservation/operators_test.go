package main

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/reservation/usecase"
)

func TestK6_OperatorsAlone(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	for _, path := range []string{"/ops/reservations/" + id + "/waiver", "/ops/compensations/" + id + "/payment"} {
		for bearer, want := range map[string]int{"": 401, s.customer: 403, s.md: 403} {
			if res := s.post(path, bearer, "", "{"); res.Status != want {
				t.Errorf("%s: %d, want %d", path, res.Status, want)
			}
		}
		if res := s.post(path, s.operator, "", "{"); res.Status != 400 {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	if res := s.get("/ops/compensations", s.md); res.Status != 403 {
		t.Errorf("%d", res.Status)
	}
	if res := s.post("/reservations/"+id+"/no-show", s.customer, "", nil); res.Status != 403 {
		t.Errorf("a customer records a no-show: %d", res.Status)
	}
}

func TestNoRouteTakesQueryMembersThatItDoesNotKnow(t *testing.T) {
	s := start(t)
	if n := s.RefusesUnknownMembers(webtest.Request{Bearer: s.everybody}); n != 17 {
		t.Errorf("%d routes", n)
	}
}

func TestK3_OperatorsSeeWhatIsStuck(t *testing.T) {
	s := start(t)
	s.reserve(s.customer)
	pending := s.post("/reservations", s.customer, "k1", s.body(token("tok_unknown")))
	withdrawn := s.post("/reservations", s.customer, "k2", s.body(token("tok_unknown")))
	cancelling := s.reserve(s.customer)
	var p, w contract.ReservationState
	pending.JSON(&p)
	withdrawn.JSON(&w)
	for _, id := range []string{w.ReservationID, cancelling} {
		if res := s.post("/reservations/"+id+"/cancellation", s.customer, "c"+id, object{}); res.Status != 202 {
			t.Fatalf("%d %s", res.Status, res.Body)
		}
	}
	want := []string{p.ReservationID + " PENDING", w.ReservationID + " REJECTED", cancelling + " CANCEL_REQUESTED"}
	for _, limit := range []string{"1", "2", "20"} {
		var got []string
		for cursor := ""; ; {
			var page struct {
				Items []struct {
					ReservationID, Status, VoidOrder string
					Since, NextAttemptAt             time.Time
				}
				NextCursor *string
			}
			s.get("/ops/reservations?stuckLongerThan=0s&limit="+limit+cursor, s.operator).JSON(&page)
			for _, i := range page.Items {
				got = append(got, i.ReservationID+" "+i.Status)
				if i.Since.IsZero() || i.NextAttemptAt.IsZero() || (i.VoidOrder == "ORDERED") != (i.Status == "REJECTED") {
					t.Errorf("%+v", i)
				}
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %s: %v, want %v", limit, got, want)
		}
	}
	var none struct{ Items []any }
	if s.get("/ops/reservations", s.operator).JSON(&none); none.Items == nil || len(none.Items) != 0 {
		t.Errorf("%v is not stuck yet", none.Items)
	}
	for _, bad := range []string{"soon", "-1s"} {
		if res := s.get("/ops/reservations?stuckLongerThan="+bad, s.operator); res.Status != 422 {
			t.Errorf("%s: %d", bad, res.Status)
		}
	}
}

// desk is payment as operators meet it.
type desk struct {
	usecase.PaymentDesk
	steps   []contract.PaymentStep
	item    contract.RefundItem
	err     error
	heard   any
	refunds contract.RefundList
}

func (d *desk) Timeline(context.Context, string) ([]contract.PaymentStep, error) {
	return d.steps, d.err
}

func (d *desk) ListRefunds(_ context.Context, r contract.RefundListRequest) (contract.RefundList, error) {
	d.heard = r
	return d.refunds, d.err
}

func (d *desk) RetryRefund(_ context.Context, r contract.RefundRetryRequest) (contract.RefundItem, error) {
	d.heard = r
	return d.item, d.err
}

func (d *desk) SettleRefund(_ context.Context, r contract.RefundSettlementRequest) (contract.RefundItem, error) {
	d.heard = r
	return d.item, d.err
}

func TestK3_TheTimelineOfAReservationAndItsPayments(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	d := &desk{}
	s.payment.PaymentDesk = d
	var story struct {
		ReservationID, Status string
		Timeline              []struct {
			At                time.Time
			App, Kind, Status string
		}
		TimelineIncomplete bool
	}
	path := "/ops/reservations/" + id
	s.get(path, s.operator).JSON(&story)
	if len(story.Timeline) != 2 || story.TimelineIncomplete {
		t.Fatalf("%+v", story)
	}
	first, second := story.Timeline[0].At, story.Timeline[1].At
	d.steps = []contract.PaymentStep{{At: first.Add(second.Sub(first) / 2), Kind: "PAYMENT", Status: "REQUESTED", Amount: 1}, {At: second.Add(time.Second), Kind: "PAYMENT", Status: "APPROVED"}}
	s.get(path, s.operator).JSON(&story)
	var told []string
	for _, i := range story.Timeline {
		told = append(told, i.App+" "+i.Status)
	}
	if want := []string{"reservation PENDING", "payment REQUESTED", "reservation CONFIRMED", "payment APPROVED"}; !slices.Equal(told, want) {
		t.Errorf("%v", told)
	}
	d.steps, d.err = nil, fault.New(fault.Unavailable)
	s.get(path, s.operator).JSON(&story)
	if !story.TimelineIncomplete || len(story.Timeline) != 2 {
		t.Errorf("payment is silent: %+v", story)
	}
	if res := s.get("/ops/reservations/"+newID(), s.operator); res.Status != 404 {
		t.Errorf("%d", res.Status)
	}
}

func TestF11_OperatorsRetryAndSettleStuckRefunds(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	var r contract.ReservationState
	s.post("/reservations/"+id+"/cancellation", s.customer, "c", object{}).JSON(&r)
	refund := r.Cancellation.Parts[0].RefundID
	d := &desk{item: contract.RefundItem{RefundID: refund, ReservationID: id, Status: "DONE"},
		refunds: contract.RefundList{Items: []contract.RefundItem{{RefundID: refund}}, Next: "there"}}
	s.payment.PaymentDesk = d
	var page struct {
		Items      []contract.RefundItem
		NextCursor *string
	}
	s.get("/ops/refunds?limit=1", s.operator).JSON(&page)
	if len(page.Items) != 1 || page.NextCursor == nil || d.heard != (contract.RefundListRequest{Status: "STUCK", Limit: 1}) {
		t.Fatalf("%+v %+v", page, d.heard)
	}
	s.get("/ops/refunds?status=DONE&cursor="+*page.NextCursor, s.operator)
	if d.heard != (contract.RefundListRequest{Status: "DONE", Limit: 20, After: "there"}) {
		t.Errorf("%+v", d.heard)
	}
	if res := s.post("/ops/refunds/"+refund+"/retry", s.operator, "", nil); res.Status != 200 || d.heard != (contract.RefundRetryRequest{RefundID: refund, Actor: "operator-1"}) {
		t.Errorf("%d %+v", res.Status, d.heard)
	}
	settle := func() {
		t.Helper()
		res := s.post("/ops/refunds/"+refund+"/settlement", s.operator, "", object{"reference": "BANK-7"})
		if res.Status != 200 || d.heard != (contract.RefundSettlementRequest{RefundID: refund, Reference: "BANK-7", Actor: "operator-1"}) {
			t.Errorf("%d %+v", res.Status, d.heard)
		}
	}
	// Payment's event alone writes it down, once, whether it comes before the answer to the operator or after it.
	for range 2 {
		e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "payment", Type: contract.PaymentRefunded, Subject: id, Time: time.Now()},
			contract.Payment{ReservationID: id, Refunds: []contract.Refund{{RefundID: refund, Cause: "CANCELLATION", Amount: 1_520_000, Status: "DONE", SettledBy: "operator-1"}}})
		if ack := s.Deliver("payment", e); err != nil || ack != "SUCCESS" {
			t.Fatal(ack, err)
		}
		settle()
	}
	var history struct{ Items []contract.HistoryEntry }
	s.get("/reservations/"+id+"/history", s.customer).JSON(&history)
	if n := len(history.Items); n != 5 || history.Items[3].Kind != "REFUND_SETTLED" || history.Items[3].Actor != "operator" || history.Items[4].To != "CANCELLED" {
		t.Errorf("%+v", history.Items)
	}
	s.get("/reservations/"+id, s.customer).JSON(&r)
	if r.Payments[0].Refunded != 1_520_000 {
		t.Errorf("%d came back", r.Payments[0].Refunded)
	}
	for _, code := range []fault.Code{fault.NotFound, fault.NotCancellable, fault.Invalid} {
		d.err = fault.New(code)
		if res := s.post("/ops/refunds/"+refund+"/retry", s.operator, "", nil); res.Code() != string(code) {
			t.Errorf("%s: %d %s", code, res.Status, res.Body)
		}
	}
	if res := s.get("/ops/refunds", s.customer); res.Status != 403 {
		t.Errorf("%d", res.Status)
	}
}

func (d *desk) Reconcile(_ context.Context, r contract.ReconcileRequest) (contract.Reconciliation, error) {
	d.heard = r
	return contract.Reconciliation{Date: r.Date}, d.err
}

func TestReconciliationOverHTTP(t *testing.T) {
	s := start(t)
	d := &desk{}
	s.payment.PaymentDesk = d
	res := s.get("/ops/reconciliation?date=2026-11-22", s.operator)
	s.wantShape("reconciliation", res.Body, `date checked.reservations checked.payments checked.refunds checked.charges checked.compensations checked.inFlight`)
	if !strings.Contains(string(res.Body), `"differences":[]`) || !reflect.DeepEqual(d.heard, contract.ReconcileRequest{Date: "2026-11-22", Limit: 500}) {
		t.Errorf("%s %+v", res.Body, d.heard)
	}
	if s.get("/ops/reconciliation", s.operator); d.heard.(contract.ReconcileRequest).Date != string(terms.DateOf(time.Now())) {
		t.Errorf("today is %+v", d.heard)
	}
	for _, day := range []string{"2026-02-30", "0000-01-01", "0001-01-01"} {
		if res := s.get("/ops/reconciliation?date="+day, s.operator); res.Status != 422 {
			t.Errorf("%s: %d", day, res.Status)
		}
	}
	if res := s.get("/ops/reconciliation", s.customer); res.Status != 403 {
		t.Errorf("%d", res.Status)
	}
	d.err = fault.New(fault.Unavailable)
	if res := s.get("/ops/reconciliation", s.operator); res.Status != 503 {
		t.Errorf("%d", res.Status)
	}
}
