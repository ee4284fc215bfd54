package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"oneqtour/tests/stack"
)

// rules that must hold when everything is settled: what is counted must be none.
var rules = []struct{ what, query string }{
	{"departures with more seats taken than there are", "SELECT COUNT(*) FROM oneq_reservation.departures WHERE held + confirmed > capacity"},
	{"departures whose counts are not those of their reservations", `SELECT COUNT(*) FROM oneq_reservation.departures d LEFT JOIN
		(SELECT departure_id, COUNT(*) n FROM oneq_reservation.reservations WHERE status = 'CONFIRMED' GROUP BY departure_id) r
		ON r.departure_id = d.id WHERE d.confirmed <> COALESCE(r.n, 0) OR d.held <> 0`},
	{"reservations on their way", "SELECT COUNT(*) FROM oneq_reservation.reservations WHERE status NOT IN ('CONFIRMED', 'REJECTED')"},
	{"confirmed reservations without an approved payment of exactly their price", `SELECT COUNT(*) FROM oneq_reservation.reservations r
		LEFT JOIN oneq_payment.payments p ON p.reservation_id = r.id AND p.status = 'APPROVED' AND p.amount = JSON_EXTRACT(r.document, '$.dueNow')
		AND p.charged = p.amount WHERE r.status = 'CONFIRMED' AND p.payment_id IS NULL`},
	{"approved payments without a confirmed reservation", `SELECT COUNT(*) FROM oneq_payment.payments p
		LEFT JOIN oneq_reservation.reservations r ON r.id = p.reservation_id AND r.status = 'CONFIRMED' WHERE p.status = 'APPROVED' AND r.id IS NULL`},
	{"dead letters", `SELECT (SELECT COUNT(*) FROM oneq_product.dead_letters) + (SELECT COUNT(*) FROM oneq_store.dead_letters) +
		(SELECT COUNT(*) FROM oneq_reservation.dead_letters) + (SELECT COUNT(*) FROM oneq_payment.dead_letters)`},
	{"gaps in an MD's inbox", `SELECT COUNT(*) FROM (SELECT md_id FROM oneq_product.notices GROUP BY md_id HAVING MAX(seq) <> COUNT(*)) g`},
}

// wrong is what is not as it must be, after all events were consumed.
func (m *market) wrong(ctx context.Context) (all []string, err error) {
	for _, r := range rules {
		n, err := m.count(ctx, "reservation", r.query)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", r.what, err)
		}
		if n != 0 {
			all = append(all, fmt.Sprintf("%d %s", n, r.what))
		}
	}
	confirmed, err := m.count(ctx, "reservation", "SELECT COUNT(*) FROM reservations WHERE status = 'CONFIRMED'")
	if err != nil {
		return nil, err
	}
	if told, open := m.confirmed.Load(), m.open.Load(); confirmed < told || confirmed > told+open {
		all = append(all, fmt.Sprintf("%d customers were told 201 and %d that it is open, and %d reservations are confirmed", told, open, confirmed))
	}
	charged, err := m.charged()
	if err == nil && charged != confirmed {
		all = append(all, fmt.Sprintf("the provider has charged %d times for %d confirmed reservations", charged, confirmed))
	}
	return all, err
}

// charged is how often the provider's own ledger says that it took money.
func (m *market) charged() (n int64, err error) {
	provider := newCaller(8099 + stack.Offset)
	a := provider.call(request{http.MethodGet, "/_ledger", "", nil})
	var ledger struct{ Entries []struct{ Kind string } }
	if err := json.Unmarshal(a.body, &ledger); err != nil || a.status != http.StatusOK {
		return 0, fmt.Errorf("the provider's ledger answered %d %.200s", a.status, a.body)
	}
	for _, e := range ledger.Entries {
		if e.Kind != "CHARGE" {
			return 0, fmt.Errorf("the provider's ledger holds a %s", e.Kind)
		}
		n++
	}
	return n, nil
}

// quiet waits until nobody is on their way: a reservation whose client has left still ends.
func (m *market) quiet(ctx context.Context) error {
	return await(ctx, time.Minute, "no reservation is pending", func() error {
		n, err := m.count(ctx, "reservation", "SELECT COUNT(*) FROM reservations WHERE status = 'PENDING'")
		if err == nil && n > 0 {
			err = fmt.Errorf("%d are", n)
		}
		return err
	})
}
