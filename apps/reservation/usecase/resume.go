package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

const (
	firstInquiry = 500 * time.Millisecond
	lastInquiry  = 8 * time.Second        // the longest pause between two inquiries
	look         = 250 * time.Millisecond // how often the agenda is read when it is empty
	step         = 8 * time.Second        // for one reservation, with all its calls and locks
	lease        = 10 * time.Second       // longer than a step, so that nobody repeats it meanwhile
	atOnce       = 16                     // steps at the same time, of each kind
	lastResend   = time.Hour              // the longest pause between two reminders to payment
)

// Resume settles what is unfinished until the context ends: reservations whose payment is unknown, refunds
// that nobody reported, trips that are over, departures that were closed. What it knows is in the database, so a restart loses nothing.
// PENDING ones have workers of their own: customers wait for them, also while thousands of trips end at midnight.
func (s *Service) Resume(ctx context.Context) error {
	var workers sync.WaitGroup
	workers.Go(func() { s.work(ctx, true) })
	workers.Go(func() { s.work(ctx, false) })
	workers.Go(func() { s.closeDepartures(ctx) })
	workers.Wait()
	return nil
}

// work takes what is due off the agenda, at once for as long as it is full. A slow step holds up no other.
// Told to stop, it finishes what it has claimed: nobody else would look at that before the lease is over.
func (s *Service) work(stop context.Context, pending bool) {
	ctx := context.WithoutCancel(stop)
	var steps sync.WaitGroup
	defer steps.Wait()
	slots := make(chan struct{}, atOnce)
	for stop.Err() == nil {
		free := atOnce - len(slots)
		due, err := s.agenda.Due(ctx, Claim{Pending: pending, Limit: free, Lease: lease})
		if err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Msg("agenda: will try again")
		}
		for _, d := range due {
			slots <- struct{}{}
			steps.Go(func() {
				defer func() { <-slots }()
				s.tryOne(ctx, d)
			})
		}
		if len(due) == free {
			half(slots)
			continue
		}
		select {
		case <-stop.Done():
		case <-time.After(look):
		}
	}
}

// half waits until half of the slots are free, so that the agenda is not read for each one.
func half(slots chan struct{}) {
	for range cap(slots) / 2 {
		slots <- struct{}{}
	}
	for range cap(slots) / 2 {
		<-slots
	}
}

func (s *Service) tryOne(ctx context.Context, d DueReservation) {
	ctx, cancel := context.WithTimeout(ctx, step)
	defer cancel()
	if err := s.resumeOne(ctx, d); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Str("reservationId", string(d.ID)).Msg("not resumed: will try again")
	}
}

func (s *Service) resumeOne(ctx context.Context, due DueReservation) error {
	r, err := s.reservations.Find(ctx, due.ID)
	if err != nil {
		return err
	}
	snap := r.Snapshot()
	ctx = telemetry.WithCorrelation(ctx, snap.CorrelationID)
	switch snap.Status {
	case domain.Pending:
		return s.resumePending(ctx, snap, r.AskedAt(), due.Attempts)
	case domain.Rejected:
		return s.resumeVoid(ctx, snap.ID, due.Attempts)
	case domain.CancelRequested, domain.Cancelled: // a waiver granted later has refunds of its own
		return s.announceAgain(ctx, snap.ID, due.Attempts)
	case domain.Confirmed:
		return s.complete(ctx, snap.ID)
	}
	return nil
}

func (s *Service) resumePending(ctx context.Context, snap domain.Snapshot, asked time.Time, attempts int) error {
	limit := asked.Add(s.limits.Hold)
	if !s.now().Before(limit) {
		return s.giveUp(ctx, snap.ID)
	}
	result, err := s.inquire(ctx, snap.ID)
	if err == nil {
		switch result.Status {
		case contract.PaymentIsApproved:
			_, _, err := s.settle(ctx, snap.ID, Outcome{Kind: Approved, Result: result}, "")
			return err
		case contract.PaymentIsDeclined, contract.PaymentIsVoided:
			_, _, err := s.settle(ctx, snap.ID, Outcome{Kind: Declined, Result: result}, "")
			return err
		}
	}
	next := s.now().Add(min(firstInquiry<<min(attempts, 10), lastInquiry))
	if next.After(limit) {
		next = limit
	}
	return s.reservations.Update(ctx, snap.ID, func(r *domain.Reservation, _ *domain.Departure) (*Change, error) {
		if r.Status() != domain.Pending {
			return nil, nil
		}
		return &Change{Next: next, Tried: true}, nil
	})
}

// inquire asks what became of the payment, and leaves time to write it.
func (s *Service) inquire(ctx context.Context, id domain.ReservationID) (contract.PaymentResult, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limits.Call)
	defer cancel()
	return s.payments.Inquire(ctx, contract.InquiryRequest{ReservationID: string(id), Purpose: contract.PurposePrice})
}

// giveUp ends the wait for a payment. The event carries a void order: whatever payment finds is returned.
func (s *Service) giveUp(ctx context.Context, id domain.ReservationID) error {
	now := s.now()
	defer s.committed()
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if r.Status() != domain.Pending {
			return nil, nil
		}
		if err := r.Reject(d, domain.Rejection{Actor: appID, Cause: domain.CauseHoldLimit, Void: true, At: now}); err != nil {
			return nil, err
		}
		return s.told(ctx, now, r, d, string(id))
	})
}

// resumeVoid asks whether a void order was obeyed and repeats it when it was not. NONE is an answer as well:
// the call that could have charged was over long before the first reminder.
func (s *Service) resumeVoid(ctx context.Context, id domain.ReservationID, attempts int) error {
	result, err := s.inquire(ctx, id)
	if err == nil {
		switch result.Status {
		case contract.PaymentIsVoided, contract.PaymentIsDeclined, contract.PaymentNone:
			return s.voidObeyed(ctx, id)
		}
	}
	return s.announceAgain(ctx, id, attempts)
}

// announceAgain says once more that refunds or a void are awaited, each time after twice as long; payment
// answers for what is already done.
func (s *Service) announceAgain(ctx context.Context, id domain.ReservationID, attempts int) error {
	now := s.now()
	next := now.Add(min(s.limits.Resend<<min(attempts+1, 12), lastResend))
	defer s.committed()
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if !r.RefundsOpen() && !r.VoidOpen() {
			return nil, nil
		}
		messages, err := s.announce(ctx, now, r, d, string(id))
		return &Change{Messages: messages, Next: next, Tried: true}, err
	})
}

func (s *Service) complete(ctx context.Context, id domain.ReservationID) error {
	now := s.now()
	defer s.committed()
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		if r.Status() != domain.Confirmed {
			return nil, nil
		}
		if err := r.Complete(d, now); err != nil {
			return nil, err
		}
		return s.told(ctx, now, r, d, string(id))
	})
}
