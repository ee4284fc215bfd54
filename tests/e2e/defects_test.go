package e2e

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// Mistakes that comparable systems ship, each shown to be absent from outside. The fifth (an event although the
// transaction rolled back) and the eleventh (a failed commit that reports success) are tested where a
// transaction can be made to fail: apps/internal/outbox, apps/reservation/mysql and apps/product/mysql.

func TestDefect1_AFailedPaymentIsNoReservation(t *testing.T) {
	p := register(t, osaka(1))
	a := reserve(t, "customer-1", wish(p, 1, "tok_insufficient")).Is(t, 402, "PAYMENT_DECLINED")
	id := stack.Read[struct{ ReservationID string }](t, a).ReservationID
	if r := find(t, "customer-1", id); r.Status != "REJECTED" || r.Payment != nil {
		t.Errorf("%+v", r)
	}
	for _, h := range history(t, "customer-1", id) {
		if h.To == "CONFIRMED" {
			t.Errorf("was confirmed: %+v", h)
		}
	}
	if charged, returned := money(t, id); charged != 0 || returned != 0 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
	reserve(t, "customer-2", wish(p, 1, "tok_ok")).Is(t, 201)
}

// The second and fourth mistake: news that comes once more sets a paid reservation back, or takes seats again.
func TestDefect2_Defect4_NewsThatComesAgainChangesNothing(t *testing.T) {
	p := register(t, osaka(20))
	key := newID()
	post := func() stack.Answer {
		return sys.As(t, "customer-1").With("Idempotency-Key", key).Do("POST", "/api/reservations", wish(p, 2, "tok_ok")).Is(t, 201)
	}
	r := stack.Read[reservation](t, post())
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 1 && i.Departures[0].SeatsLeft == 18 })
	first := stack.Read[object](t, sys.As(t, "customer-1").Do("GET", "/api/reservations/"+r.ReservationID, nil).Is(t, 200))
	first["status"], first["version"] = "PENDING", 1
	first["meta"] = object{"version": 1, "correlationId": r.CorrelationID, "causationId": r.CorrelationID, "actor": "customer-1"}
	first["history"] = []object{{"version": 1, "kind": "TRANSITION", "from": "", "to": "PENDING", "at": time.Now().UTC(), "actor": "customer-1", "cause": "RESERVED"}}
	first["departure"] = object{"departureId": r.DepartureID, "productId": p.ProductID, "date": p.Departures[0].Date, "version": 2,
		"capacity": 20, "held": 2, "confirmed": 0, "closed": false, "reservations": object{"PENDING": 1}}
	for range 3 {
		post()
		tell(t, "reservation", "reservation", "oneqtour.reservation.pending.v1", r.ReservationID, first)
		tell(t, "payment", "payment", "oneqtour.payment.approved.v1", r.ReservationID, object{
			"meta":      object{"version": 2, "correlationId": r.CorrelationID, "causationId": r.CorrelationID, "actor": "payment"},
			"paymentId": r.Payment.PaymentID, "reservationId": r.ReservationID, "purpose": "PRICE", "method": "CARD", "status": "APPROVED", "amount": r.Price.DueNow})
	}
	// What is said after the repeats has arrived, so the repeats have, too.
	reserve(t, "customer-2", wish(p, 1, "tok_ok")).Is(t, 201)
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 2 && i.Departures[0].SeatsLeft == 17 })
	if now := find(t, "customer-1", r.ReservationID); now.Status != "CONFIRMED" || now.Version != r.Version {
		t.Errorf("%+v", now)
	}
	mine := everything(t, "customer-1", "/api/view/mine")[r.ReservationID]
	if mine["status"] != "CONFIRMED" {
		t.Errorf("the view shows %v", mine["status"])
	}
	inboxHas(t, r.ReservationID, "CONFIRMED")
	if charged, _ := money(t, r.ReservationID); charged != r.Price.DueNow {
		t.Errorf("charged %d", charged)
	}
}

// Whoever listens at the broker hears of every reservation, and of no payment token.
func TestDefect3_NoCardOnTheBus(t *testing.T) {
	p := register(t, osaka(20))
	secret := "tok_ok." + newID()
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, secret)).Is(t, 201))
	said(t, "reservation", "oneqtour.reservation.confirmed.v1", r.ReservationID)
	sys.As(t, "customer-1").With("Idempotency-Key", newID()).Do("POST", "/api/reservations/"+r.ReservationID+"/cancellation", object{}).Is(t, 202)
	said(t, "payment", "oneqtour.payment.refunded.v1", r.ReservationID)
	late := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_slow."+secret)).Is(t, 202))
	said(t, "payment", "oneqtour.payment.approved.v1", late.ReservationID)
	for _, topic := range []string{"product", "reservation", "payment"} {
		for _, raw := range listener.Heard(topic) {
			if bytes.Contains(raw, []byte(secret)) {
				t.Fatalf("the payment token is on the bus: %s", raw)
			}
		}
	}
}

