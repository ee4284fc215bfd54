package usecase_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

// cashier stands in for payment: a test says what it answers. Everything else is real.
type cashier struct {
	approve func(contract.ApproveRequest) usecase.Outcome
	inquire func(contract.InquiryRequest) (contract.PaymentResult, error)
	calls   atomic.Int64
	asked   func(context.Context) // what happens during an inquiry
	during  func(context.Context) // what happens while the card is charged
}

func (c *cashier) Approve(ctx context.Context, r contract.ApproveRequest) usecase.Outcome {
	c.calls.Add(1)
	if c.during != nil {
		c.during(ctx)
	}
	return c.approve(r)
}

func (c *cashier) Inquire(ctx context.Context, r contract.InquiryRequest) (contract.PaymentResult, error) {
	if c.asked != nil {
		c.asked(ctx)
	}
	return c.inquire(r)
}

func approved(r contract.ApproveRequest) usecase.Outcome {
	return usecase.Outcome{Kind: usecase.Approved, Result: contract.PaymentResult{
		PaymentID: "pay-" + r.ReservationID, ReservationID: r.ReservationID, Purpose: r.Purpose, Status: contract.PaymentIsApproved, Amount: r.Amount}}
}

func always(kind usecase.OutcomeKind) func(contract.ApproveRequest) usecase.Outcome {
	return func(contract.ApproveRequest) usecase.Outcome { return usecase.Outcome{Kind: kind} }
}

type stage struct {
	t         *testing.T
	db        *sql.DB
	service   *usecase.Service
	cashier   *cashier
	clock     *atomic.Int64 // added to the real time, in nanoseconds
	product   contract.Product
	departure string

	repository *mysql.Repository
	ports      usecase.Ports
	limits     usecase.Limits
}

// with makes the service anew with other ports.
func (s *stage) with(change func(*usecase.Ports)) *usecase.Service {
	p := s.ports
	change(&p)
	return usecase.New(p, s.limits)
}

func newStage(t *testing.T, capacity int, change ...func(*usecase.Limits)) *stage {
	t.Helper()
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations())
	s := &stage{t: t, db: db, cashier: &cashier{approve: approved}, clock: &atomic.Int64{}, departure: newID()}
	s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) {
		return contract.PaymentResult{ReservationID: r.ReservationID, Status: contract.PaymentNone}, nil
	}
	repository := mysql.NewRepository(db)
	limits := usecase.DefaultLimits()
	limits.ProductWait = 200 * time.Millisecond
	limits.Hold = 3 * time.Second
	for _, c := range change {
		c(&limits)
	}
	s.repository, s.limits = repository, limits
	s.ports = usecase.Ports{
		Reservations: repository, Catalogue: repository, Keys: repository, Agenda: repository, Payments: s.cashier,
		Closings: repository, Compensations: repository, Operations: repository, Ledger: repository,
		Now: func() time.Time { return time.Now().Add(time.Duration(s.clock.Load())) }, NewID: newID, Committed: func() {},
	}
	s.service = usecase.New(s.ports, limits)
	s.product = contract.Product{
		ProductID: newID(), MDID: "md-1", Status: contract.ProductOpen, Version: 1, Kind: "OVERSEAS", Name: contract.Text{Ko: "오사카", En: "Osaka"},
		Nights: 2, Price: 800_000, DiscountRate: 500, CancellationPolicy: contract.CancellationPolicy{Type: "STANDARD"},
		Departures: []contract.Departure{{DepartureID: s.departure, Date: time.Now().AddDate(0, 3, 0).Format(time.DateOnly), Capacity: capacity, MinParticipants: 1}},
	}
	s.say(contract.ProductRegistered)
	return s
}

// say lets product announce its present state.
func (s *stage) say(eventType string) {
	s.t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "product", Type: eventType, Subject: s.product.ProductID, Time: time.Now()}, s.product)
	if err == nil {
		err = s.service.ProductChanged(s.t.Context(), e)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) request(travellers int) usecase.ReserveRequest {
	return usecase.ReserveRequest{ProductID: domain.ProductID(s.product.ProductID), DepartureID: domain.DepartureID(s.departure),
		Travellers: travellers, PaymentPlan: domain.PlanFull, PaymentToken: "tok_ok"}
}

func key(customer, value string, body any) usecase.Key {
	return usecase.Key{Subject: customer, Operation: usecase.OperationReserve, Value: value, BodyHash: usecase.HashBody(body)}
}

