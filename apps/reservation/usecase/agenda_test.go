package usecase_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// A hundred trips are over, and every worker that ends one waits for the lock of their departure. A customer who
// waits for a payment does not.
func TestK3_AnUnknownPaymentDoesNotWaitForACrowdOfCompletions(t *testing.T) {
	s := newStage(t, 1000)
	over, err := s.reserve("customer-1", "k1", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.overTimes(100, over.Reservation.ReservationID)
	other := newID()
	s.product.Version = 2
	s.product.Departures = append(s.product.Departures, contract.Departure{DepartureID: other, Date: s.product.Departures[0].Date, Capacity: 9, MinParticipants: 1})
	s.say(contract.ProductRevised)
	s.cashier.approve = always(usecase.Unknown)
	q := s.request(1)
	q.DepartureID = domain.DepartureID(other)
	a, err := s.service.Reserve(t.Context(), key("customer-2", "k2", q), "x", q)
	if err != nil || a.Status != 202 {
		t.Fatalf("%+v %v", a, err)
	}
	s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) {
		return contract.PaymentResult{PaymentID: "p", ReservationID: r.ReservationID, Status: contract.PaymentIsApproved, Amount: 760_000}, nil
	}
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT id FROM departures WHERE id = ? FOR UPDATE", s.departure); err != nil {
		t.Fatal(err)
	}
	s.resume(func() bool {
		confirmed := s.status(a.Reservation.ReservationID) == domain.Confirmed
		if confirmed {
			_ = tx.Rollback()
		}
		return confirmed
	})
	s.clock.Store(int64(200 * 24 * time.Hour))
	s.exec("UPDATE reservations SET next_attempt_at = NOW(6) - INTERVAL 1 DAY WHERE departure_id = ?", s.departure)
	s.resume(func() bool {
		n := 0
		if err := s.db.QueryRow("SELECT COUNT(*) FROM reservations WHERE status = 'COMPLETED'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 101
	})
}

// overTimes copies a CONFIRMED reservation so many times, all of them due.
func (s *stage) overTimes(n int, id string) {
	s.t.Helper()
	for range n {
		fresh := newID()
		var document string
		if err := s.db.QueryRow("SELECT document FROM reservations WHERE id = ?", id).Scan(&document); err != nil {
			s.t.Fatal(err)
		}
		s.exec(`INSERT INTO reservations (id, customer_id, departure_id, status, version, created_at, document, next_attempt_at)
			SELECT ?, customer_id, departure_id, status, version, created_at, ?, NOW(6) - INTERVAL 1 DAY FROM reservations WHERE id = ?`,
			fresh, strings.ReplaceAll(document, id, fresh), id)
	}
	s.exec("UPDATE departures SET confirmed = ?, counts = JSON_OBJECT('CONFIRMED', ?)", n+1, n+1)
}

// An inquiry that hangs ends before another replica may begin it again.
func TestK3_AnInquiryEndsWithinItsLease(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = always(usecase.Unknown)
	if _, err := s.reserve("customer-1", "k1", 2); err != nil {
		t.Fatal(err)
	}
	var left atomic.Int64
	s.cashier.asked = func(ctx context.Context) {
		if deadline, ok := ctx.Deadline(); ok {
			left.Store(int64(time.Until(deadline)))
		} else {
			left.Store(int64(time.Hour))
		}
	}
	s.resume(func() bool { return left.Load() != 0 })
	if in := time.Duration(left.Load()); in > 4*time.Second {
		t.Errorf("an inquiry may take %s", in)
	}
}
