package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/contract"
)

func TestF11_WaiverOverHTTP(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	path := "/ops/reservations/" + id + "/waiver"
	if res := s.post(path, s.operator, "", object{"reason": "RAIN", "note": strings.Repeat("x", 501)}); res.Status != 422 ||
		!slices.Equal(res.Fields(), []string{"reason NOT_ALLOWED", "granted REQUIRED", "note TOO_LONG"}) {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	if res := s.post(path, s.operator, "", object{"reason": "OWN_ILLNESS", "granted": true, "note": "a\u0007b"}); res.Status != 422 ||
		!slices.Equal(res.Fields(), []string{"note BAD_FORMAT"}) {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	if res := s.post("/ops/reservations/"+newID()+"/waiver", s.operator, "", object{"reason": "OWN_ILLNESS", "granted": true}); res.Status != 404 {
		t.Errorf("%d", res.Status)
	}
	for range 2 {
		if res := s.post(path, s.operator, "", object{"reason": "OWN_ILLNESS", "granted": true, "note": "진단서"}); res.Status != 200 {
			t.Errorf("%d %s", res.Status, res.Body)
		}
	}
	if res := s.post(path, s.operator, "", object{"reason": "OWN_ILLNESS", "granted": false}); res.Status != 409 || res.Code() != "ALREADY_DECIDED" {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	cancellation := "/reservations/" + id + "/cancellation"
	if res := s.post(cancellation, s.customer, "k", object{"waiver": "RAIN", "savings": "BURN"}); res.Status != 422 ||
		!slices.Equal(res.Fields(), []string{"waiver NOT_ALLOWED", "savings NOT_ALLOWED"}) {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	if res := s.post(cancellation, s.customer, "k", object{"savings": "KEEP"}); res.Status != 422 || !slices.Equal(res.Fields(), []string{"savings NOT_ALLOWED"}) {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	res := s.post(cancellation, s.customer, "k", object{"waiver": "OWN_ILLNESS"})
	var r contract.ReservationState
	res.JSON(&r)
	if res.Status != 202 || r.Cancellation.Waiver == nil || r.Cancellation.Waiver.Status != "GRANTED" || r.Cancellation.Waiver.Reason != "OWN_ILLNESS" {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}

// Why somebody could not travel is between him and the operators; what they wrote and who they are is theirs.
func TestF11_WhatAWaiverTellsToWhom(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	if res := s.post("/ops/reservations/"+id+"/waiver", s.operator, "", object{"reason": "OWN_ILLNESS", "granted": false, "note": "진단서 없음"}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Body)
	}
	s.payment.PaymentDesk = &desk{}
	seen := s.get("/ops/reservations/"+id, s.operator).Body
	var story struct {
		Waiver   struct{ Reason, Status, Note, DecidedBy string }
		Timeline []struct{ Kind, Actor, Cause string }
	}
	if err := json.Unmarshal(seen, &story); err != nil || story.Waiver.Note != "진단서 없음" || story.Waiver.DecidedBy != "operator-1" || story.Waiver.Status != "REFUSED" ||
		story.Timeline[2].Cause != "OWN_ILLNESS" || story.Timeline[2].Actor != "operator-1" {
		t.Errorf("an operator sees %s", seen)
	}
	s.post("/reservations/"+id+"/cancellation", s.customer, "k", object{"waiver": "OWN_ILLNESS"})
	own := s.get("/reservations/"+id, s.customer).Body
	var r contract.ReservationState
	if err := json.Unmarshal(own, &r); err != nil || r.Cancellation.Waiver == nil || r.Cancellation.Waiver.Reason != "OWN_ILLNESS" || r.Cancellation.Waiver.Status != "REFUSED" {
		t.Errorf("the customer sees %s", own)
	}
	history := s.get("/reservations/"+id+"/history", s.customer).Body
	if !strings.Contains(string(history), `"WAIVER_REFUSED"`) || strings.Contains(string(history), "OWN_ILLNESS") {
		t.Errorf("history %s", history)
	}
	var bus string
	if err := s.db.QueryRow("SELECT GROUP_CONCAT(event SEPARATOR '') FROM outbox").Scan(&bus); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"customer": string(own) + string(history), "bus": bus} {
		for _, secret := range []string{"진단서", "operator-1", `"cause":"OWN_ILLNESS"`} {
			if strings.Contains(text, secret) {
				t.Errorf("the %s is told %s", what, secret)
			}
		}
	}
}

func TestF11_AnMDIsNotToldOfAWaiver(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	s.post("/ops/reservations/"+id+"/waiver", s.operator, "", object{"reason": "OWN_ILLNESS", "granted": true})
	if _, err := s.db.Exec(`UPDATE reservations SET document = JSON_SET(document, '$.departureDate', '2026-01-01')`); err != nil {
		t.Fatal(err)
	}
	if res := s.post("/reservations/"+id+"/no-show", s.md, "", nil); res.Status != 200 || strings.Contains(string(res.Body), "OWN_ILLNESS") {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}

func TestNoShowOverHTTP(t *testing.T) {
	s := start(t)
	id := s.reserve(s.customer)
	path := "/reservations/" + id + "/no-show"
	if res := s.post(path, s.md, "", nil); res.Status != 409 || res.Code() != "TOO_EARLY" {
		t.Errorf("before the date: %d %s", res.Status, res.Body)
	}
	if res := s.post("/reservations/x/no-show", s.operator, "", nil); res.Status != 404 {
		t.Errorf("%d", res.Status)
	}
	if _, err := s.db.Exec(`UPDATE reservations SET document = JSON_SET(document, '$.departureDate', '2026-01-01', '$.mdId', 'md-9')`); err != nil {
		t.Fatal(err)
	}
	if res := s.post(path, s.md, "", nil); res.Status != 404 {
		t.Errorf("another MD's: %d", res.Status)
	}
	for range 2 {
		res := s.post(path, s.operator, "", nil)
		var r contract.ReservationState
		res.JSON(&r)
		if res.Status != 200 || r.Cancellation == nil || r.Cancellation.Fee != 760_000 || r.Cancellation.DaysBefore != 0 {
			t.Errorf("%d %s", res.Status, res.Body)
		}
	}
}

func TestCompensationsOverHTTP(t *testing.T) {
	s := start(t)
	if _, err := s.db.Exec(`INSERT INTO compensations (reservation_id, customer_id, amount, status, due_at) VALUES
		(?, 'c', 1, 'DUE', '2026-11-22 01:00:00'), (?, 'c', 2, 'DUE', '2026-11-22 02:00:00'), (?, 'c', 3, 'DUE', '2026-11-22 03:00:00')`,
		newID(), newID(), newID()); err != nil {
		t.Fatal(err)
	}
	var amounts []int
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				Amount int
				Status string
			}
			NextCursor *string
		}
		s.get("/ops/compensations?status=DUE&limit=2"+cursor, s.operator).JSON(&page)
		for _, i := range page.Items {
			amounts = append(amounts, i.Amount)
		}
		if page.NextCursor == nil {
			break
		}
		cursor = "&cursor=" + *page.NextCursor
	}
	if !slices.Equal(amounts, []int{1, 2, 3}) {
		t.Errorf("%v", amounts)
	}
	if res := s.get("/ops/compensations?status=MAYBE", s.operator); res.Status != 422 {
		t.Errorf("%d", res.Status)
	}
	id := s.reserve(s.customer)
	if _, err := s.db.Exec(`UPDATE reservations SET status = 'CANCELLED', document = JSON_SET(document, '$.status', 'CANCELLED', '$.cancellation',
		JSON_OBJECT('requestedAt', '2026-11-22T01:00:00Z', 'compensation', JSON_OBJECT('amount', 5, 'status', 'DUE', 'dueAt', '2026-11-22T04:00:00Z')))`); err != nil {
		t.Fatal(err)
	}
	pay := "/ops/compensations/" + id + "/payment"
	if res := s.post(pay, s.operator, "", object{"reference": "a b"}); res.Status != 422 {
		t.Errorf("%d", res.Status)
	}
	for ref, want := range map[string]int{"BANK-1": 200} {
		for range 2 {
			res := s.post(pay, s.operator, "", object{"reference": ref})
			if res.Status != want {
				t.Errorf("%d %s", res.Status, res.Body)
			}
			s.wantShape("paid", res.Body, "reservationId customerId mdId productId productName.ko productName.en amount status reference paidBy dueAt paidAt")
		}
	}
	var listed struct {
		Items []struct{ ReservationID, MDID string }
	}
	if s.get("/ops/compensations?status=PAID", s.operator).JSON(&listed); len(listed.Items) != 1 || listed.Items[0].ReservationID != id || listed.Items[0].MDID == "" {
		t.Errorf("%+v", listed)
	}
	if res := s.post(pay, s.operator, "", object{"reference": "BANK-2"}); res.Status != 409 || res.Code() != "ALREADY_DECIDED" {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	if res := s.post("/ops/compensations/"+newID()+"/payment", s.operator, "", object{"reference": "x"}); res.Status != 404 {
		t.Errorf("%d", res.Status)
	}
}