func (s *stage) reserve(customer, value string, travellers int) (usecase.Answer, error) {
	q := s.request(travellers)
	return s.service.Reserve(s.t.Context(), key(customer, value, q), "corr-"+value, q)
}

// departureRow is what the database says of the seats.
func (s *stage) departureRow() (held, confirmed int) {
	s.t.Helper()
	if err := s.db.QueryRow("SELECT held, confirmed FROM departures WHERE id = ?", s.departure).Scan(&held, &confirmed); err != nil {
		s.t.Fatal(err)
	}
	return held, confirmed
}

// events are the types in the outbox, in the order in which they were written.
func (s *stage) events() []contract.Event {
	s.t.Helper()
	rows, err := s.db.Query("SELECT event FROM outbox ORDER BY id")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []contract.Event
	for rows.Next() {
		var raw []byte
		var e contract.Event
		if err := errors.Join(rows.Scan(&raw), json.Unmarshal(raw, &e)); err != nil {
			s.t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// resume runs the worker until the condition holds.
func (s *stage) resume(until func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.service.Resume(ctx) }()
	for !until() {
		select {
		case <-ctx.Done():
			s.t.Fatal("the worker has not settled it in 20 s")
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) status(id string) domain.Status {
	s.t.Helper()
	var status domain.Status
	if err := s.db.QueryRow("SELECT status FROM reservations WHERE id = ?", id).Scan(&status); err != nil {
		s.t.Fatal(err)
	}
	return status
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func TestF9_ConfirmedWithExactlyTheQuotedAmount(t *testing.T) {
	s := newStage(t, 20)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil || a.Status != 201 || a.Reservation.Status != "CONFIRMED" || a.Reservation.Payment.Amount != 1_520_000 {
		t.Fatalf("%+v %v", a, err)
	}
	if held, confirmed := s.departureRow(); held != 0 || confirmed != 2 {
		t.Errorf("held %d confirmed %d", held, confirmed)
	}
}

func TestF9_DeclinedFreesTheSeats(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		return usecase.Outcome{Kind: usecase.Declined, Result: contract.PaymentResult{Status: contract.PaymentIsDeclined, DeclineCode: "REJECT_CARD_COMPANY"}}
	}
	for range 2 { // the second time it is the stored answer
		a, err := s.reserve("customer-1", "k1", 2)
		refused, ok := errors.AsType[*fault.Error](err)
		if !ok || refused.Code != fault.PaymentDeclined || refused.Extra["declineCode"] != "REJECT_CARD_COMPANY" || a.Reservation.Status != "REJECTED" {
			t.Fatalf("%+v %v", a, err)
		}
	}
	if n := s.cashier.calls.Load(); n != 1 {
		t.Errorf("payment was asked %d times", n)
	}
	s.cashier.approve = approved
	if _, err := s.reserve("customer-2", "k2", 2); err != nil {
		t.Errorf("the seats are not free again: %v", err)
	}
}

func TestUnsentForgetsTheKeyAndChargesNobody(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = always(usecase.Unsent)
	if _, err := s.reserve("customer-1", "k1", 2); fault.CodeOf(err) != fault.Busy {
		t.Fatal(err)
	}
	s.cashier.approve = approved
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil || a.Replayed || a.Reservation.Status != "CONFIRMED" {
		t.Errorf("the same key afterwards: %+v %v", a, err)
	}
}

func TestK3_UnknownIsSettledByInquiry(t *testing.T) {
	for status, want := range map[string]domain.Status{contract.PaymentIsApproved: domain.Confirmed, contract.PaymentIsDeclined: domain.Rejected} {
		t.Run(status, func(t *testing.T) {
			s := newStage(t, 20)
			s.cashier.approve = always(usecase.Unknown)
			a, err := s.reserve("customer-1", "k1", 2)
			if err != nil || a.Status != 202 || a.Reservation.Status != "PENDING" {
				t.Fatalf("%+v %v", a, err)
			}
			s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) {
				return contract.PaymentResult{PaymentID: "p", ReservationID: r.ReservationID, Status: status, Amount: 1_520_000}, nil
			}
			s.resume(func() bool { return s.status(a.Reservation.ReservationID) == want })
			again, err := s.reserve("customer-1", "k1", 2)
			if !again.Replayed || string(again.Reservation.Status) != string(want) {
				t.Errorf("the stored answer was not replaced: %+v %v", again, err)
			}
			for _, e := range s.events() {
				d, err := contract.Decode[contract.Reservation](e)
				if e.Type != contract.DepartureChanged && (err != nil || d.Meta.CorrelationID != "corr-k1") {
					t.Errorf("%s carries correlation id %q", e.Type, d.Meta.CorrelationID)
				}
			}
		})
	}
}

func TestK3_HoldLimitRejectsWithAVoidOrder(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = always(usecase.Unknown)
	s.cashier.inquire = func(contract.InquiryRequest) (contract.PaymentResult, error) {
		return contract.PaymentResult{}, errors.New("payment is down")
	}
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	s.resume(func() bool { return s.status(a.Reservation.ReservationID) == domain.Rejected })
	events := s.events()
	last, err := contract.Decode[contract.Reservation](events[len(events)-1])
	if err != nil || !last.VoidOrder || last.Status != "REJECTED" {
		t.Errorf("%+v %v", last, err)
	}
	if held, _ := s.departureRow(); held != 0 {
		t.Errorf("%d seats are still held", held)
	}
}

func TestF11_CancelFreesSeatsThenRefunds(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := domain.ReservationID(a.Reservation.ReservationID)
	cancel := func(customer, value string) (usecase.Answer, error) { return s.cancel(customer, value, id) }
	if _, err := cancel("customer-2", "c0"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("somebody else: %v", err)
	}
	first, err := cancel("customer-1", "c1")
	if err != nil || first.Status != 202 || first.Reservation.Cancellation.Refund != 1_520_000 {
		t.Fatalf("%+v %v", first, err)
	}
	if _, confirmed := s.departureRow(); confirmed != 0 {
		t.Error("the seats are not free at once")
	}
	part := first.Reservation.Cancellation.Parts[0]
	refunded := contract.Payment{PaymentID: "p", ReservationID: string(id), Refunds: []contract.Refund{
		{RefundID: part.RefundID, Cause: contract.RefundCauseCancel, Amount: part.Amount, Status: contract.RefundDone}}}
	for range 3 { // delivered again and again
		e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Type: contract.PaymentRefunded, Time: time.Now()}, refunded)
		if err := s.service.PaymentHeard(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	same, err := cancel("customer-1", "c1") // its 202 was replaced when it settled
	if err != nil || !same.Replayed || same.Status != 200 || same.Reservation.Status != "CANCELLED" {
		t.Errorf("same key: %+v %v", same, err)
	}
	other, err := cancel("customer-1", "c2")
	if err != nil || other.Status != 200 || other.Reservation.Status != "CANCELLED" || other.Reservation.Payments[0].Refunded != 1_520_000 {
		t.Errorf("another key: %+v %v", other, err)
	}
	if n := len(other.Reservation.Cancellation.Parts); n != 1 {
		t.Errorf("%d refund parts", n)
	}
}

func TestF6_OlderProductNewsChangesNothing(t *testing.T) {
	s := newStage(t, 20)
	s.product.Version, s.product.Price = 3, 900_000
	s.say(contract.ProductRevised)
	s.product.Version, s.product.Price = 2, 1_000
	s.say(contract.ProductRevised)
	a, err := s.reserve("customer-1", "k1", 1)
	if err != nil || a.Reservation.Price.List != 900_000 {
		t.Errorf("%+v %v", a.Reservation, err)
	}
}

func TestF4_DiscontinuedIsGoneButOldOnesCanBeCancelled(t *testing.T) {
	s := newStage(t, 20)
	a, err := s.reserve("customer-1", "k1", 1)
	if err != nil {
		t.Fatal(err)
	}
	s.product.Version, s.product.Status = 2, contract.ProductIsWithdrawn
	s.say(contract.ProductDiscontinued)
	if _, err := s.reserve("customer-1", "k2", 1); fault.CodeOf(err) != fault.Discontinued {
		t.Errorf("reserving: %v", err)
	}
	id := domain.ReservationID(a.Reservation.ReservationID)
	if _, err := s.service.Cancel(t.Context(), usecase.Key{Subject: "customer-1", Operation: "c", Value: "v"}, id, usecase.CancelRequest{}); err != nil {
		t.Errorf("cancelling: %v", err)
	}
}

func TestUnknownProductIsNotFound(t *testing.T) {
	s := newStage(t, 20)
	q := s.request(1)
	q.ProductID = domain.ProductID(newID())
	if _, err := s.service.Reserve(t.Context(), key("c", "k", q), "x", q); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
	q = s.request(1)
	q.DepartureID = domain.DepartureID(newID())
	if _, err := s.service.Reserve(t.Context(), key("c", "k2", q), "x", q); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
}

// Fifty parallel posts with one key make one reservation and one charge.
func TestOneKeyOneReservation(t *testing.T) {
	s := newStage(t, 100)
	var made, waiting atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			_, err := s.reserve("customer-1", "same", 1)
			switch {
			case err == nil:
				made.Add(1)
			case fault.CodeOf(err) == fault.IdempotencyInProgress:
				waiting.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, confirmed := s.departureRow(); s.cashier.calls.Load() != 1 || confirmed != 1 || made.Load() < 1 || made.Load()+waiting.Load() != 50 {
		t.Errorf("%d calls to payment, %d seats, %d answers, %d told to wait", s.cashier.calls.Load(), confirmed, made.Load(), waiting.Load())
	}
	other := s.request(2)
	if _, err := s.service.Reserve(t.Context(), key("customer-1", "same", other), "x", other); fault.CodeOf(err) != fault.IdempotencyKeyReused {
		t.Errorf("another body: %v", err)
	}
}

// Three hundred customers race for twenty seats on the real database.
func TestNoSeatIsSoldTwice(t *testing.T) {
	s := newStage(t, 20)
	var confirmed, soldOut atomic.Int64
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			_, err := s.reserve(fmt.Sprintf("customer-%d", i), "k", 1)
			switch {
			case err == nil:
				confirmed.Add(1)
			case fault.CodeOf(err) == fault.SoldOut:
				soldOut.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if confirmed.Load() != 20 || soldOut.Load() != 280 || s.cashier.calls.Load() != 20 {
		t.Errorf("%d confirmed, %d sold out, %d charged", confirmed.Load(), soldOut.Load(), s.cashier.calls.Load())
	}
	if held, taken := s.departureRow(); held != 0 || taken != 20 {
		t.Errorf("held %d confirmed %d", held, taken)
	}
}

func (s *stage) cancel(customer, value string, id domain.ReservationID) (usecase.Answer, error) {
	return s.cancelWith(customer, value, id, usecase.CancelRequest{})
}

func (s *stage) cancelWith(customer, value string, id domain.ReservationID, q usecase.CancelRequest) (usecase.Answer, error) {
	k := key(customer, value, q)
	k.Operation = usecase.OperationCancel(id)
	return s.service.Cancel(telemetry.WithCorrelation(s.t.Context(), "corr-"+value), k, id, q)
}

// The customer withdraws while the card is being charged: the approval comes too late and is returned.
func TestK3_AnApprovalAfterTheWithdrawalDoesNotConfirm(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		if a, err := s.cancel("customer-1", "c1", domain.ReservationID(r.ReservationID)); err != nil || a.Status != 202 {
			t.Errorf("withdrawing: %+v %v", a, err)
		}
		return approved(r)
	}
	for range 2 { // the second time it is what was stored
		if a, err := s.reserve("customer-1", "k1", 2); fault.CodeOf(err) != fault.PaymentDeclined || a.Reservation.Status != "REJECTED" {
			t.Errorf("%+v %v", a, err)
		}
	}
	events := s.events()
	last, err := contract.Decode[contract.Reservation](events[len(events)-1])
	if err != nil || last.Status != "REJECTED" || !last.VoidOrder {
		t.Errorf("the last word is %+v %v", last, err)
	}
	if held, confirmed := s.departureRow(); held != 0 || confirmed != 0 {
		t.Errorf("held %d confirmed %d", held, confirmed)
	}
}

// Whoever leaves while the card is being charged finds the reservation settled.
func TestACallerWhoLeavesIsReservedAllTheSame(t *testing.T) {
	s := newStage(t, 2)
	ctx, leave := context.WithCancel(t.Context())
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome { leave(); return approved(r) }
	q := s.request(1)
	a, err := s.service.Reserve(ctx, key("customer-1", "k1", q), "x", q)
	if err != nil || a.Reservation.Status != "CONFIRMED" {
		t.Errorf("%+v %v", a, err)
	}
}
