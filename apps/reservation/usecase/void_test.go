package usecase_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// quick lets reminders and the hold limit come within a test.
func quick(l *usecase.Limits) { l.Hold, l.Resend = 300*time.Millisecond, 50*time.Millisecond }

// hear delivers an event of payment.
func (s *stage) hear(eventType string, p contract.Payment) {
	s.t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "payment", Type: eventType, Subject: p.ReservationID, Time: time.Now()}, p)
	if err == nil {
		err = s.service.PaymentHeard(s.t.Context(), e)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// said counts the events of a type; each REJECTED one must carry the void order when void is set.
func (s *stage) said(eventType string, void bool) (n int) {
	s.t.Helper()
	for _, e := range s.events() {
		if e.Type != eventType {
			continue
		}
		n++
		if d, err := contract.Decode[contract.Reservation](e); err != nil || d.VoidOrder != void {
			s.t.Errorf("%s: void order %v, %v", e.Type, d.VoidOrder, err)
		}
	}
	return n
}

// appointment is whether the reservation is on the agenda, in how many seconds, and how often it was tried.
func (s *stage) appointment(id string) (on bool, in float64, attempts int) {
	s.t.Helper()
	if err := s.db.QueryRow(`SELECT next_attempt_at IS NOT NULL, COALESCE(TIMESTAMPDIFF(MICROSECOND, NOW(6), next_attempt_at) / 1e6, 0), attempts
		FROM reservations WHERE id = ?`, id).Scan(&on, &in, &attempts); err != nil {
		s.t.Fatal(err)
	}
	return on, in, attempts
}

func TestK3_AVoidOrderIsRepeatedUntilPaymentSaysThatNothingIsCharged(t *testing.T) {
	for status, obeyed := range map[string]bool{
		contract.PaymentIsApproved: false, contract.PaymentUnknown: false, contract.PaymentVoiding: false, "": false,
		contract.PaymentIsVoided: true, contract.PaymentIsDeclined: true, contract.PaymentNone: true,
	} {
		t.Run(status, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, 2, quick)
			s.cashier.approve = always(usecase.Unknown)
			s.cashier.inquire = func(contract.InquiryRequest) (contract.PaymentResult, error) {
				return contract.PaymentResult{}, errors.New("payment is down")
			}
			a, err := s.reserve("customer-1", "k1", 2)
			if err != nil {
				t.Fatal(err)
			}
			id := a.Reservation.ReservationID
			s.resume(func() bool { return s.said(contract.ReservationRejected, true) >= 3 }) // the event and two reminders
			s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) {
				if status == "" {
					return contract.PaymentResult{}, errors.New("payment is down")
				}
				return contract.PaymentResult{PaymentID: "p", ReservationID: r.ReservationID, Status: status}, nil
			}
			if obeyed {
				s.resume(func() bool { on, _, _ := s.appointment(id); return !on })
				return
			}
			before := s.said(contract.ReservationRejected, true)
			s.resume(func() bool { return s.said(contract.ReservationRejected, true) > before })
			if on, _, _ := s.appointment(id); !on {
				t.Error("it was taken off the agenda although money may be charged")
			}
		})
	}
}

func TestK3_AnApprovalHeardAfterTheRejectionIsVoidedAtOnce(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		if _, err := s.cancel("customer-1", "c1", domain.ReservationID(r.ReservationID)); err != nil {
			t.Error(err)
		}
		return usecase.Outcome{Kind: usecase.Unknown}
	}
	a, _ := s.reserve("customer-1", "k1", 2)
	id := a.Reservation.ReservationID
	p := contract.Payment{PaymentID: "p", ReservationID: id, Purpose: contract.PurposePrice}
	for n := range 2 {
		s.hear(contract.PaymentApproved, p)
		if got := s.said(contract.ReservationRejected, true); got != 2+n {
			t.Fatalf("after %d approvals it was said %d times", n+1, got)
		}
	}
	s.hear(contract.PaymentVoided, p)
	if on, _, _ := s.appointment(id); on {
		t.Error("still on the agenda although nothing is charged")
	}
}

// A declined payment cannot be charged; if it is all the same, the money goes back.
func TestK3_AnApprovalAfterADeclineIsVoided(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = always(usecase.Declined)
	a, err := s.reserve("customer-1", "k1", 2)
	if fault.CodeOf(err) != fault.PaymentDeclined {
		t.Fatal(err)
	}
	if n := s.said(contract.ReservationRejected, false); n != 1 {
		t.Fatalf("%d events", n)
	}
	s.hear(contract.PaymentApproved, contract.Payment{PaymentID: "p", ReservationID: a.Reservation.ReservationID, Purpose: contract.PurposePrice})
	events := s.events()
	if last, err := contract.Decode[contract.Reservation](events[len(events)-1]); err != nil || !last.VoidOrder {
		t.Errorf("%+v %v", last, err)
	}
	if on, _, _ := s.appointment(a.Reservation.ReservationID); !on {
		t.Error("nobody looks whether it was obeyed")
	}
}

