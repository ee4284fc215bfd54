package usecase

import (
	"context"
	"errors"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

// CancelRequest is a customer's request to cancel, valid in form.
type CancelRequest struct {
	Reason      string
	ExpectedFee *money.KRW          // won, as the customer was shown
	Waiver      domain.WaiverReason // claimed; empty: none
	Savings     string              // what becomes of the savings account: KEEP, CLOSE; empty: no choice
}

// Cancel frees the seats at once and promises the refund: 202 while it is on its way, 200 once CANCELLED.
// A PENDING reservation is withdrawn (202). Whoever cancels again is told of the cancellation, or withdrawal, that
// there is.
// Refusals: NOT_FOUND (also another's), INVALID (a choice on savings that there are not), NOT_CANCELLABLE,
// TOO_LATE, FEE_CHANGED, and those of the key.
func (s *Service) Cancel(ctx context.Context, key Key, id domain.ReservationID, q CancelRequest) (Answer, error) {
	accepted := s.now() // decides fee and lateness, however long locks make it wait
	if answer, known, err := s.replay(ctx, key); known || err != nil {
		return answer, err
	}
	var answer Answer
	err := s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if r.Snapshot().Customer != key.Subject {
			return nil, domain.ErrNotFound
		}
		if r.Snapshot().Cancellation != nil || r.Withdrawn() {
			answer = cancelled(r)
			return &Change{NewKey: &NewKey{key, answer}, KeyOnly: true}, nil
		}
		if q.Savings != "" && r.Snapshot().Plan != domain.PlanSavingsFunded {
			return nil, errNoSavings
		}
		err := r.RequestCancellation(d, domain.Cancelling{
			Actor: key.Subject, Reason: q.Reason, ExpectedFee: q.ExpectedFee, Waiver: q.Waiver, Savings: q.Savings,
			NewID: s.newID, At: accepted,
		})
		if domain.ErrFeeChanged.Is(err) {
			return nil, domain.ErrFeeChanged.With("quote", quoteAnswer(r, r.Quote(d, accepted), accepted))
		}
		if err != nil {
			return nil, err
		}
		answer = cancelled(r)
		change, err := s.told(ctx, accepted, r, d, telemetry.Correlation(ctx))
		change.NewKey = &NewKey{key, answer}
		return change, err
	})
	if errors.Is(err, ErrKeyKnown) {
		return s.twin(ctx, key)
	}
	if err != nil {
		return Answer{}, err
	}
	s.committed()
	return answer, nil
}

// cancelled is the answer to a cancellation.
func cancelled(r *domain.Reservation) Answer {
	state := State(r)
	if r.Status() == domain.Cancelled {
		return Answer{Status: StatusOK, Reservation: &state}
	}
	return Answer{Status: StatusAccepted, Reservation: &state}
}
