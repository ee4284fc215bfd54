package main

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/webtest"
)

// Each request is wrong in several ways, and is refused for the first of them in the order of the API.
func TestF8_RefusalsInTheOrderOfTheAPI(t *testing.T) {
	s := start(t)
	d := s.product.Departures
	at := func(i int) func(object) { return set("departureId", d[i].DepartureID) }
	special := s.product
	big := strings.Repeat(" ", 1<<20) + "{}"
	for i, c := range []struct {
		name, bearer, key string
		body              any
		status            int
		code              string
	}{
		{"nobody", "", "", "{", 401, "UNAUTHENTICATED"},
		{"an MD", s.md, "", "{", 403, "WRONG_ROLE"},
		{"no key", s.customer, "", "{", 400, "IDEMPOTENCY_KEY_MISSING"},
		{"a bad key", s.customer, strings.Repeat("k", 256), "{", 400, "IDEMPOTENCY_KEY_INVALID"},
		{"broken JSON", s.customer, "k", "{", 400, "MALFORMED"},
		{"a wrong type", s.customer, "k", s.body(set("travellers", "2")), 400, "MALFORMED"},
		{"too large", s.customer, "k", big, 413, "TOO_LARGE"},
		{"an unknown member", s.customer, "k", s.body(set("productId", newID()), set("status", "CONFIRMED")), 422, "INVALID"},
		{"a broken rule", s.customer, "k", s.body(set("productId", newID()), set("travellers", 100)), 422, "INVALID"},
		{"a plan that is not offered", s.customer, "k", s.body(at(2), set("paymentPlan", "SAVINGS_FUNDED")), 422, "PLAN_NOT_OFFERED"},
		{"an unknown product", s.customer, "k", s.body(set("productId", newID()), at(2)), 404, "NOT_FOUND"},
		{"an unknown departure", s.customer, "k", s.body(set("departureId", newID())), 404, "NOT_FOUND"},
		{"closed", s.customer, "k", s.body(at(2), set("expectedPrice", 1)), 409, "DEPARTURE_CLOSED"},
		{"today", s.customer, "k", s.body(at(3), set("expectedPrice", 1)), 409, "TOO_LATE"},
		{"another price", s.customer, "k", s.body(at(1), set("expectedPrice", 1)), 409, "PRICE_CHANGED"},
		{"other terms", s.customer, "k", s.body(at(1), set("acceptedPolicyVersion", "X")), 409, "TERMS_CHANGED"},
		{"no seats", s.customer, "k", s.body(at(1), token("tok_declined")), 409, "SOLD_OUT"},
		{"declined", s.customer, "k", s.body(token("tok_declined")), 402, "PAYMENT_DECLINED"},
	} {
		res := s.post("/reservations", c.bearer, c.key, c.body)
		if res.Status != c.status || res.Code() != c.code || !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%d %s: %d %s", i, c.name, res.Status, res.Body)
		}
		if c.status == 401 && res.Header.Get("WWW-Authenticate") != "Bearer" {
			t.Error("401 without WWW-Authenticate")
		}
	}
	if res := s.Do(webtest.Request{Method: "POST", Path: "/reservations", Bearer: s.customer, Body: "{",
		Header: map[string]string{"Idempotency-Key": "k", "Content-Type": "text/plain"}}); res.Status != 415 {
		t.Errorf("text: %d", res.Status)
	}
	s.product = special
	s.product.Version, s.product.Status = 2, contract.ProductIsWithdrawn
	s.tell(contract.ProductDiscontinued)
	if res := s.post("/reservations", s.customer, "k3", s.body(at(2))); res.Status != 410 || res.Code() != "DISCONTINUED" {
		t.Errorf("discontinued: %d %s", res.Status, res.Body)
	}
}

