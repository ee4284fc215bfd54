package usecase

import (
	"context"
	"errors"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
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
// Refusals: those of domain.Reserve, NOT_FOUND, ID_TAKEN, BUSY, UNAVAILABLE, and those of the idempotency key.
func (s *Service) Reserve(ctx context.Context, key Key, correlationID string, q ReserveRequest) (Answer, error) {
	wish := domain.Wish{
		ID: q.ReservationID, Customer: key.Subject, Travellers: q.Travellers, Plan: q.PaymentPlan, ExpectedPrice: q.ExpectedPrice,
		AcceptedPolicyVersion: q.AcceptedPolicyVersion, CorrelationID: correlationID, At: s.now(),
	}
	// Mostly there is room, and the transaction that writes reads and judges all that must be known: the key, the
	// product, the seats.
	if leave, ok := s.gate.step(wish.At); ok {
		if answer, err := s.turn(ctx, leave, key, q, wish); fault.CodeOf(err) != fault.NotFound {
			return answer, err
		}
	}
	if answer, known, err := s.replay(ctx, key); known || err != nil {
		return answer, err
	}
	offer, err := s.known(ctx, q)
	if err != nil {
		return Answer{}, err
	}
	leave, err := s.gate.enter(ctx, s.now, func() error { return soldOut(offer, wish) })
	if err != nil {
		return Answer{}, err
	}
	return s.turn(ctx, leave, key, q, wish)
}

// turn reserves for one who was let in. NOT_FOUND: product or departure are not known, and nothing was written.
func (s *Service) turn(ctx context.Context, leave func(), key Key, q ReserveRequest, wish domain.Wish) (Answer, error) {
	defer leave()
	// From here on the caller may leave: what was begun is finished.
	ctx = context.WithoutCancel(ctx)
	saga, cancel := context.WithTimeout(ctx, s.limits.Saga)
	defer cancel()
	r, told, err := s.hold(saga, key, q, wish)
	switch {
	case errors.Is(err, ErrKeyKnown):
		return s.twin(saga, key)
	case err != nil && fault.CodeOf(err) == fault.Internal && saga.Err() != nil:
		return Answer{}, errBusy.After(2 * time.Second).Because(err)
	case err != nil:
		return Answer{}, err
	}
	outcome := s.charge(saga, r.Snapshot(), q.PaymentToken)
	if outcome.Refused {
		s.gate.shut(s.now())
	}
	return s.finish(ctx, r.Snapshot().ID, outcome, told)
}

// overtaken is how long nobody is told that a reservation is PENDING: by then most are paid, and the event that says so
// says this as well. Half the traffic between services is saved by it. Longer than payment is given to answer would
// keep from the customer's list what has been answered as pending.
const overtaken = 2 * time.Second

// hold makes the PENDING reservation with its seats, intent, key and event in one transaction, and names the event.
func (s *Service) hold(ctx context.Context, key Key, q ReserveRequest, w domain.Wish) (made *domain.Reservation, told string, err error) {
	n := NewReservation{Key: key, ID: w.ID, ClientMade: w.ID != "", Product: q.ProductID, Departure: q.DepartureID}
	if !n.ClientMade {
		n.ID = domain.ReservationID(s.newID())
	}
	w.ID = n.ID
	now := s.now()
	err = s.reservations.Create(ctx, n, func(o Offer) (*domain.Reservation, Change, error) {
		r, err := place(w, o)
		if err != nil {
			return nil, Change{}, err
		}
		messages, err := s.announce(ctx, now, r, o.Departure, w.CorrelationID)
		if err != nil {
			return nil, Change{}, err
		}
		messages[0].Wait = overtaken
		made, told = r, messages[0].Event.ID
		// Looked at only if this process does not settle it itself.
		return r, Change{Messages: messages, Next: now.Add(s.limits.Saga)}, nil
	})
	return made, told, err
}

// place makes the reservation, or opens the one again that has the id.
func place(w domain.Wish, o Offer) (*domain.Reservation, error) {
	r, err := o.Earlier, error(nil)
	if r != nil {
		err = r.Reopen(w, o.Product, o.Departure)
	} else {
		r, err = domain.Reserve(w, o.Product, o.Departure)
	}
	if domain.ErrTermsChanged.Is(err) {
		p := o.Product
		err = domain.ErrTermsChanged.With("policy", policyAnswer(p.Schedule(terms.DateOf(w.At)), p.SpecialTerms != nil, p.SpecialConsent))
	}
	return r, err
}

// charge asks payment, unless the time that is left would not do for its answer: then nothing is sent.
func (s *Service) charge(ctx context.Context, snap domain.Snapshot, token string) Outcome {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.limits.Call {
		return Outcome{Kind: Unsent, Reason: "no time was left for payment"}
	}
	return s.payments.Approve(ctx, contract.ApproveRequest{
		ReservationID: string(snap.ID), Purpose: contract.PurposePrice, Amount: snap.DueNow,
		Method: contract.MethodCard, Token: token, CorrelationID: snap.CorrelationID,
	})
}
