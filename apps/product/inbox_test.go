package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/webtest"
)

func TestClosingADeparture(t *testing.T) {
	s := start(t)
	p := s.register()
	departure := p["departures"].([]any)[0].(object)["departureId"]
	path := fmt.Sprintf("/products/%v/departures/%v/closure", p["productId"], departure)
	call := func(method, bearer string, body any) webtest.Response {
		return s.Do(webtest.Request{Method: method, Path: path, Bearer: bearer, Body: body})
	}
	closing := object{"reason": "UNDER_SUBSCRIBED", "note": "모객 미달"}
	if res := call("GET", s.md, nil); res.Status != 404 {
		t.Errorf("an open departure: %d", res.Status)
	}
	if res := call("POST", s.md, object{"reason": "RAIN"}); res.Status != 422 || !slices.Contains(res.Fields(), "reason NOT_ALLOWED") {
		t.Errorf("an unknown reason: %d %s", res.Status, res.Body)
	}
	if res := call("POST", s.md, object{"reason": "UNDER_SUBSCRIBED", "note": "a\x1bb"}); res.Status != 422 || !slices.Contains(res.Fields(), "note BAD_FORMAT") {
		t.Errorf("a note with a control character: %d %s", res.Status, res.Body)
	}
	if res := call("POST", s.other, closing); res.Status != 404 {
		t.Errorf("another MD: %d", res.Status)
	}
	// A reservation of the departure that was heard of before, and one that is settled afterwards.
	open, done := newID(), newID()
	for _, id := range []string{open, done} {
		if ack := s.Deliver("reservation", reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed)); ack != "SUCCESS" {
			t.Fatal(ack)
		}
	}
	for range 2 {
		if res := call("POST", s.md, closing); res.Status != 202 {
			t.Errorf("closing: %d %s", res.Status, res.Body)
		}
	}
	if res := call("POST", s.md, object{"reason": "FORCE_MAJEURE"}); res.Status != 409 || res.Code() != "DEPARTURE_CLOSED" {
		t.Errorf("closing for another reason: %d %s", res.Status, res.Body)
	}
	s.Deliver("reservation", reservation(done, p, departure, contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled))
	var got object
	call("GET", s.md, nil).JSON(&got)
	want := object{"reason": "UNDER_SUBSCRIBED", "note": "모객 미달", "closedOn": string(s.todayInSeoul), "total": 2, "done": 1, "failed": 0}
	if asJSON(t, got) != asJSON(t, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.wantEvents("oneqtour.product.registered.v1 1 OPEN", "oneqtour.product.departure-closed.v1 2 OPEN")

	// A refund that needs a hand, and then is made.
	progress := func() string {
		var got struct{ Total, Done, Failed int }
		call("GET", s.md, nil).JSON(&got)
		return fmt.Sprint(got.Total, got.Done, got.Failed)
	}
	for _, step := range []struct {
		refund string
		states []string
		want   string
	}{
		{contract.RefundRequested, []string{contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested}, "2 1 0"},
		{contract.RefundStuck, []string{contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelRequested}, "2 1 1"},
		{contract.RefundDone, []string{contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelRequested, contract.StatusCancelled}, "2 2 0"},
	} {
		e := reservation(open, p, departure, step.states...)
		r, _ := contract.Decode[contract.Reservation](e)
		r.Cancellation = &contract.Cancellation{Parts: []contract.RefundPart{{RefundID: newID(), Status: contract.RefundDone}, {RefundID: newID(), Status: step.refund}}}
		e.Data, _ = json.Marshal(r)
		if ack := s.Deliver("reservation", e); ack != "SUCCESS" || progress() != step.want {
			t.Errorf("%s: %s, progress %s, want %s", step.refund, ack, progress(), step.want)
		}
	}
}

