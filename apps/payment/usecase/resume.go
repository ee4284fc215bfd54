package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/payment/domain"
)

const (
	atWork = 32                     // payments that one replica looks at in the same moment
	idle   = 250 * time.Millisecond // between looks when nobody calls
)

// Storing bounds a transaction whose caller may have left.
const Storing = 5 * time.Second

// Resume does what is open until the context ends: asks the provider for payments whose outcome is not known,
// returns money, and watches final payments. When to look at which is in the database, so that neither a
// restart nor another replica makes a difference.
func (s *Service) Resume(ctx context.Context) error {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, atWork)
	for {
		ids, err := s.due(ctx, atWork-len(slots))
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			zerolog.Ctx(ctx).Warn().Err(err).Msg("resume: will try again")
		}
		for _, id := range ids {
			slots <- struct{}{}
			working.Go(func() {
				defer func() { <-slots; s.rouse() }()
				// Not the worker's context: what has been begun is finished and stored.
				s.resumeOne(context.WithoutCancel(ctx), id)
			})
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-time.After(idle):
		}
	}
}

func (s *Service) due(ctx context.Context, free int) ([]domain.PaymentID, error) {
	if free == 0 {
		return nil, nil
	}
	return s.agenda.Claim(ctx, s.clock().UTC(), free)
}

// resumeOne takes one step with one payment. A step that fails is taken again when its lease has ended.
func (s *Service) resumeOne(ctx context.Context, id domain.PaymentID) {
	reading, cancel := context.WithTimeout(ctx, Storing)
	defer cancel()
	p, err := s.payments.Get(reading, id)
	if err == nil {
		ctx = telemetry.WithCorrelation(telemetry.WithTrace(ctx, ""), p.CorrelationID())
		if refund, open := p.OpenRefund(); open {
			err = s.giveBack(ctx, p, refund)
		} else {
			err = s.ask(ctx, p)
		}
	}
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Str("paymentId", string(id)).Msg("resume: will try again")
	}
}

// ask learns from the provider what became of a payment.
func (s *Service) ask(ctx context.Context, p *domain.Payment) error {
	if !p.NeedsInquiry() {
		return s.update(ctx, p.ID(), func(p *domain.Payment, _ domain.Moment) error { p.Rest(); return nil })
	}
	reply := s.provider.Find(ctx, p.OrderID())
	trouble(ctx, p, "inquiry not answered", reply)
	return s.update(ctx, p.ID(), func(now *domain.Payment, m domain.Moment) error {
		if now.Version() != p.Version() {
			now.Soon(m.Now) // asked of an older state
			return nil
		}
		return now.Inquired(reply, m)
	})
}

// giveBack returns the money of a refund. The refunds that the provider lists are read first, always: a call
// that was answered by nobody, or never stored, may have been heard.
func (s *Service) giveBack(ctx context.Context, p *domain.Payment, refund domain.Refund) error {
	seen, ask := s.provider.Find(ctx, p.OrderID()), false
	trouble(ctx, p, "refund: inquiry not answered", seen)
	err := s.update(ctx, p.ID(), func(p *domain.Payment, m domain.Moment) (err error) {
		ask, err = p.RefundSeen(refund.ID, seen, m)
		return err
	})
	if err != nil || !ask {
		return err
	}
	reply := s.provider.Cancel(ctx, seen.Charge, refund)
	trouble(ctx, p, "refund not confirmed", reply)
	return s.update(ctx, p.ID(), func(p *domain.Payment, m domain.Moment) error {
		return p.RefundReplied(refund.ID, reply, m)
	})
}

func (s *Service) update(ctx context.Context, id domain.PaymentID, do func(*domain.Payment, domain.Moment) error) error {
	ctx, cancel := context.WithTimeout(ctx, Storing)
	defer cancel()
	m := s.moment()
	p, err := s.payments.Update(ctx, id, s.change(ctx, m, func(p *domain.Payment) error { return do(p, m) }))
	if err != nil {
		return err
	}
	s.committed(ctx, p, m)
	return nil
}

// change joins what is done to a payment and the events that it causes.
func (s *Service) change(ctx context.Context, m domain.Moment, do func(p *domain.Payment) error) Change {
	return func(p *domain.Payment) ([]contract.Event, error) {
		if err := do(p); err != nil {
			return nil, err
		}
		return s.events(ctx, p, m)
	}
}
