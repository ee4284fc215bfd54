package usecase_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

func (s *stage) exec(query string, args ...any) {
	s.t.Helper()
	if _, err := s.db.Exec(query, args...); err != nil {
		s.t.Fatal(err)
	}
}

// With too little time left for payment's answer nothing is sent, and that is certain.
func TestN1_PaymentIsNotAskedWithoutTimeForItsAnswer(t *testing.T) {
	s := newStage(t, 2, func(l *usecase.Limits) { l.Saga = l.Call - time.Millisecond })
	_, err := s.reserve("customer-1", "k1", 2)
	busy, _ := errors.AsType[*fault.Error](err)
	if fault.CodeOf(err) != fault.Busy || busy.Extra["reservationId"] == nil || s.cashier.calls.Load() != 0 {
		t.Fatalf("%v, payment was asked %d times", err, s.cashier.calls.Load())
	}
	if held, confirmed := s.departureRow(); held+confirmed != 0 {
		t.Errorf("%d seats held, %d confirmed", held, confirmed)
	}
}

// Whatever payment has needed, there is time to write what it has answered.
func TestN1_TheOutcomeIsWrittenInATimeOfItsOwn(t *testing.T) {
	s := newStage(t, 2, func(l *usecase.Limits) { l.Saga, l.Call = 500*time.Millisecond, 50*time.Millisecond })
	s.cashier.during = func(ctx context.Context) { <-ctx.Done() }
	if a, err := s.reserve("customer-1", "k1", 2); err != nil || a.Status != 201 {
		t.Errorf("%+v %v", a, err)
	}
}

func TestN1_AnOutcomeThatCannotBeWrittenIsNotHidden(t *testing.T) {
	t.Run("the reservation can be read", func(t *testing.T) {
		s := newStage(t, 2)
		s.cashier.during = func(context.Context) { s.exec("RENAME TABLE idempotency_keys TO away") }
		a, err := s.reserve("customer-1", "k1", 2)
		if err != nil || a.Status != 202 || a.Reservation.Status != "PENDING" {
			t.Fatalf("%+v %v", a, err)
		}
		s.exec("RENAME TABLE away TO idempotency_keys")
		s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) {
			return contract.PaymentResult{PaymentID: "p", ReservationID: r.ReservationID, Status: contract.PaymentIsApproved, Amount: 1_520_000}, nil
		}
		s.exec("UPDATE reservations SET next_attempt_at = NOW(6)")
		s.resume(func() bool { return s.status(a.Reservation.ReservationID) == domain.Confirmed })
	})
	t.Run("nor be read", func(t *testing.T) {
		s := newStage(t, 2)
		s.cashier.during = func(context.Context) { s.exec("RENAME TABLE reservations TO away") }
		_, err := s.reserve("customer-1", "k1", 2)
		refused, _ := errors.AsType[*fault.Error](err)
		if fault.CodeOf(err) != fault.Unavailable || refused.Extra["reservationId"] == nil || refused.RetryAfter == 0 {
			t.Errorf("%v", err)
		}
	})
}

// unsure writes and then says that it has failed, or writes once more, as a connection makes it that breaks when the
// change is done.
type unsure struct {
	usecase.Reservations
	again bool
}

func (u unsure) Update(ctx context.Context, id domain.ReservationID, fn func(*domain.Reservation, *domain.Departure) (*usecase.Change, error)) error {
	if err := u.Reservations.Update(ctx, id, fn); err != nil {
		return err
	}
	if u.again {
		return u.Reservations.Update(ctx, id, fn)
	}
	return errors.New("the connection broke")
}

// Nothing was charged and nothing declined: whoever finds that out late says "later" as well.
func TestN1_NotSentIsNeverDeclined(t *testing.T) {
	for name, again := range map[string]bool{"read afterwards": false, "written twice": true} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 2)
			s.cashier.approve = always(usecase.Unsent)
			s.service = s.with(func(p *usecase.Ports) { p.Reservations = unsure{p.Reservations, again} })
			_, err := s.reserve("customer-1", "k1", 2)
			refused, _ := errors.AsType[*fault.Error](err)
			if fault.CodeOf(err) != fault.Busy || refused.RetryAfter == 0 || extra(err, "reservationId") == nil {
				t.Errorf("%v", err)
			}
		})
	}
}

// forgetful is a store of keys whose first reading comes before the twin has stored its key, and whose second
// comes after the twin has forgotten it.
type forgetful struct{ usecase.Keys }

func (forgetful) Lookup(context.Context, usecase.Key) (usecase.Stored, bool, error) {
	return usecase.Stored{}, false, nil
}

