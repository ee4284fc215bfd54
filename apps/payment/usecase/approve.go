package usecase

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/payment/domain"
)

// Request asks for a charge.
type Request struct {
	Reservation   domain.ReservationID
	Purpose       domain.Purpose
	Amount        money.KRW
	Method        string
	Token         domain.Token
	CorrelationID string
}

// Answer is what is known of a payment.
type Answer struct {
	ID          domain.PaymentID
	Status      domain.Status
	Amount      money.KRW
	DeclineCode string
}

// Approve charges once per (reservation, purpose), however often it is asked. The answer is APPROVED, DECLINED,
// VOIDED, or UNKNOWN: nobody knows yet what became of this one. domain.ErrUnknown is the same while the provider, or
// payment itself, seems to be ill. domain.ErrNotSent: certainly nothing was charged and the attempt is forgotten;
// domain.ErrOther: this payment has another amount or method; fault.Invalid.
func (s *Service) Approve(ctx context.Context, r Request) (Answer, error) {
	waiting, cancel := context.WithTimeout(ctx, s.settings.AnswerWithin)
	defer cancel()

	intent := s.intent(r)
	p, err := domain.Request(intent, s.moment())
	if err != nil {
		return Answer{}, err
	}
	switch err := s.payments.Add(waiting, p, nil); {
	case errors.Is(err, domain.ErrExists):
		return s.repeated(waiting, intent)
	case errors.Is(err, domain.ErrNotStored):
		return Answer{}, domain.ErrNotSent.Because(err)
	case err != nil:
		// Nobody was called, but the row may be there, and only the void order of its reservation ends it. To
		// say "not sent" would end the reservation without one.
		return Answer{}, domain.ErrUnknown.Because(err)
	}
	select {
	case o := <-s.charge(ctx, waiting, p, r.Token):
		if ill := s.doubts.note(o.reply.Kind); ill || !o.stored || !domain.ErrUnknown.Is(o.err) {
			return o.answer, o.err
		}
	case <-waiting.Done(): // what the provider says later says nothing of how it is now
		if ctx.Err() != nil || s.doubts.note(domain.Lost) {
			return Answer{}, domain.ErrUnknown
		}
	}
	return Answer{ID: intent.ID, Status: domain.Unknown, Amount: intent.Amount}, nil
}

func (s *Service) intent(r Request) domain.Intent {
	return domain.Intent{
		ID: domain.PaymentID(s.newID()), Reservation: r.Reservation, Purpose: r.Purpose, Method: r.Method,
		Amount: r.Amount, CorrelationID: r.CorrelationID, CausationID: r.CorrelationID,
	}
}

// repeated answers from what is stored. No token is, so nothing is charged again.
func (s *Service) repeated(ctx context.Context, i domain.Intent) (Answer, error) {
	p, err := s.payments.Find(ctx, i.Reservation, i.Purpose)
	switch {
	case errors.Is(err, domain.ErrNotFound):
		return Answer{}, domain.ErrNotSent // it was forgotten just now
	case err != nil:
		return Answer{}, domain.ErrUnknown.Because(err)
	case !p.Same(i):
		return Answer{}, domain.ErrOther
	}
	return answer(p)
}

type outcome struct {
	reply  domain.Reply
	stored bool // what the provider said
	answer Answer
	err    error
}

// charge calls the provider and stores what it says, whether or not anybody waits for it.
func (s *Service) charge(ctx, waiting context.Context, p *domain.Payment, token domain.Token) <-chan outcome {
	ctx = context.WithoutCancel(ctx)
	done := make(chan outcome, 1)
	s.calls.Go(func() {
		reply := s.provider.Confirm(ctx, p, token)
		trouble(ctx, p, "not approved", reply)
		stored, err := s.settle(ctx, waiting, p, reply)
		if err != nil {
			done <- outcome{reply: reply, err: err}
			return
		}
		a, err := answer(stored)
		done <- outcome{reply, true, a, err}
	})
	return done
}

// settle stores what the provider has replied. Its caller hears it by the answer; events tell it only when nobody is
// waiting any longer. Should that answer be lost, the reservation inquires.
func (s *Service) settle(ctx, waiting context.Context, p *domain.Payment, reply domain.Reply) (*domain.Payment, error) {
	ctx, cancel := context.WithTimeout(ctx, Storing)
	defer cancel()
	m := s.moment()
	stored, err := s.payments.Change(ctx, p, s.change(ctx, m, func(p *domain.Payment) error {
		err := p.Replied(reply, m)
		if waiting.Err() == nil {
			p.Answered()
		}
		return err
	}))
	if err != nil {
		// The row is still REQUESTED, so resume will ask the provider.
		zerolog.Ctx(ctx).Error().Err(err).Str("paymentId", string(p.ID())).Msg("the provider's answer was not stored")
		return nil, domain.ErrUnknown.Because(err)
	}
	s.committed(ctx, stored, m)
	return stored, nil
}

func answer(p *domain.Payment) (Answer, error) {
	status, err := p.Answer()
	if err != nil {
		return Answer{}, err
	}
	return known(p, status), nil
}

func known(p *domain.Payment, status domain.Status) Answer {
	s := p.Snapshot()
	return Answer{ID: s.ID, Status: status, Amount: s.Amount, DeclineCode: s.DeclineCode}
}