func TestF8_EveryWrongFieldIsNamed(t *testing.T) {
	s := start(t)
	res := s.post("/reservations", s.customer, "k", object{"productId": "x", "departureId": "y", "travellers": 0, "paymentPlan": "LATER",
		"expectedPrice": -1, "acceptedPolicyVersion": strings.Repeat("v", 101), "reservationId": "z", "paymentMethod": object{"type": "CASH"}})
	want := []string{"productId BAD_FORMAT", "departureId BAD_FORMAT", "travellers OUT_OF_RANGE", "paymentPlan NOT_ALLOWED", "expectedPrice OUT_OF_RANGE",
		"acceptedPolicyVersion TOO_LONG", "reservationId BAD_FORMAT", "paymentMethod.type NOT_ALLOWED", "paymentMethod.token REQUIRED"}
	if got := res.Fields(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	want = []string{"productId REQUIRED", "departureId REQUIRED", "travellers REQUIRED", "paymentPlan REQUIRED", "paymentMethod.type REQUIRED", "paymentMethod.token REQUIRED"}
	if got := s.post("/reservations", s.customer, "k", object{}).Fields(); !slices.Equal(got, want) {
		t.Errorf("of nothing: %v", got)
	}
}

const reservationMembers = `reservationId customerId mdId status version productId productName.ko productName.en kind nights departureId departureDate
	travellers paymentPlan price.list price.discount price.payable price.dueNow policyVersion correlationId createdAt `

const paid = `payment.paymentId payment.status payment.amount payments[].paymentId payments[].purpose payments[].method payments[].status
	payments[].amount payments[].refunded `

const quoteMembers = `asOf daysBefore feeRate assessedFee fee paid refund parts[].purpose parts[].method parts[].amount
	policy.type policy.version policy.tiers[].fromDays policy.tiers[].rate validUntil `

func TestF9_AReservationInJSON(t *testing.T) {
	s := start(t)
	res := s.post("/reservations", s.customer, "k1", s.body())
	s.wantShape("201", res.Body, reservationMembers+paid)
	var r contract.ReservationState
	res.JSON(&r)
	if res.Status != 201 || r.Status != "CONFIRMED" || r.Price.Payable != 1_520_000 || res.Header.Get("Location") != "/api/reservations/"+r.ReservationID {
		t.Errorf("%d %s %v", res.Status, res.Body, res.Header)
	}
	again := s.post("/reservations", s.customer, "k1", s.body())
	if again.Status != 201 || string(again.Body) != string(res.Body) || again.Header.Get("Idempotent-Replayed") != "true" || res.Header.Get("Idempotent-Replayed") != "" {
		t.Errorf("repeated: %d %s", again.Status, again.Body)
	}
	if got := s.post("/reservations", s.customer, "k1", s.body(set("travellers", 3))); got.Status != 422 || got.Code() != "IDEMPOTENCY_KEY_REUSED" {
		t.Errorf("another body: %d %s", got.Status, got.Body)
	}
	one := s.get("/reservations/"+r.ReservationID, s.customer)
	if one.Status != 200 || string(one.Body) != string(res.Body) || one.Header.Get("ETag") != `"2"` {
		t.Errorf("read: %d %s", one.Status, one.Body)
	}
	history := s.get("/reservations/"+r.ReservationID+"/history", s.customer)
	s.wantShape("history", history.Body, "items[].version items[].kind items[].from items[].to items[].at items[].actor items[].cause items[].amount")
	s.wantShape("quote", s.get("/reservations/"+r.ReservationID+"/cancellation-quote", s.customer).Body, quoteMembers)

	cancellation := "/reservations/" + r.ReservationID + "/cancellation"
	changed := s.post(cancellation, s.customer, "c0", object{"expectedFee": 5})
	if changed.Status != 409 || changed.Code() != "FEE_CHANGED" {
		t.Errorf("%d %s", changed.Status, changed.Body)
	}
	s.wantShape("FEE_CHANGED", changed.Body, "type title status detail code correlationId quote."+strings.Join(strings.Fields(quoteMembers), " quote."))
	cancelled := s.post(cancellation, s.customer, "c1", object{"expectedFee": 0, "reason": "몸살"})
	s.wantShape("202", cancelled.Body, reservationMembers+paid+`cancellation.requestedAt cancellation.actor cancellation.reason cancellation.daysBefore
		cancellation.feeRate cancellation.assessedFee cancellation.fee cancellation.refund cancellation.compensation cancellation.parts[].refundId
		cancellation.parts[].purpose cancellation.parts[].method cancellation.parts[].amount cancellation.parts[].status`)
	if cancelled.Status != 202 || cancelled.Header.Get("Retry-After") == "" {
		t.Errorf("%d %s", cancelled.Status, cancelled.Body)
	}
}

func TestN1_AnswersThatAreNoReservationCarryItsID(t *testing.T) {
	s := start(t)
	for tok, c := range map[string]struct {
		status int
		shape  string
		retry  bool
	}{
		"tok_declined": {402, "type title status detail code correlationId reservationId declineCode", false},
		"tok_unsent":   {503, "type title status detail code correlationId reservationId", true},
		"tok_unknown":  {202, reservationMembers, true},
	} {
		res := s.post("/reservations", s.customer, tok, s.body(token(tok)))
		if res.Status != c.status || (res.Header.Get("Retry-After") != "") != c.retry {
			t.Errorf("%s: %d %v", tok, res.Status, res.Header)
		}
		s.wantShape(tok, res.Body, c.shape)
	}
}

func TestF10_AnothersReservationIsNotFound(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	for _, name := range []string{id, newID(), "x"} {
		for _, path := range []string{"", "/history", "/cancellation-quote"} {
			if res := s.get("/reservations/"+name+path, s.other); res.Status != 404 {
				t.Errorf("%s%s: %d", name, path, res.Status)
			}
			if res := s.get("/reservations/"+name+path, s.md); res.Status != 403 {
				t.Errorf("%s%s by an MD: %d", name, path, res.Status)
			}
		}
		if res := s.post("/reservations/"+name+"/cancellation", s.other, "k", object{}); res.Status != 404 {
			t.Errorf("cancelling %s: %d", name, res.Status)
		}
	}
	if res := s.post("/reservations/"+id+"/cancellation", s.customer, "k", object{"reason": strings.Repeat("x", 501), "expectedFee": -1}); res.Status != 422 || len(res.Fields()) != 2 {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}

func TestF10_OwnReservationsTheNewestFirst(t *testing.T) {
	s := start(t)
	var want []string
	for range 5 {
		want = append([]string{s.reserve(s.customer)}, want...)
	}
	s.reserve(s.other)
	for _, limit := range []int{1, 2, 5, 100} {
		var got []string
		for cursor := ""; ; {
			var page struct {
				Items      []contract.ReservationState
				NextCursor *string
			}
			s.get(fmt.Sprintf("/reservations?limit=%d%s", limit, cursor), s.customer).JSON(&page)
			for _, r := range page.Items {
				got = append(got, r.ReservationID)
			}
			if page.NextCursor == nil {
				break
			}
			cursor = "&cursor=" + *page.NextCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %v, want %v", limit, got, want)
		}
	}
	for _, cursor := range []string{`{}`, `null`, `[]`, `{"a":"0000-01-01T00:00:00Z","i":"x"}`, `{"a":"0000-01-01T00:00:00Z","i":"` + newID() + `"}`,
		`{"a":"9999-01-01T00:00:00Z","i":"` + newID() + `"}`, `{"a":"2026-01-01T00:00:00Z","i":"x"}`, "nonsense"} {
		res := s.get("/reservations?cursor="+base64.RawURLEncoding.EncodeToString([]byte(cursor)), s.customer)
		if res.Status != 422 || !slices.Equal(res.Fields(), []string{"cursor BAD_FORMAT"}) {
			t.Errorf("%s: %d %s", cursor, res.Status, res.Body)
		}
	}
}