func TestATwinOfAForgottenKeyIsToldToWait(t *testing.T) {
	s := newStage(t, 2)
	if _, err := s.reserve("customer-1", "k1", 1); err != nil {
		t.Fatal(err)
	}
	s.service = s.with(func(p *usecase.Ports) { p.Keys = forgetful{p.Keys} })
	_, err := s.reserve("customer-1", "k1", 1)
	refused, _ := errors.AsType[*fault.Error](err)
	if fault.CodeOf(err) != fault.IdempotencyInProgress || refused.RetryAfter != time.Second {
		t.Errorf("%v", err)
	}
}

// A payer has authenticated the id, so the customer comes back with it after "nothing was charged".
func TestAClientMadeIDCanBeUsedAgainAfterBusy(t *testing.T) {
	s := newStage(t, 4)
	id := domain.ReservationID(newID())
	ask := func(customer, value string, travellers int) (usecase.Answer, error) {
		q := s.request(travellers)
		q.ReservationID = id
		return s.service.Reserve(t.Context(), key(customer, value, q), "corr-"+value, q)
	}
	s.cashier.approve = always(usecase.Unsent)
	if _, err := ask("customer-1", "k1", 2); fault.CodeOf(err) != fault.Busy {
		t.Fatal(err)
	}
	if _, err := ask("customer-2", "x", 2); fault.CodeOf(err) != fault.IDTaken {
		t.Errorf("somebody else: %v", err)
	}
	s.cashier.approve = approved
	a, err := ask("customer-1", "k1", 3)
	if err != nil || a.Status != 201 || a.Reservation.Version != 4 || a.Reservation.Travellers != 3 {
		t.Fatalf("%+v %v", a.Reservation, err)
	}
	if held, confirmed := s.departureRow(); held != 0 || confirmed != 3 {
		t.Errorf("%d seats held, %d confirmed", held, confirmed)
	}
	last := int64(0)
	for _, e := range s.events() {
		d, err := contract.Decode[contract.Reservation](e)
		if e.Type == contract.DepartureChanged {
			continue
		}
		if err != nil || d.Version <= last || len(d.History) != int(d.Version) {
			t.Errorf("%s: version %d after %d with %d lines of history, %v", e.Type, d.Version, last, len(d.History), err)
		}
		if d.Status == contract.StatusConfirmed && (d.Departure.Reservations["REJECTED"] != 0 || d.Departure.Reservations["CONFIRMED"] != 1) {
			t.Errorf("counts %v", d.Departure.Reservations)
		}
		last = d.Version
	}
	if _, err := ask("customer-1", "k2", 2); fault.CodeOf(err) != fault.IDTaken {
		t.Errorf("a confirmed one: %v", err)
	}
}

// An id is tried again ten times at most: its history is kept for good and goes with every event.
func TestAClientMadeIDIsNotTriedForEver(t *testing.T) {
	s := newStage(t, 4)
	s.cashier.approve = always(usecase.Unsent)
	q := s.request(1)
	q.ReservationID = domain.ReservationID(newID())
	try := func(n int) error {
		value := strconv.Itoa(n)
		_, err := s.service.Reserve(t.Context(), key("customer-1", value, q), "corr-"+value, q)
		return err
	}
	for n := range 10 {
		if err := try(n); fault.CodeOf(err) != fault.Busy {
			t.Fatalf("attempt %d: %v", n+1, err)
		}
	}
	calls, events := s.cashier.calls.Load(), len(s.events())
	err := try(10)
	refused, _ := errors.AsType[*fault.Error](err)
	if fault.CodeOf(err) != fault.Busy || refused.RetryAfter == 0 || extra(err, "reservationId") != string(q.ReservationID) {
		t.Errorf("the eleventh: %v", err)
	}
	if s.cashier.calls.Load() != calls || len(s.events()) != events || s.count("SELECT COUNT(*) FROM idempotency_keys") != 0 {
		t.Error("something was written or asked")
	}
	q.ReservationID = "" // another reservation is another matter
	s.cashier.approve = approved
	if err := try(10); err != nil {
		t.Error(err)
	}
}