func TestDefect6_NobodyWritesAStatus(t *testing.T) {
	p := register(t, osaka(20))
	body := wish(p, 1, "tok_declined")
	body["status"] = "CONFIRMED"
	reserve(t, "customer-1", body).Is(t, 422, "INVALID")
	delete(body, "status")
	id := stack.Read[struct{ ReservationID string }](t, reserve(t, "customer-1", body).Is(t, 402)).ReservationID
	for _, method := range []string{"PUT", "PATCH"} {
		if a := sys.As(t, "customer-1").Do(method, "/api/reservations/"+id, object{"status": "CONFIRMED"}); a.Status != 405 {
			t.Errorf("%s answered %d %s", method, a.Status, a.Body)
		}
	}
	approve := object{"reservationId": id, "purpose": "PRICE", "amount": 760000, "method": "CARD", "token": "tok_ok", "correlationId": "x"}
	sys.As(t, "customer-1").At(sys.URL(3500)).Do("POST", "/v1.0/invoke/payment/method/payments/approve", approve).Is(t, 403)
	sys.As(t, "customer-1").Do("POST", "/api/payments/approve", approve).Is(t, 404)
	if r := find(t, "customer-1", id); r.Status != "REJECTED" {
		t.Errorf("%+v", r)
	}
}

// The seventh and eighth mistake: a sold-out request answers 201, or two customers pass the check for the last
// seat together.
func TestDefect7_Defect8_TheLastSeatIsSoldOnce(t *testing.T) {
	for range 10 {
		p := register(t, osaka(1))
		displayed(t, p.ProductID, func(item) bool { return true })
		var wg sync.WaitGroup
		answers := make(chan stack.Answer, 4)
		for i := range cap(answers) {
			wg.Go(func() { answers <- reserve(t, fmt.Sprintf("customer-%d", 1+i), wish(p, 1, "tok_ok")) })
		}
		wg.Wait()
		close(answers)
		sold := 0
		for a := range answers {
			if a.Status == 201 {
				sold++
			} else {
				a.Is(t, 409, "SOLD_OUT")
			}
		}
		if sold != 1 {
			t.Fatalf("the last seat was sold %d times", sold)
		}
	}
}

// Both services that know of the open question are killed: what waits is in their databases, not in memory.
func TestDefect9_ARestartFreezesNothing(t *testing.T) {
	slow(t)
	p := register(t, osaka(1))
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_unknown")).Is(t, 202))
	for _, app := range []string{"reservation", "payment"} {
		sys.Kill(t, app)
	}
	sys.Restart(t, "payment", "reservation")
	if settled := becomes(t, "customer-1", r.ReservationID, 40*time.Second, "REJECTED", "CONFIRMED"); settled.Status != "REJECTED" {
		t.Errorf("%+v", settled)
	}
	stack.Eventually(t, 15*time.Second, "the seat is free again", func() error {
		if a := reserve(t, "customer-2", wish(p, 1, "tok_ok")); a.Status != 201 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	calm(t)
}

func TestDefect10_ACustomersListLosesNoEntry(t *testing.T) {
	p := register(t, osaka(100))
	displayed(t, p.ProductID, func(item) bool { return true })
	const customer = "customer-55"
	sys.Token(t, customer)
	made := make(chan string, 40)
	var wg sync.WaitGroup
	for range cap(made) {
		wg.Go(func() {
			made <- stack.Read[reservation](t, reserve(t, customer, wish(p, 1, "tok_ok")).Is(t, 201)).ReservationID
		})
	}
	wg.Wait()
	close(made)
	ids := map[string]bool{}
	for id := range made {
		ids[id] = true
	}
	stack.Eventually(t, 15*time.Second, "all are listed", func() error {
		listed := everything(t, customer, "/api/view/mine")
		for id := range ids {
			if listed[id] == nil || listed[id]["status"] != "CONFIRMED" {
				return fmt.Errorf("%s: %v", id, listed[id])
			}
		}
		return nil
	})
}

// A database that fails for a moment while its service looks healthy: the event is delivered again.
func TestDefect12_ABlipDropsNoEvent(t *testing.T) {
	slow(t)
	store := sys.Database(t, "store")
	statement(t, store, "RENAME TABLE items TO items_away")
	p := register(t, osaka(20))
	stack.Eventually(t, 15*time.Second, "the event has left", func() error {
		if n := rows(t, sys.Database(t, "product"), "outbox"); n != 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
	statement(t, store, "RENAME TABLE items_away TO items")
	displayed(t, p.ProductID, func(item) bool { return true })
}

type historyRow struct{ Kind, From, To, Cause string }

func history(t testing.TB, customer, id string) []historyRow {
	t.Helper()
	return stack.Read[struct{ Items []historyRow }](t, sys.As(t, customer).Do("GET", "/api/reservations/"+id+"/history", nil).Is(t, 200)).Items
}

// tell publishes an event in a service's name, with the token that only its own sidecar and this test know.
func tell(t testing.TB, app, topic, kind, subject string, data object) {
	t.Helper()
	trace := "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
	sys.As(t, "").At(sys.URL(sidecarPorts[app])).With("dapr-api-token", sys.Env(t, app, "DAPR_API_TOKEN")).
		With("Content-Type", "application/cloudevents+json").
		Do("POST", "/v1.0/publish/pubsub/"+topic, object{"specversion": "1.0", "id": newID(), "source": app, "type": kind, "subject": subject,
			"time": time.Now().UTC(), "datacontenttype": "application/json", "traceparent": trace, "traceid": trace, "data": data}).Is(t, 204)
}
