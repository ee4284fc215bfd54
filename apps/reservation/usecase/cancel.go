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
	ExpectedFee *money.KRW // won, as the customer was shown
}

// Cancel frees the seats at once and promises the refund: 202 while it is on its way, 200 once CANCELLED.
// A PENDING reservation is withdrawn (202). Whoever cancels again is told of the cancellation, or withdrawal, that
// there is.
// Refusals: NOT_FOUND (also another's), NOT_CANCELLABLE, TOO_LATE, FEE_CHANGED, and those of the key.
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
		err := r.RequestCancellation(d, domain.Cancelling{
			Actor: key.Subject, Reason: q.Reason, ExpectedFee: q.ExpectedFee, NewID: s.newID, At: accepted,
		})
		if domain.ErrFeeChanged.Is(err) {
			return nil, domain.ErrFeeChanged.With("quote", quoteAnswer(r, r.Quote(accepted), accepted))
		}
		if err != nil {
			return nil, err
		}
		answer = cancelled(r)
		change := &Change{NewKey: &NewKey{key, answer}, Next: s.nextLook(r, accepted)}
		if r.Status() == domain.Rejected { // withdrawn: the request that made it has its last answer, too
			last := present(r)
			change.Answer = &last
		}
		change.Messages, err = s.announce(ctx, accepted, r, d, telemetry.Correlation(ctx))
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