// Whoever waits for the seats reserves at the price that stands when he gets them.
func TestF6_ThePriceIsReadWithTheSeatsInHand(t *testing.T) {
	s := newStage(t, 2)
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT id FROM departures WHERE id = ? FOR UPDATE", s.departure); err != nil {
		t.Fatal(err)
	}
	done := make(chan usecase.Answer, 1)
	go func() {
		a, err := s.reserve("customer-1", "k1", 1)
		if err != nil {
			t.Error(err)
		}
		done <- a
	}()
	s.awaitWaiting("departures")
	var raw []byte
	var product domain.TourProduct
	if err := errors.Join(tx.QueryRow("SELECT document FROM products").Scan(&raw), json.Unmarshal(raw, &product)); err != nil {
		t.Fatal(err)
	}
	product.Price = 900_000
	raw, _ = json.Marshal(product)
	if _, err := tx.Exec("UPDATE products SET document = ?", raw); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if a := <-done; a.Reservation == nil || a.Reservation.Price.List != 900_000 {
		t.Errorf("%+v", a.Reservation)
	}
}

// The departure was added a moment ago, with a new price; both are heard of while the customer waits.
func TestF6_ADepartureNotYetHeardOfIsWaitedFor(t *testing.T) {
	s := newStage(t, 2, func(l *usecase.Limits) { l.ProductWait = 5 * time.Second })
	added := newID()
	q := s.request(1)
	q.DepartureID = domain.DepartureID(added)
	looking := make(chan struct{})
	var once sync.Once
	s.service = s.with(func(p *usecase.Ports) {
		p.Catalogue = watched{p.Catalogue, func() { once.Do(func() { close(looking) }) }}
	})
	done := make(chan usecase.Answer, 1)
	go func() {
		a, err := s.service.Reserve(t.Context(), key("customer-1", "k1", q), "x", q)
		if err != nil {
			t.Error(err)
		}
		done <- a
	}()
	<-looking
	s.product.Version, s.product.Price = 2, 900_000
	s.product.Departures = append(s.product.Departures, contract.Departure{DepartureID: added, Date: s.product.Departures[0].Date, Capacity: 3, MinParticipants: 1})
	s.say(contract.ProductRevised)
	if a := <-done; a.Reservation == nil || a.Reservation.DepartureID != added || a.Reservation.Price.List != 900_000 {
		t.Errorf("%+v", a.Reservation)
	}
}

type watched struct {
	usecase.Catalogue
	looked func()
}

func (w watched) Look(ctx context.Context, p domain.ProductID, d domain.DepartureID) (usecase.Offer, error) {
	defer w.looked()
	return w.Catalogue.Look(ctx, p, d)
}

// Whoever asks with an id that exists waits for its reservation without the departure in hand: the one who holds
// the reservation wants the departure next.
func TestAnExistingIDIsWaitedForBeforeTheSeatsAreLocked(t *testing.T) {
	s := newStage(t, 5)
	q := s.request(1)
	q.ReservationID = domain.ReservationID(newID())
	if _, err := s.service.Reserve(t.Context(), key("customer-1", "k", q), "x", q); err != nil {
		t.Fatal(err)
	}
	tx, err := s.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT id FROM reservations FOR UPDATE"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := s.service.Reserve(t.Context(), key("customer-1", "k2", q), "x", q)
		done <- err
	}()
	s.awaitWaiting("reservations")
	if _, err := tx.Exec("SELECT id FROM departures FOR UPDATE NOWAIT"); err != nil {
		t.Errorf("the departure is locked by one who waits for the reservation: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; fault.CodeOf(err) != fault.IDTaken {
		t.Error(err)
	}
}

// The event that a reservation is PENDING is stored with it, and told only if that lasts: the event that follows it says
// the same and more.
func TestPendingIsToldWhenItLasts(t *testing.T) {
	for kind, want := range map[usecase.OutcomeKind]string{
		usecase.Approved: contract.ReservationConfirmed, usecase.Declined: contract.ReservationRejected,
		usecase.Unsent: contract.ReservationRejected, usecase.Unknown: contract.ReservationPending,
	} {
		t.Run(want, func(t *testing.T) {
			s := newStage(t, 2)
			waiting := func() int {
				return s.count("SELECT COUNT(*) FROM outbox WHERE JSON_VALUE(event, '$.type') = ? AND claimed_until > NOW(6)", contract.ReservationPending)
			}
			s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
				if n := waiting(); n != 1 {
					t.Errorf("while the card is charged %d events wait to say so", n)
				}
				return usecase.Outcome{Kind: kind, Result: contract.PaymentResult{PaymentID: "p", Amount: r.Amount}}
			}
			_, _ = s.reserve("customer-1", "k1", 2)
			var told []string
			for _, e := range s.events() {
				if e.Type != contract.DepartureChanged {
					told = append(told, e.Type)
				}
			}
			if !slices.Equal(told, []string{want}) || waiting() != 0 {
				t.Errorf("told: %v", told)
			}
		})
	}
}
