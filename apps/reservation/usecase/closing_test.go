package usecase_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// dies is a process that is killed after so many changes: nothing that it does afterwards is done.
type dies struct {
	usecase.Reservations
	left atomic.Int64
}

func (d *dies) Update(ctx context.Context, id domain.ReservationID, fn func(*domain.Reservation, *domain.Departure) (*usecase.Change, error)) error {
	if d.left.Add(-1) < 0 {
		return errors.New("killed")
	}
	return d.Reservations.Update(ctx, id, fn)
}

func (s *stage) count(query string, args ...any) (n int) {
	s.t.Helper()
	if err := s.db.QueryRow(query, args...).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// close lets the supplier close the departure.
func (s *stage) close(reason string) {
	s.t.Helper()
	s.product.Version++
	s.product.Departures[0].Closure = &contract.Closure{Reason: reason, ClosedOn: string(terms.DateOf(time.Now()))}
	s.say(contract.ProductDepartureClosed)
}

// departsIn makes the departure one that is so many days away.
func (s *stage) departsIn(days int) {
	s.t.Helper()
	s.product.Departures[0].Date = string(terms.DateOf(time.Now()).AddDays(days))
	s.product.Departures[0].DepartureID = newID()
	s.departure = s.product.Departures[0].DepartureID
	s.product.Version++
	s.say(contract.ProductRevised)
}

// Two hundred reservations, some of them PENDING, one cancelled before, one made in the very moment of the closure;
// the worker is killed half-way. In the end each is ended once, and nobody is left behind.
func TestAClosedDepartureEndsEveryReservation(t *testing.T) {
	s := newStage(t, 1000, func(l *usecase.Limits) { l.Hold = time.Hour })
	s.departsIn(5)
	var earlier string
	for i := range 200 {
		s.cashier.approve = approved
		if i%10 == 0 {
			s.cashier.approve = always(usecase.Unknown)
		}
		a, err := s.reserve(fmt.Sprintf("customer-%d", i), "k", 1)
		if err != nil {
			t.Fatal(err)
		}
		earlier = a.Reservation.ReservationID
	}
	if _, err := s.cancel("customer-199", "c", domain.ReservationID(earlier)); err != nil {
		t.Fatal(err)
	}
	slipped := domain.ReservationID(newID())
	making, closing := make(chan struct{}), make(chan struct{})
	made := make(chan error, 1)
	go func() {
		n := usecase.NewReservation{Key: key("late", "k", nil), ID: slipped, Product: domain.ProductID(s.product.ProductID), Departure: domain.DepartureID(s.departure)}
		made <- s.repository.Create(t.Context(), n, func(o usecase.Offer) (*domain.Reservation, usecase.Change, error) {
			close(making)
			<-closing
			r, err := domain.Reserve(domain.Wish{ID: slipped, Customer: "late", Travellers: 1, Plan: domain.PlanFull, At: time.Now()}, o.Product, o.Departure)
			return r, usecase.Change{Next: time.Now().Add(time.Hour)}, err
		})
	}()
	<-making
	go func() { s.awaitWaiting("departures"); close(closing) }()
	s.close(terms.UnderSubscribed)
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	if _, err := s.reserve("too late", "k", 1); fault.CodeOf(err) != fault.DepartureClosed {
		t.Errorf("reserving afterwards: %v", err)
	}

	s.exec("UPDATE reservations SET next_attempt_at = NOW(6) + INTERVAL 1 HOUR WHERE status = 'PENDING'") // only closing is at work
	whole := s.service
	killed := &dies{Reservations: s.repository}
	killed.left.Store(77)
	s.service = s.with(func(p *usecase.Ports) { p.Reservations = killed })
	s.resume(func() bool { return killed.left.Load() < 0 })
	if n := s.count("SELECT COUNT(*) FROM reservations WHERE status IN ('PENDING', 'CONFIRMED')"); n != 200-77 {
		t.Fatalf("%d are open after the crash", n)
	}
	s.exec("UPDATE closings SET claimed_until = NOW(6)") // the lease of the dead has ended
	s.service = whole
	s.resume(func() bool { return s.count("SELECT COUNT(*) FROM closings") == 0 })

	for status, want := range map[string]int{"REJECTED": 21, "CANCEL_REQUESTED": 180} {
		if n := s.count("SELECT COUNT(*) FROM reservations WHERE status = ?", status); n != want {
			t.Errorf("%d %s, want %d", n, status, want)
		}
	}
	if held, confirmed := s.departureRow(); held+confirmed != 0 {
		t.Errorf("%d seats held, %d confirmed", held, confirmed)
	}
	if n := s.count("SELECT COUNT(*) FROM compensations WHERE status = 'DUE' AND amount = 228000"); n != 179 {
		t.Errorf("%d compensations", n)
	}
	if n := s.said(contract.ReservationRejected, true); n != 21 {
		t.Errorf("%d void orders", n)
	}
	ended := map[string]int{}
	for _, e := range s.events() {
		if e.Type != contract.ReservationCancelRequested {
			continue
		}
		d, err := contract.Decode[contract.Reservation](e)
		ended[d.ReservationID]++
		if c := d.Cancellation; err != nil || d.ReservationID != earlier && (c.Fee != 0 || c.Refund != 760_000 || c.Compensation != 228_000 || c.CompensationStatus != "DUE" || c.Reason != terms.UnderSubscribed) {
			t.Errorf("%+v %v", c, err)
		}
	}
	for id, n := range ended {
		if n != 1 {
			t.Errorf("%s was ended %d times", id, n)
		}
	}
	r, err := s.repository.Find(t.Context(), domain.ReservationID(earlier))
	if err != nil || r.Snapshot().Cancellation.Fee == 0 || r.Snapshot().Cancellation.Compensation != nil {
		t.Errorf("the one that was cancelling keeps its terms: %+v %v", r.Snapshot().Cancellation, err)
	}
}

// A customer whose card is being charged when the departure is closed reads why, and is not charged.
func TestAClosureWhileTheCardIsCharged(t *testing.T) {
	s := newStage(t, 5)
	s.cashier.during = func(context.Context) {
		s.close(terms.ForceMajeure)
		s.resume(func() bool { return s.count("SELECT COUNT(*) FROM closings") == 0 })
	}
	_, err := s.reserve("customer-1", "k", 1)
	if fault.CodeOf(err) != fault.PaymentDeclined || extra(err, "declineCode") != "DEPARTURE_CLOSED" || s.said(contract.ReservationRejected, true) != 1 {
		t.Errorf("%v %v", err, extra(err, "declineCode"))
	}
}

// Whoever is heard after the closure and before the worker has come, the supplier has closed the departure: it costs
// the customer nothing, and he is compensated.
func TestNobodyPaysAFeeForAClosedDeparture(t *testing.T) {
	shown := money.KRW(1)
	for name, end := range map[string]func(*stage, domain.ReservationID) error{
		"the customer cancels": func(s *stage, id domain.ReservationID) error {
			_, err := s.cancelWith("customer-1", "c", id, usecase.CancelRequest{ExpectedFee: &shown, Waiver: domain.OwnIllness})
			return err
		},
		"the MD records a no-show": func(s *stage, id domain.ReservationID) error {
			s.clock.Store(int64(5 * 24 * time.Hour))
			_, err := s.service.NoShow(t.Context(), "md-1", "md-1", id)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 5)
			s.departsIn(5)
			a, err := s.reserve("customer-1", "k", 1)
			if err != nil {
				t.Fatal(err)
			}
			id := domain.ReservationID(a.Reservation.ReservationID)
			s.close(terms.UnderSubscribed)
			q, err := s.service.Quote(t.Context(), "customer-1", id)
			if err != nil || q.Fee != 0 || q.FeeRate != 0 || q.Refund != 760_000 || members(t, q)["compensation"] != 228_000.0 {
				t.Errorf("quote: %+v %v", q, err)
			}
			if err := end(s, id); err != nil {
				t.Fatal(err)
			}
			r, err := s.repository.Find(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			c := r.Snapshot().Cancellation
			if c.Fee != 0 || c.Refund != 760_000 || c.Cause != domain.CauseDepartureClosed || c.Compensation == nil || c.Compensation.Amount != 228_000 {
				t.Errorf("%+v", c)
			}
			if n := s.count("SELECT COUNT(*) FROM compensations WHERE status = 'DUE' AND amount = 228000"); n != 1 {
				t.Errorf("%d debts", n)
			}
		})
	}
}

