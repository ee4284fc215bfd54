package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

const appID = "reservation"

// eventTypes names the event of each state.
var eventTypes = map[domain.Status]string{
	domain.Pending:         contract.ReservationPending,
	domain.Confirmed:       contract.ReservationConfirmed,
	domain.Rejected:        contract.ReservationRejected,
	domain.CancelRequested: contract.ReservationCancelRequested,
	domain.Cancelled:       contract.ReservationCancelled,
	domain.Completed:       contract.ReservationCompleted,
}

// announce is the event of the reservation's present state, with its whole history and the departure's totals.
func (s *Service) announce(ctx context.Context, at time.Time, r *domain.Reservation, d *domain.Departure, causation string) ([]outbox.Message, error) {
	snap := r.Snapshot()
	history := History(snap.History)
	data := contract.Reservation{
		Meta: contract.Meta{Version: snap.Version, CorrelationID: snap.CorrelationID, CausationID: causation,
			Actor: history[len(history)-1].Actor},
		ReservationState: State(r),
		VoidOrder:        r.VoidOrder(),
		History:          history,
		Departure:        Totals(d),
	}
	return s.message(ctx, at, eventTypes[snap.Status], string(snap.ID), data)
}

func (s *Service) message(ctx context.Context, at time.Time, eventType, subject string, data any) ([]outbox.Message, error) {
	e, err := contract.NewEvent(contract.Envelope{
		ID: s.newID(), Source: appID, Type: eventType, Subject: subject, Time: at, TraceParent: telemetry.Trace(ctx),
	}, data)
	return []outbox.Message{{Topic: contract.TopicReservation, Event: e}}, err
}

// State is the public state of a reservation.
func State(r *domain.Reservation) contract.ReservationState {
	s := r.Snapshot()
	out := contract.ReservationState{
		ReservationID: string(s.ID), CustomerID: s.Customer, MDID: s.MDID, Status: string(s.Status), Version: s.Version,
		ProductID: string(s.Product), ProductName: contract.Text(s.ProductName), Kind: s.Kind, Nights: s.Nights,
		DepartureID: string(s.Departure), DepartureDate: string(s.DepartureDate), Travellers: s.Travellers, PaymentPlan: s.Plan,
		Price:         contract.Price{List: s.Price.List, Discount: s.Price.Discount, Payable: s.Price.Payable, DueNow: s.DueNow},
		PolicyVersion: s.Terms.Version, CorrelationID: s.CorrelationID, CreatedAt: s.CreatedAt,
	}
	for _, p := range s.Payments {
		out.Payments = append(out.Payments, contract.PaymentPart{
			PaymentID: p.ID, Purpose: p.Purpose, Method: p.Method, Status: contract.PaymentIsApproved, Amount: p.Amount, Refunded: p.Refunded,
		})
	}
	if len(s.Payments) > 0 {
		out.Payment = &contract.PaymentState{PaymentID: s.Payments[0].ID, Status: contract.PaymentIsApproved, Amount: s.Payments[0].Amount}
	}
	if c := s.Cancellation; c != nil {
		out.Cancellation = &contract.Cancellation{
			RequestedAt: c.RequestedAt, Actor: c.Actor, Reason: c.Reason, DaysBefore: c.DaysBefore, FeeRate: c.FeeRate,
			AssessedFee: c.AssessedFee, Fee: c.Fee, Refund: c.Refund, Savings: c.Savings, Waiver: waiver(s.Waiver), Parts: parts(c.Parts),
		}
		if c.Compensation != nil {
			out.Cancellation.Compensation, out.Cancellation.CompensationStatus = c.Compensation.Amount, c.Compensation.Status
		}
	}
	return out
}

func waiver(w *domain.Waiver) *contract.Waiver {
	if w == nil {
		return nil
	}
	out := &contract.Waiver{Reason: string(w.Reason), Status: string(w.Status)}
	if !w.DecidedAt.IsZero() {
		out.DecidedAt = &w.DecidedAt
	}
	return out
}

func parts(in []domain.RefundPart) []contract.RefundPart {
	out := make([]contract.RefundPart, 0, len(in))
	for _, p := range in {
		out = append(out, contract.RefundPart{RefundID: p.RefundID, Purpose: p.Purpose, Method: p.Method,
			Cause: p.Cause, Amount: p.Amount, Status: string(p.Status)})
	}
	return out
}

// History is the history as it is told to others, customers and MDs: that there was a waiver, but not why somebody could
// not travel, and that an operator was at work, but not which.
func History(in []domain.Entry) []contract.HistoryEntry {
	out := make([]contract.HistoryEntry, 0, len(in))
	for _, e := range in {
		switch e.Kind {
		case domain.KindWaiverClaimed:
			e.Cause = domain.CauseWaiver
		case domain.KindWaiverGranted, domain.KindWaiverRefused:
			e.Cause, e.Actor = domain.CauseWaiver, "operator"
		case domain.KindRefundSettled, domain.KindCompensationPaid:
			e.Actor = "operator"
		}
		out = append(out, contract.HistoryEntry{Version: e.Version, Kind: e.Kind, From: string(e.From), To: string(e.To),
			At: e.At, Actor: e.Actor, Cause: e.Cause, Amount: e.Amount})
	}
	return out
}

// Totals are the counts of a departure as they are told to others.
func Totals(d *domain.Departure) contract.Totals {
	s := d.Snapshot()
	counts := make(map[string]int, len(s.Counts))
	for status, n := range s.Counts {
		if n > 0 {
			counts[string(status)] = n
		}
	}
	return contract.Totals{
		DepartureID: string(s.ID), ProductID: string(s.Product), Date: string(s.Date), Version: s.Version,
		Capacity: d.Capacity(), Held: s.Held, Confirmed: s.Confirmed, Closed: s.Closure != nil, Reservations: counts,
	}
}

// cardPayment is the payment of a card as reservation keeps it.
func cardPayment(id string, amount money.KRW) domain.Payment {
	return domain.Payment{ID: id, Purpose: contract.PurposePrice, Method: contract.MethodCard, Amount: amount}
}
