package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// event as it lies in the broker, read there directly.
type event struct {
	ID, Type, Subject, Traceparent string
	Time                           time.Time
	Data                           struct {
		Meta          struct{ CorrelationID, CausationID, Actor string }
		ReservationID string
		Status        string
		VoidOrder     bool
		History       []step
	}
}

type step struct {
	From, To, Cause, Actor string
	At                     time.Time
}

// eventsOf a reservation, of its own and of its payment, in the order of the broker.
func eventsOf(t *testing.T, id string) (all []event) {
	t.Helper()
	for _, topic := range []string{"reservation", "payment"} {
		entries, err := redisOf(t).XRange(context.Background(), topic, "-", "+").Result()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{} // what is published again after a crash is the same event
		for _, e := range entries {
			var ev event
			text, _ := e.Values["data"].(string)
			if err := json.Unmarshal([]byte(text), &ev); err != nil {
				t.Fatalf("%v: %v", e.Values, err)
			}
			if (ev.Subject == id || ev.Data.ReservationID == id) && !seen[ev.ID] {
				seen[ev.ID] = true
				all = append(all, ev)
			}
		}
	}
	return all
}

// K1, K3: everything that happens to a reservation shares its correlation id; each event names a cause that exists;
// the history tells the same story in the same order; what is declined or lost leaves its seats free and no charge.
func TestK1_K3_OneCorrelationOneHistory(t *testing.T) {
	people := whole(t)
	p := people.special(t, 50)
	for _, story := range []struct {
		token  string
		cancel bool
		steps  string
	}{
		{"tok_ok", true, "PENDING CONFIRMED CANCEL_REQUESTED CANCELLED"},
		{"tok_lost", true, "PENDING CONFIRMED CANCEL_REQUESTED CANCELLED"},
		{"tok_declined", false, "PENDING REJECTED"},
		{"tok_unknown", false, "PENDING REJECTED"},
		{"tok_wrong_amount", false, "PENDING REJECTED"},
	} {
		t.Run(story.token, func(t *testing.T) {
			t.Parallel()
			trace := "00-" + strings.ReplaceAll(newID(), "-", "")
			a := people.reserveOnce(customer(1), p, story.token, "ko", "Traceparent", trace+"-0123456789abcdef-01")
			id := decode[struct{ ReservationID string }](a).ReservationID
			steps := strings.Fields(story.steps)
			reach(t, people, id, steps[1])
			cancelling := ""
			if story.cancel {
				wish := oracle.Call{User: customer(1), Op: "cancel", Service: "reservation", Key: newID()}
				a := people.ask(wish, "POST", "/api/reservations/"+id+"/cancellation", object{}).Is(t, http.StatusAccepted)
				cancelling = a.Header.Get("X-Correlation-Id")
			}
			r := reach(t, people, id, steps[len(steps)-1])
			tellsOneStory(t, people, r, steps, cancelling)
			if story.token == "tok_ok" {
				goesOn(t, trace, eventsOf(t, id))
			}
		})
	}
}

type found struct{ ReservationID, Status, CorrelationID string }

// reach waits until the reservation has that state.
func reach(t *testing.T, people *load, id, state string) (r found) {
	t.Helper()
	stack.Eventually(t, 45*time.Second, id+" is "+state, func() error {
		r = decode[found](people.ask(oracle.Call{User: customer(1), Op: "find", Service: "reservation"}, "GET", "/api/reservations/"+id, nil))
		if r.Status != state {
			return fmt.Errorf("it is %s", r.Status)
		}
		return nil
	})
	return r
}

// tellsOneStory: a cause is an event, or a request by its own correlation id; what the service did by its own
// clock is caused by the reservation itself.
func tellsOneStory(t *testing.T, people *load, r found, steps []string, cancelling string) {
	t.Helper()
	var events []event
	stack.Eventually(t, 15*time.Second, "all events are in the broker", func() error {
		events = eventsOf(t, r.ReservationID)
		for _, e := range events {
			if e.Data.Status == steps[len(steps)-1] && strings.Contains(e.Type, ".reservation.") {
				return nil
			}
		}
		return fmt.Errorf("only %d of it", len(events))
	})
	exists := map[string]bool{r.CorrelationID: true, cancelling: true}
	for id := range paymentsOf(t, r.ReservationID) { // the request to the provider, whose key it is
		exists[id] = true
	}
	for _, e := range events {
		exists[e.ID] = true
	}
	delete(exists, "")
	for _, e := range events {
		if meta := e.Data.Meta; meta.CorrelationID != r.CorrelationID {
			t.Errorf("%s has the correlation id %s, the reservation %s", e.Type, meta.CorrelationID, r.CorrelationID)
		} else if !exists[meta.CausationID] && (meta.CausationID != r.ReservationID || meta.Actor != "reservation") {
			t.Errorf("%s is caused by %q, which nobody knows", e.Type, meta.CausationID)
		}
	}
	sameStory(t, people, r, events, steps)
}

// goesOn: what was done within the call that reserved is in the trace of its caller.
func goesOn(t *testing.T, trace string, events []event) {
	t.Helper()
	told := 0
	for _, e := range events {
		if e.Type != "oneqtour.reservation.pending.v1" && e.Type != "oneqtour.reservation.confirmed.v1" {
			continue
		}
		if told++; !strings.HasPrefix(e.Traceparent, trace) {
			t.Errorf("%s is in the trace %s, its call in %s", e.Type, e.Traceparent, trace)
		}
	}
	if told == 0 {
		t.Error("nothing was told")
	}
}

func paymentsOf(t *testing.T, id string) map[string]bool {
	t.Helper()
	rows, err := sys.Database(t, "payment").Query("SELECT payment_id FROM payments WHERE reservation_id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]bool{}
	for rows.Next() {
		var payment string
		if err := rows.Scan(&payment); err != nil {
			t.Fatal(err)
		}
		all[payment] = true
	}
	return all
}

// sameStory: the API's history, step by step, is that of the last event, in the order of time; each event came at the
// time of its step.
func sameStory(t *testing.T, people *load, r found, events []event, steps []string) {
	t.Helper()
	a := people.ask(oracle.Call{User: customer(1), Op: "history", Service: "reservation"}, "GET", "/api/reservations/"+r.ReservationID+"/history", nil)
	history := decode[struct{ Items []step }](a.Is(t, http.StatusOK)).Items
	var transitions []string
	for i, h := range history {
		if h.From != h.To { // the others tell of money, at the state where it moved
			transitions = append(transitions, h.To)
		}
		if h.Cause == "" || h.Actor == "" || i > 0 && (h.At.Before(history[i-1].At) || h.From != history[i-1].To) {
			t.Errorf("step %d: %+v", i, h)
		}
	}
	if !slices.Equal(transitions, steps) {
		t.Fatalf("%s", a.Body)
	}
	for _, e := range events {
		if !strings.Contains(e.Type, ".reservation.") {
			continue
		}
		for i, h := range e.Data.History {
			if h.To != history[i].To || !h.At.Equal(history[i].At) || h.Cause != history[i].Cause {
				t.Errorf("%s tells of %+v, the history of %+v", e.Type, h, history[i])
			}
		}
	}
}