// reservation is an event that says the whole history.
func reservation(id string, p object, departure any, states ...string) contract.Event {
	r := contract.Reservation{ReservationState: contract.ReservationState{
		ReservationID: id, MDID: "md-1", ProductID: p["productId"].(string), DepartureID: departure.(string),
		Status: states[len(states)-1], Version: int64(len(states)),
	}}
	from := ""
	for i, to := range states {
		// A minute ahead, so that what follows a closure is later than it.
		h := contract.HistoryEntry{Version: int64(i + 1), Kind: "TRANSITION", From: from, To: to, At: time.Now().Add(time.Duration(i) * time.Minute), Cause: "CAUSE_" + to}
		if from == to {
			h.Kind = "REFUND_DONE"
		}
		r.History = append(r.History, h)
		from = to
	}
	e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Source: "reservation", Subject: id, Time: time.Now(),
		Type: "oneqtour.reservation." + strings.ReplaceAll(strings.ToLower(r.Status), "_", "-") + ".v1"}, r)
	return e
}

func TestN5_EveryChangeOfAReservationReachesTheInboxOnce(t *testing.T) {
	s := start(t)
	p := object{"productId": newID()}
	id, departure := newID(), newID()
	cancelled := reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled, contract.StatusCancelled)
	confirmed := reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed)
	for _, e := range []contract.Event{cancelled, confirmed, cancelled, {ID: newID(), Type: contract.DepartureChanged, Data: []byte(`{}`)}} {
		if ack := s.Deliver("reservation", e); ack != "SUCCESS" {
			t.Errorf("%s: %s", e.Type, ack)
		}
	}
	inbox := func(query string) (seqs []int64, statuses []string, next string) {
		res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices" + query, Bearer: s.md})
		var page struct {
			Items []struct {
				Seq                                           int64
				ReservationID, ProductID, Status, Kind, Cause string
				At                                            time.Time
				Acknowledged                                  bool
			}
			NextCursor string
		}
		if res.JSON(&page); res.Status != 200 {
			t.Fatalf("%s: %d %s", query, res.Status, res.Body)
		}
		for _, n := range page.Items {
			if n.ReservationID != id || n.ProductID != p["productId"] || n.At.IsZero() || n.Cause != "CAUSE_"+n.Status {
				t.Errorf("notice %+v", n)
			}
			seqs, statuses = append(seqs, n.Seq), append(statuses, n.Kind+" "+n.Status)
		}
		return seqs, statuses, page.NextCursor
	}
	seqs, statuses, _ := inbox("")
	if !slices.Equal(seqs, []int64{1, 2, 3, 4}) ||
		!slices.Equal(statuses, []string{"TRANSITION CONFIRMED", "TRANSITION CANCEL_REQUESTED", "TRANSITION CANCELLED", "REFUND_DONE CANCELLED"}) {
		t.Errorf("inbox %v %v", seqs, statuses)
	}
	if seqs, _, _ := inbox("?after=2"); !slices.Equal(seqs, []int64{3, 4}) {
		t.Errorf("after 2: %v", seqs)
	}
	_, _, next := inbox("?limit=2")
	if seqs, _, _ := inbox("?limit=2&cursor=" + next); !slices.Equal(seqs, []int64{3, 4}) {
		t.Errorf("second page: %v", seqs)
	}
	for path, want := range map[string]int{"/md/notices/2/acknowledgement": 204, "/md/notices/5/acknowledgement": 404, "/md/notices/x/acknowledgement": 404} {
		if res := s.Do(webtest.Request{Method: "POST", Path: path, Bearer: s.md}); res.Status != want {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	for query, want := range map[string]int{"after=-1": 422, "after=x": 400, "acknowledged=maybe": 400, "acknowledged=1": 400} {
		if res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices?" + query, Bearer: s.md}); res.Status != want {
			t.Errorf("%s: %d", query, res.Status)
		}
	}
	if res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices", Bearer: s.customer}); res.Status != 403 {
		t.Errorf("a customer's inbox: %d", res.Status)
	}
}