func refundEvent(id, refundID, cause, status string) contract.Payment {
	return contract.Payment{PaymentID: "p", ReservationID: id, Purpose: contract.PurposePrice,
		Refunds: []contract.Refund{{RefundID: refundID, Cause: cause, Status: status}}}
}

// A waiver granted after the refund: a refund of its own, looked after until it is done, and the state stays.
func TestF12_AWaiverGrantedLater(t *testing.T) {
	s := newStage(t, 5, quick)
	s.departsIn(25)
	a, err := s.reserve("customer-1", "k", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := a.Reservation.ReservationID
	c, err := s.cancelWith("customer-1", "c1", domain.ReservationID(id), usecase.CancelRequest{Waiver: domain.OwnIllness})
	if err != nil || c.Reservation.Cancellation.Fee != 152_000 || c.Reservation.Cancellation.Waiver.Status != "CLAIMED" {
		t.Fatalf("%+v %v", c, err)
	}
	part := c.Reservation.Cancellation.Parts[0]
	s.hear(contract.PaymentRefundStuck, refundEvent(id, part.RefundID, "CANCELLATION", contract.RefundStuck))
	if now, _ := s.cancel("customer-1", "c2", domain.ReservationID(id)); now.Reservation.Cancellation.Parts[0].Status != "STUCK" {
		t.Errorf("%+v", now.Reservation.Cancellation.Parts)
	}
	s.hear(contract.PaymentRefunded, refundEvent(id, part.RefundID, "CANCELLATION", contract.RefundDone))
	if s.status(id) != domain.Cancelled {
		t.Fatal(s.status(id))
	}
	state, err := s.service.DecideWaiver(t.Context(), "operator-1", domain.ReservationID(id), usecase.WaiverDecision{Reason: domain.OwnIllness, Granted: true, Note: "진단서"})
	if err != nil || state.Status != "CANCELLED" || len(state.Cancellation.Parts) != 2 || state.Cancellation.Parts[1].Cause != "WAIVER" || state.Cancellation.Parts[1].Amount != 152_000 {
		t.Fatalf("%+v %v", state.Cancellation, err)
	}
	before := s.said(contract.ReservationCancelled, false)
	s.resume(func() bool { return s.said(contract.ReservationCancelled, false) > before }) // payment is reminded
	s.hear(contract.PaymentRefunded, refundEvent(id, state.Cancellation.Parts[1].RefundID, "WAIVER", contract.RefundDone))
	if on, _, _ := s.appointment(id); on {
		t.Error("still on the agenda although all is refunded")
	}
	again, err := s.cancel("customer-1", "c1x", domain.ReservationID(id))
	if err != nil || again.Status != 200 || again.Reservation.Payments[0].Refunded != 1_520_000 {
		t.Errorf("%+v %v", again, err)
	}
}
