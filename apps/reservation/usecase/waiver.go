package usecase

import (
	"context"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

// WaiverDecision is what an operator says of a waiver, valid in form.
type WaiverDecision struct {
	Reason  domain.WaiverReason
	Granted bool
	Note    string
}

// DecideWaiver grants or refuses a waiver, before the cancellation or after it; the difference goes back then.
// Refusals: NOT_FOUND, ALREADY_DECIDED, NOT_CANCELLABLE.
func (s *Service) DecideWaiver(ctx context.Context, actor string, id domain.ReservationID, w WaiverDecision) (contract.ReservationState, error) {
	now := s.now()
	return s.change(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		decided, err := r.DecideWaiver(domain.Decision{
			Reason: w.Reason, Granted: w.Granted, Note: w.Note, Actor: actor, NewID: s.newID, At: now,
		})
		if err != nil || !decided {
			return nil, err
		}
		return s.told(ctx, now, r, d, telemetry.Correlation(ctx))
	})
}

// NoShow records that the travellers did not come. md is the subject of an MD, whose own product it must be;
// empty for an operator. An MD is not told of a waiver. Refusals: NOT_FOUND, TOO_EARLY, NOT_CANCELLABLE.
func (s *Service) NoShow(ctx context.Context, actor, md string, id domain.ReservationID) (contract.ReservationState, error) {
	now := s.now()
	state, err := s.change(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if md != "" && r.Snapshot().MDID != md {
			return nil, domain.ErrNotFound
		}
		recorded, err := r.NoShow(d, actor, s.newID, now)
		if err != nil || !recorded {
			return nil, err
		}
		return s.told(ctx, now, r, d, telemetry.Correlation(ctx))
	})
	if md != "" && state.Cancellation != nil {
		state.Cancellation.Waiver = nil
	}
	return state, err
}

// change is an update that is answered with the state afterwards.
func (s *Service) change(ctx context.Context, id domain.ReservationID, fn func(*domain.Reservation, *domain.Departure) (*Change, error)) (contract.ReservationState, error) {
	var state contract.ReservationState
	err := s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		change, err := fn(r, d)
		if err == nil {
			state = State(r)
		}
		return change, err
	})
	if err == nil {
		s.committed()
	}
	return state, err
}
