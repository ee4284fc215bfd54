package usecase_test

import (
	"context"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/reservation/domain"
)

// A refund that is heard again does not queue for the seats, which a crowd may be waiting for.
func TestI6_ARepeatedRefundDoesNotWaitForTheSeats(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 1)
	if err != nil {
		t.Fatal(err)
	}
	id := a.Reservation.ReservationID
	cancelling, err := s.cancel("customer-1", "c1", domain.ReservationID(id))
	if err != nil {
		t.Fatal(err)
	}
	refunded := refundEvent(id, cancelling.Reservation.Cancellation.Parts[0].RefundID, contract.RefundCauseCancel, contract.RefundDone)
	s.hear(contract.PaymentRefunded, refunded)
	if got := s.status(id); got != domain.Cancelled {
		t.Fatalf("it is %s", got)
	}

	somebody, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = somebody.Rollback() }()
	if _, err := somebody.Exec("SELECT id FROM departures WHERE id = ? FOR UPDATE", s.departure); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second) // far less than the wait for a lock
	defer cancel()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Type: contract.PaymentRefunded, Time: time.Now()}, refunded)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.service.PaymentHeard(ctx, e); err != nil {
		t.Errorf("heard again: %v", err)
	}
}
