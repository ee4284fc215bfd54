package usecase

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/reservation/domain"
)

// finish writes the outcome in a time of its own, since money may have moved. When that fails, the customer is
// told what stands, and the worker settles it.
func (s *Service) finish(ctx context.Context, id domain.ReservationID, o Outcome, told string) (Answer, error) {
	writing, cancel := context.WithTimeout(ctx, s.limits.Settle)
	defer cancel()
	answer, busy, err := s.settle(writing, id, o, told)
	switch {
	case err != nil:
		return s.standing(ctx, id, err)
	case busy:
		return Answer{}, busyWith(id)
	}
	return answer, answer.Err()
}

// busyWith is the refusal after which nothing is charged and nothing declined: the customer may come back.
func busyWith(id domain.ReservationID) error {
	return errBusy.With("reservationId", string(id)).After(2 * time.Second)
}

// standing is the answer when the outcome of a payment could not be written.
func (s *Service) standing(ctx context.Context, id domain.ReservationID, cause error) (Answer, error) {
	zerolog.Ctx(ctx).Error().Err(cause).Str("reservationId", string(id)).Msg("the outcome of a payment was not written: the worker will ask for it")
	reading, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	r, err := s.reservations.Find(reading, id)
	if err != nil {
		return Answer{}, fault.New(fault.Unavailable).With("reservationId", string(id)).After(time.Second).Because(err)
	}
	if r.NotSent() {
		return Answer{}, busyWith(id)
	}
	answer := present(r)
	return answer, answer.Err()
}

// settle writes what the payment's outcome means. It may run for the same reservation in the request, in the
// worker and in another replica: whoever finds it PENDING first decides. told is the event of the PENDING state, as far
// as it is known and may still wait. busy says that nothing was sent.
func (s *Service) settle(ctx context.Context, id domain.ReservationID, o Outcome, told string) (answer Answer, busy bool, err error) {
	now := s.now()
	err = s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		answer, busy = Answer{}, false
		if r.Status() != domain.Pending {
			answer, busy = present(r), r.NotSent()
			if o.Kind == Declined && r.NothingCharged() { // payment told nobody else
				return &Change{}, nil
			}
			return nil, nil
		}
		change, err := s.decide(r, d, o, now)
		if err != nil {
			return nil, err
		}
		if busy = change.Forget; !busy {
			answer = present(r)
			change.Answer = &answer
		}
		change.Told = told
		if r.Status() != domain.Pending {
			change.Messages, err = s.announce(ctx, now, r, d, o.Result.PaymentID)
		}
		return change, err
	})
	if err != nil {
		return Answer{}, false, err
	}
	s.committed()
	if o.Kind == Unknown || o.Kind == Unsent {
		zerolog.Ctx(ctx).Warn().Str("reservationId", string(id)).Bool("unknown", o.Kind == Unknown).Str("reason", o.Reason).Msg("payment did not answer")
	}
	return answer, busy, nil
}

// decide changes a PENDING reservation by the outcome of its payment. Of a departure that was closed meanwhile
// nothing is confirmed, whatever the outcome: what is charged is returned.
func (s *Service) decide(r *domain.Reservation, d *domain.Departure, o Outcome, now time.Time) (*Change, error) {
	if ended, err := r.CloseDeparture(d, s.newID, now); ended || err != nil {
		if o.Kind == Declined {
			r.NothingCharged()
		}
		return &Change{Next: s.nextLook(r, now)}, err
	}
	switch o.Kind {
	case Approved:
		if err := r.Confirm(d, cardPayment(o.Result.PaymentID, o.Result.Amount), now); err != nil {
			return nil, err
		}
		return &Change{Next: r.TripOver()}, nil
	case Declined:
		return &Change{}, r.Reject(d, domain.Rejection{
			Actor: "payment", Cause: domain.CausePaymentDeclined, DeclineCode: o.Result.DeclineCode, At: now})
	case Unsent:
		return &Change{Forget: true}, r.Reject(d, domain.Rejection{Actor: appID, Cause: domain.CausePaymentNotSent, At: now})
	default:
		return &Change{Next: now.Add(firstInquiry), Tried: true}, nil
	}
}
