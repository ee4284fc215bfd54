package usecase

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// ReserveRequest is a customer's request, valid in form.
type ReserveRequest struct {
	ProductID             domain.ProductID
	DepartureID           domain.DepartureID
	Travellers            int
	PaymentPlan           string
	ExpectedPrice         *money.KRW
	AcceptedPolicyVersion string
	ReservationID         domain.ReservationID // empty: made here
	PaymentToken          string               // one-time; passed on, never stored, never logged
}

// Reserve holds the seats, charges and confirms, in one call: an unpaid reservation is never established.
// Its answer is CONFIRMED (201), PENDING while the outcome of the payment is unknown (202), or declined (402).
// Refusals: those of domain.Reserve, NOT_FOUND, ID_TAKEN, BUSY, and those of the idempotency key.
func (s *Service) Reserve(ctx context.Context, key Key, correlationID string, q ReserveRequest) (Answer, error) {
	if answer, known, err := s.replay(ctx, key); known || err != nil {
		return answer, err
	}
	// From here on the caller may leave: what was begun is finished.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limits.Saga)
	defer cancel()
	r, err := s.hold(ctx, key, correlationID, q)
	if errors.Is(err, ErrKeyKnown) {
		answer, _, err := s.replay(ctx, key)
		return answer, err
	}
	if err != nil {
		return Answer{}, err
	}
	snap := r.Snapshot()
	outcome := s.payments.Approve(ctx, contract.ApproveRequest{
		ReservationID: string(snap.ID), Purpose: contract.PurposePrice, Amount: snap.DueNow,
		Method: contract.MethodCard, Token: q.PaymentToken, CorrelationID: snap.CorrelationID,
	})
	return s.settle(ctx, snap.ID, outcome)
}

// hold makes the PENDING reservation with its seats, intent, key and event in one transaction.
func (s *Service) hold(ctx context.Context, key Key, correlationID string, q ReserveRequest) (*domain.Reservation, error) {
	product, err := s.awaitProduct(ctx, q.ProductID)
	if err != nil {
		return nil, err
	}
	wish := domain.Wish{
		ID: q.ReservationID, Customer: key.Subject, Travellers: q.Travellers, Plan: q.PaymentPlan, ExpectedPrice: q.ExpectedPrice,
		AcceptedPolicyVersion: q.AcceptedPolicyVersion, CorrelationID: correlationID, At: s.now(),
	}
	if wish.ID == "" {
		wish.ID = domain.ReservationID(s.newID())
	}
	var made *domain.Reservation
	create := func() error {
		return s.reservations.Create(ctx, key, wish.ID, q.DepartureID, func(d *domain.Departure) (*domain.Reservation, Change, error) {
			if d.Snapshot().Product != product.ID {
				return nil, Change{}, domain.ErrNotFound
			}
			r, err := domain.Reserve(wish, product, d)
			if err != nil {
				return nil, Change{}, err
			}
			made = r
			messages, err := s.announce(ctx, wish.At, r, d, correlationID)
			// Looked at only if this process does not settle it itself.
			return r, Change{Messages: messages, Next: wish.At.Add(s.limits.Saga)}, err
		})
	}
	err = s.awaitKnown(ctx, create)
	if err == nil {
		s.committed()
	}
	return made, err
}

// awaitProduct finds the product's copy; one that was registered a moment ago may not have been heard of yet.
func (s *Service) awaitProduct(ctx context.Context, id domain.ProductID) (domain.TourProduct, error) {
	var product domain.TourProduct
	err := s.awaitKnown(ctx, func() (err error) {
		product, err = s.catalogue.Product(ctx, id)
		return err
	})
	return product, err
}

// awaitKnown repeats a look-up that found nothing, every 50 ms for as long as events may be under way.
func (s *Service) awaitKnown(ctx context.Context, find func() error) error {
	deadline := time.Now().Add(s.limits.ProductWait)
	for {
		err := find()
		if fault.CodeOf(err) != fault.NotFound || time.Now().After(deadline) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// settle writes what the payment's outcome means. It may run for the same reservation in the request, in the
// worker and in another replica: whoever finds it PENDING first decides.
func (s *Service) settle(ctx context.Context, id domain.ReservationID, o Outcome) (Answer, error) {
	var answer Answer
	busy, now := false, s.now()
	err := s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		answer, busy = Answer{}, false
		if r.Status() != domain.Pending {
			answer = present(r)
			return nil, nil
		}
		change, err := s.decide(r, d, o, now)
		if err != nil {
			return nil, err
		}
		if busy = change.Forget; !busy {
			answer = present(r)
			answer.DeclineCode = o.Result.DeclineCode
			change.Answer = &answer
		}
		if r.Status() != domain.Pending {
			change.Messages, err = s.announce(ctx, now, r, d, o.Result.PaymentID)
		}
		return change, err
	})
	if err != nil {
		return Answer{}, err
	}
	s.committed()
	if o.Kind == Unknown || o.Kind == Unsent {
		zerolog.Ctx(ctx).Warn().Str("reservationId", string(id)).Bool("unknown", o.Kind == Unknown).Str("reason", o.Reason).Msg("payment did not answer")
	}
	if busy {
		return Answer{}, errBusy.With("reservationId", string(id)).After(2 * time.Second)
	}
	return answer, answer.Err()
}

// decide changes a PENDING reservation by the outcome of its payment.
func (s *Service) decide(r *domain.Reservation, d *domain.Departure, o Outcome, now time.Time) (*Change, error) {
	switch o.Kind {
	case Approved:
		if err := r.Confirm(d, cardPayment(o.Result.PaymentID, o.Result.Amount), now); err != nil {
			return nil, err
		}
		return &Change{Next: r.TripOver()}, nil
	case Declined:
		return &Change{}, r.Reject(d, "payment", domain.CausePaymentDeclined, false, now)
	case Unsent:
		return &Change{Forget: true}, r.Reject(d, appID, domain.CausePaymentNotSent, false, now)
	default:
		return &Change{Next: now.Add(firstInquiry), Tried: true}, nil
	}
}

// present is the answer that a reservation's present state gives to the request that made it.
func present(r *domain.Reservation) Answer {
	state := State(r)
	a := Answer{Status: StatusCreated, Reservation: &state}
	switch r.Status() {
	case domain.Pending:
		a.Status = StatusAccepted
	case domain.Rejected:
		a.Status = StatusDeclined
	}
	return a
}

// replay finds what the key was answered before. known is false for a key that is new.
func (s *Service) replay(ctx context.Context, key Key) (answer Answer, known bool, err error) {
	stored, known, err := s.keys.Lookup(ctx, key)
	if err != nil || !known {
		return Answer{}, false, err
	}
	if stored.BodyHash != key.BodyHash {
		return Answer{}, true, errKeyReused
	}
	if stored.Answer != nil {
		stored.Answer.Replayed = true
		return *stored.Answer, true, stored.Answer.Err()
	}
	r, err := s.reservations.Find(ctx, stored.Reservation)
	if err != nil {
		return Answer{}, true, err
	}
	if s.now().Sub(r.Snapshot().CreatedAt) < s.limits.KeyInFlight {
		return Answer{}, true, errInProgress.After(time.Second)
	}
	answer = present(r)
	answer.Replayed = true
	return answer, true, answer.Err()
}
