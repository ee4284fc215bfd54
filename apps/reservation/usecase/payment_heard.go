package usecase

import (
	"context"
	"errors"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/reservation/domain"
)

// PaymentHeard follows payment's events. One alone never confirms: it wakes the inquiry. A refund that is done
// is noted, and the last one ends the cancellation.
func (s *Service) PaymentHeard(ctx context.Context, e contract.Event) error {
	switch e.Type {
	case contract.PaymentApproved, contract.PaymentDeclined, contract.PaymentVoided:
		p, err := contract.Decode[contract.Payment](e)
		if err != nil {
			return err
		}
		return s.agenda.Soon(ctx, domain.ReservationID(p.ReservationID))
	case contract.PaymentRefunded:
		p, err := contract.Decode[contract.Payment](e)
		if err != nil {
			return err
		}
		return s.refunded(ctx, p, e.ID)
	}
	return nil
}

func (s *Service) refunded(ctx context.Context, p contract.Payment, causation string) error {
	err := s.reservations.Update(ctx, domain.ReservationID(p.ReservationID), func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		changed := false
		for _, refund := range p.Refunds {
			if refund.Status != contract.RefundDone || refund.Cause != contract.RefundCauseCancel {
				continue
			}
			one, err := r.PartRefunded(d, refund.RefundID, s.now())
			if err != nil {
				return nil, err
			}
			changed = changed || one
		}
		if !changed {
			return nil, nil
		}
		messages, err := s.announce(ctx, r, d, causation)
		return &Change{Messages: messages, Next: s.nextLook(r)}, err
	})
	if errors.Is(err, domain.ErrNotFound) {
		return nil // a tombstone's, or another installation's
	}
	if err == nil {
		s.committed()
	}
	return err
}

// nextLook is when a reservation in its present state wants to be looked at again.
func (s *Service) nextLook(r *domain.Reservation) time.Time {
	switch r.Status() {
	case domain.CancelRequested:
		return s.now().Add(s.limits.Resend)
	case domain.Confirmed:
		return r.TripOver()
	}
	return time.Time{}
}
