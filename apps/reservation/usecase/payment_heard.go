package usecase

import (
	"context"
	"errors"
	"slices"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/reservation/domain"
)

// PaymentHeard follows payment's events. One alone never confirms: it wakes the inquiry. An approval that comes
// too late is told to payment again at once, and its word that nothing is charged ends a void order. A refund
// that is done or stuck is noted, and the last one that is done ends the cancellation.
func (s *Service) PaymentHeard(ctx context.Context, e contract.Event) error {
	switch e.Type {
	case contract.PaymentApproved, contract.PaymentDeclined, contract.PaymentVoided:
		p, err := contract.Decode[contract.Payment](e)
		if err != nil {
			return err
		}
		return s.outcomeHeard(ctx, p, e)
	case contract.PaymentRefunded, contract.PaymentRefundStuck:
		p, err := contract.Decode[contract.Payment](e)
		if err != nil {
			return err
		}
		return s.refunded(ctx, p, e.ID)
	}
	return nil
}

func (s *Service) outcomeHeard(ctx context.Context, p contract.Payment, e contract.Event) error {
	id := domain.ReservationID(p.ReservationID)
	r, err := s.reservations.Find(ctx, id)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return nil // a tombstone's, or another installation's
	case err != nil:
		return err
	case r.Status() == domain.Pending:
		return s.agenda.Soon(ctx, id)
	case e.Type == contract.PaymentApproved && r.ApprovedTooLate(p.PaymentID):
		return s.approvedTooLate(ctx, id, p.PaymentID, e.ID)
	case e.Type != contract.PaymentApproved && p.Purpose == contract.PurposePrice && r.VoidOpen():
		return s.voidObeyed(ctx, id)
	}
	return nil
}

// approvedTooLate announces a reservation that must not be charged again at once.
func (s *Service) approvedTooLate(ctx context.Context, id domain.ReservationID, paymentID, causation string) error {
	now := s.now()
	defer s.committed()
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if !r.ApprovedTooLate(paymentID) {
			return nil, nil
		}
		messages, err := s.announce(ctx, now, r, d, causation)
		return &Change{Messages: messages, Next: s.nextLook(r, now)}, err
	})
}

// voidObeyed takes a reservation off the agenda: nothing is charged for it.
func (s *Service) voidObeyed(ctx context.Context, id domain.ReservationID) error {
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, _ *domain.Departure) (*Change, error) {
		if !r.NothingCharged() {
			return nil, nil
		}
		return &Change{}, nil
	})
}

// refunded follows the refunds of a payment, whichever event tells of them.
func (s *Service) refunded(ctx context.Context, p contract.Payment, causation string) error {
	id, now := domain.ReservationID(p.ReservationID), s.now()
	// Repeats end here, without the lock of the seats, which everybody wants who reserves the departure.
	known, err := s.reservations.Find(ctx, id)
	if errors.Is(err, domain.ErrNotFound) {
		return nil // a tombstone's, or another installation's
	}
	if err != nil || !slices.ContainsFunc(p.Refunds, func(refund contract.Refund) bool {
		return known.RefundIsNews(refund.RefundID, domain.PartStatus(refund.Status))
	}) {
		return err
	}
	err = s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		changed := false
		for _, refund := range p.Refunds {
			one, err := refundHeard(r, d, refund, now)
			if err != nil {
				return nil, err
			}
			changed = changed || one
		}
		if !changed {
			return nil, nil
		}
		return s.told(ctx, now, r, d, causation)
	})
	if err == nil {
		s.committed()
	}
	return err
}

func refundHeard(r *domain.Reservation, d *domain.Departure, refund contract.Refund, now time.Time) (bool, error) {
	switch refund.Status {
	case contract.RefundDone:
		if refund.SettledBy != "" {
			return r.RefundSettled(d, refund.RefundID, refund.SettledBy, now)
		}
		return r.RefundDone(d, refund.RefundID, now)
	case contract.RefundStuck:
		return r.RefundStuck(refund.RefundID, now), nil
	}
	return false, nil
}

// told is what goes with a reservation that has changed: its event, when it is looked at again, and the answers
// of requests that have come to their end.
func (s *Service) told(ctx context.Context, at time.Time, r *domain.Reservation, d *domain.Departure, causation string) (*Change, error) {
	messages, err := s.announce(ctx, at, r, d, causation)
	change := &Change{Messages: messages, Next: s.nextLook(r, at)}
	switch r.Status() {
	case domain.Cancelled:
		if r.JustCancelled() { // a waiver or a compensation that comes later changes no answer
			ended := cancelled(r)
			change.Ended = &ended
		}
	case domain.Rejected:
		last := present(r)
		change.Answer = &last
	}
	return change, err
}

// nextLook is when a reservation that has just changed wants to be looked at again.
func (s *Service) nextLook(r *domain.Reservation, now time.Time) time.Time {
	switch {
	case r.RefundsOpen(), r.VoidOpen():
		return now.Add(s.limits.Resend)
	case r.Status() == domain.Confirmed:
		return r.TripOver()
	}
	return time.Time{}
}