// The departure is closed while payment is at work, and the worker has not come yet: whatever payment answers, nobody
// is confirmed for it, and no charge stands.
func TestK3_NothingIsConfirmedForAClosedDeparture(t *testing.T) {
	for name, answer := range map[string]func(contract.ApproveRequest) usecase.Outcome{
		"approved": approved, "declined": always(usecase.Declined), "unsent": always(usecase.Unsent), "unknown": always(usecase.Unknown),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 2)
			s.cashier.approve = answer
			s.cashier.during = func(context.Context) { s.close(terms.UnderSubscribed) }
			a, err := s.reserve("customer-1", "k1", 2)
			if fault.CodeOf(err) != fault.PaymentDeclined || extra(err, "declineCode") != "DEPARTURE_CLOSED" {
				t.Fatalf("%+v %v", a, err)
			}
			if n := s.said(contract.ReservationRejected, true); n != 1 {
				t.Errorf("%d void orders", n)
			}
			if on, _, _ := s.appointment(a.Reservation.ReservationID); on == (name == "declined") { // which says that it was
				t.Errorf("somebody looks whether the void order was obeyed: %t", on)
			}
			if held, taken := s.departureRow(); held != 0 || taken != 0 {
				t.Errorf("%d seats held, %d confirmed", held, taken)
			}
		})
	}
}

func TestF11_RemindersOfAnUnfinishedCancellationBackOff(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := a.Reservation.ReservationID
	if _, err := s.cancel("customer-1", "c1", domain.ReservationID(id)); err != nil {
		t.Fatal(err)
	}
	for n, least := range []float64{100, 220, 460} { // seconds: twice a minute, and so on
		if _, err := s.db.Exec("UPDATE reservations SET next_attempt_at = NOW(6) WHERE id = ?", id); err != nil {
			t.Fatal(err)
		}
		s.resume(func() bool { _, _, attempts := s.appointment(id); return attempts == n+1 })
		if _, in, _ := s.appointment(id); in < least {
			t.Errorf("reminder %d is followed by the next after %.0f s", n+1, in)
		}
	}
	if _, err := s.db.Exec("UPDATE reservations SET next_attempt_at = NOW(6), attempts = 1000 WHERE id = ?", id); err != nil {
		t.Fatal(err)
	}
	s.resume(func() bool { _, _, attempts := s.appointment(id); return attempts == 1001 })
	if _, in, _ := s.appointment(id); in < 3000 || in > 3600 {
		t.Errorf("the longest pause is %.0f s", in)
	}
}

func TestF11_AskingAgainDoesNotPostponeTheReminder(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := a.Reservation.ReservationID
	if _, err := s.cancel("customer-1", "c1", domain.ReservationID(id)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.Exec("UPDATE reservations SET next_attempt_at = NOW(6) + INTERVAL 5 SECOND WHERE id = ?", id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.cancel("customer-1", "c2", domain.ReservationID(id)); err != nil {
		t.Fatal(err)
	}
	if on, in, _ := s.appointment(id); !on || in > 5 {
		t.Errorf("on the agenda %v, in %.0f s", on, in)
	}
}

// A customer who asks on time is not charged for the time that the request waits for a lock.
func TestF11_TheInstantOfTheRequestDecides(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT id FROM departures WHERE id = ? FOR UPDATE", s.departure); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	type result struct {
		answer usecase.Answer
		err    error
	}
	done := make(chan result, 1)
	go func() {
		a, err := s.cancel("customer-1", "c1", domain.ReservationID(a.Reservation.ReservationID))
		done <- result{a, err}
	}()
	s.awaitWaiting("departures")
	s.clock.Store(int64(120 * 24 * time.Hour)) // the trip is over
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || got.answer.Reservation.Cancellation.Fee != 0 {
		t.Fatalf("%+v %v", got.answer, got.err)
	}
	if at := got.answer.Reservation.Cancellation.RequestedAt; at.Sub(before).Abs() > time.Minute {
		t.Errorf("requested at %s", at)
	}
}

// awaitWaiting returns when a statement of the test's database is at work on the table: it waits for a lock there.
func (s *stage) awaitWaiting(table string) {
	s.t.Helper()
	var database string
	if err := s.db.QueryRow("SELECT DATABASE()").Scan(&database); err != nil {
		s.t.Fatal(err)
	}
	for {
		rows, err := s.db.QueryContext(s.t.Context(), "SHOW FULL PROCESSLIST")
		if err != nil {
			s.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values := make([]sql.NullString, len(columns))
			into := make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				s.t.Fatal(err)
			}
			if values[3].String == database && strings.Contains(values[7].String, table+" ") {
				_ = rows.Close()
				return
			}
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal("nothing waits for the lock")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
