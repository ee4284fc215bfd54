package usecase

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/payment/domain"
)

// savingsFunded is the payment plan that charges a deposit instead of the price.
const savingsFunded = "SAVINGS_FUNDED"

// states are the events that tell the state of a reservation. What is not here is not for payment, another
// version of the same event neither: its members may mean something else.
var states = []string{
	contract.ReservationPending, contract.ReservationConfirmed, contract.ReservationRejected,
	contract.ReservationCancelRequested, contract.ReservationCancelled, contract.ReservationCompleted,
}

// HearReservation obeys void orders and cancellations. It stores what is to be done; resume does it.
func (s *Service) HearReservation(ctx context.Context, e contract.Event) error {
	if !slices.Contains(states, e.Type) {
		return nil
	}
	r, err := contract.Decode[contract.Reservation](e)
	if err != nil {
		return err
	}
	if r.Cancellation == nil && e.Type == contract.ReservationCancelRequested {
		return fault.New(fault.Malformed).Because(fmt.Errorf("%s without a cancellation", e.ID))
	}
	if r.Cancellation == nil && !r.VoidOrder {
		return nil
	}
	if !domain.ReservationID(r.ReservationID).Valid() || len(e.ID) > 64 || len(r.CorrelationID) > 64 {
		return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: ids are none", e.Type, e.ID))
	}
	if r.VoidOrder {
		return s.void(ctx, e, r)
	}
	return s.refund(ctx, e, r)
}

// void leaves nothing of a reservation charged: what is stored is voided, and what would have been charged with
// the reservation is forbidden when it is not stored.
func (s *Service) void(ctx context.Context, e contract.Event, r contract.Reservation) error {
	first := domain.Price
	if r.PaymentPlan == savingsFunded {
		first = domain.Deposit
	}
	for _, purpose := range []domain.Purpose{domain.Price, domain.Deposit, domain.Balance} {
		order := voidOrder{event: e.ID, forbid: purpose == first, intent: domain.Intent{
			ID: domain.PaymentID(s.newID()), Reservation: domain.ReservationID(r.ReservationID), Purpose: purpose,
			CorrelationID: r.CorrelationID, CausationID: e.ID,
		}}
		if err := s.voidOne(ctx, order); err != nil {
			return fmt.Errorf("void %s: %w", purpose, err)
		}
	}
	return nil
}

type voidOrder struct {
	event  string
	forbid bool // leave a tombstone when there is no payment
	intent domain.Intent
}

func (s *Service) voidOne(ctx context.Context, o voidOrder) error {
	m := s.moment()
	for range 3 { // a payment may come or be forgotten between reading and writing
		p, err := s.payments.Find(ctx, o.intent.Reservation, o.intent.Purpose)
		switch {
		case err == nil:
			p, err = s.payments.Update(ctx, p.ID(), s.change(ctx, m, func(p *domain.Payment) error { return p.Void(o.event, m) }))
		case errors.Is(err, domain.ErrNotFound) && !o.forbid:
			return nil
		case errors.Is(err, domain.ErrNotFound):
			p, err = s.forbid(ctx, o.intent, m)
		}
		switch {
		case err == nil:
			s.committed(ctx, p, m)
			return nil
		case !errors.Is(err, domain.ErrNotFound) && !errors.Is(err, domain.ErrExists):
			return err
		}
	}
	return errors.New("the payment changed again and again")
}

func (s *Service) forbid(ctx context.Context, i domain.Intent, m domain.Moment) (*domain.Payment, error) {
	p, err := domain.Forbid(i, m)
	if err != nil {
		return nil, err
	}
	events, err := s.events(ctx, p, m)
	if err != nil {
		return nil, err
	}
	return p, s.payments.Add(ctx, p, events)
}

// refund sees to it that there is a refund for all that a cancellation, or a waiver after it, returns to cards,
// whichever event says so. What cannot be is for an operator: asking again, which the reservation does each
// minute, must not fill the dead letters.
func (s *Service) refund(ctx context.Context, e contract.Event, r contract.Reservation) error {
	for _, part := range r.Cancellation.Parts {
		if part.Method != domain.Card || part.Status == contract.RefundDone {
			continue
		}
		if part.Cause == "" {
			part.Cause = contract.RefundCauseCancel
		}
		if !domain.RefundID(part.RefundID).Valid() || !domain.Purpose(part.Purpose).Valid() || !domain.Cause(part.Cause).Asked() {
			return fault.New(fault.Malformed).Because(fmt.Errorf("%s: a part that is none", e.ID))
		}
		err := s.refundPart(ctx, e, domain.ReservationID(r.ReservationID), part)
		switch {
		case errors.Is(err, domain.ErrNotFound), errors.Is(err, domain.ErrNotRefundable), errors.Is(err, domain.ErrTooMuch):
			zerolog.Ctx(ctx).Error().Err(err).Str("reservationId", r.ReservationID).Str("purpose", part.Purpose).
				Msg("OPERATOR: a refund is asked for that cannot be")
		case err != nil:
			return fmt.Errorf("refund %s: %w", part.Purpose, err)
		}
	}
	return nil
}

func (s *Service) refundPart(ctx context.Context, e contract.Event, r domain.ReservationID, part contract.RefundPart) error {
	p, err := s.payments.Find(ctx, r, domain.Purpose(part.Purpose))
	if err != nil {
		return err
	}
	m := s.moment()
	refund := domain.Refund{
		ID: domain.RefundID(part.RefundID), Cause: domain.Cause(part.Cause), Amount: part.Amount, CausationID: e.ID,
		Status: domain.RefundStatus(part.Status),
	}
	p, err = s.payments.Update(ctx, p.ID(), s.change(ctx, m, func(p *domain.Payment) error { return p.Refund(refund, m) }))
	if err != nil {
		return err
	}
	s.committed(ctx, p, m)
	return nil
}