// An MD who reads and acknowledges page by page meets each notice once.
func TestN5_NoticesAreReadByWhetherTheyAreAcknowledged(t *testing.T) {
	s := start(t)
	p := object{"productId": newID()}
	for range 3 { // four notices each
		s.Deliver("reservation", reservation(newID(), p, newID(), contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled, contract.StatusCancelled))
	}
	acknowledge := func(seq int64) {
		if res := s.Do(webtest.Request{Method: "POST", Path: fmt.Sprintf("/md/notices/%d/acknowledgement", seq), Bearer: s.md}); res.Status != 204 {
			t.Errorf("%d: %d", seq, res.Status)
		}
	}
	// all reads a list to its end; what is shown goes through between.
	all := func(query string, between func(seq int64)) (seqs []int64) {
		cursor := ""
		for {
			var page struct {
				Items []struct {
					Seq          int64
					Acknowledged bool
				}
				NextCursor *string
			}
			s.Do(webtest.Request{Method: "GET", Path: "/md/notices?limit=2&" + query + cursor, Bearer: s.md}).JSON(&page)
			for _, n := range page.Items {
				if n.Acknowledged != strings.Contains(query, "true") {
					t.Errorf("%s shows %+v", query, n)
				}
				seqs = append(seqs, n.Seq)
				between(n.Seq)
			}
			if page.NextCursor == nil {
				return seqs
			}
			cursor = "&cursor=" + *page.NextCursor
		}
	}
	acknowledge(2)
	acknowledge(7)
	if got := all("acknowledged=true", func(int64) {}); !slices.Equal(got, []int64{2, 7}) {
		t.Errorf("acknowledged: %v", got)
	}
	if got := all("acknowledged=false&after=4", func(int64) {}); !slices.Equal(got, []int64{5, 6, 8, 9, 10, 11, 12}) {
		t.Errorf("behind 4: %v", got)
	}
	// It acknowledges what it reads, and another of its screens what comes next.
	got := all("acknowledged=false", func(seq int64) {
		acknowledge(seq)
		if seq == 5 {
			acknowledge(6)
		}
	})
	if !slices.Equal(got, []int64{1, 3, 4, 5, 8, 9, 10, 11, 12}) {
		t.Errorf("while they are acknowledged: %v", got)
	}
	if got := all("acknowledged=false", func(int64) {}); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

func TestEventsThatCannotBeReadBecomeDeadLetters(t *testing.T) {
	s := start(t)
	bad := reservation("7", object{"productId": newID()}, newID(), contract.StatusPending)
	if ack := s.Deliver("reservation", bad); ack != "SUCCESS" {
		t.Errorf("an event without ids: %s", ack)
	}
	if ack := s.Deliver("reservation", contract.Event{ID: newID(), Type: contract.ReservationConfirmed, Data: []byte(`{"version":"x"}`)}); ack != "SUCCESS" {
		t.Errorf("an event of wrong types: %s", ack)
	}
}

// What is not known by its whole type is none of our business, however its data look.
func TestEventsOfUnknownTypesAreLeftAlone(t *testing.T) {
	s := start(t)
	known := reservation(newID(), object{"productId": newID()}, newID(), contract.StatusPending, contract.StatusConfirmed)
	for _, kind := range []string{"oneqtour.reservation.reminded.v1", "oneqtour.reservation.confirmed.v2", "oneqtour.other.thing.v1"} {
		for _, data := range [][]byte{known.Data, []byte(`{"version":"x"}`)} {
			if ack := s.Deliver("reservation", contract.Event{ID: newID(), Type: kind, Time: time.Now(), Data: data}); ack != "SUCCESS" {
				t.Errorf("%s: %s", kind, ack)
			}
		}
	}
	if res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices", Bearer: s.md}); !strings.Contains(string(res.Body), `"items":[]`) {
		t.Errorf("inbox: %s", res.Body)
	}
}
