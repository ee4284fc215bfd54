package usecase

import (
	"context"
	"slices"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// PaymentDesk is what payment answers to operators. Its refusals are passed on; UNAVAILABLE when it is silent.
type PaymentDesk interface {
	Timeline(ctx context.Context, reservationID string) ([]contract.PaymentStep, error)
	ListRefunds(ctx context.Context, r contract.RefundListRequest) (contract.RefundList, error)
	RetryRefund(ctx context.Context, r contract.RefundRetryRequest) (contract.RefundItem, error)
	SettleRefund(ctx context.Context, r contract.RefundSettlementRequest) (contract.RefundItem, error)
	Reconcile(ctx context.Context, r contract.ReconcileRequest) (contract.Reconciliation, error)
}

// Operations reads reservations with their appointments.
type Operations interface {
	// Unfinished are reservations that wait for payment, the oldest first: PENDING, CANCEL_REQUESTED, an
	// unanswered void order, an open refund of a waiver.
	Unfinished(ctx context.Context, after Page) ([]Tracked, error)
	Track(ctx context.Context, id domain.ReservationID) (Tracked, error)
	// WithWaiver are reservations whose waiver is in that state, by when it was opened.
	WithWaiver(ctx context.Context, status domain.WaiverStatus, after Page) ([]*domain.Reservation, error)
}

// Tracked is a reservation with its place on the agenda.
type Tracked struct {
	Reservation *domain.Reservation
	Attempts    int
	Next        *time.Time // nil: nothing left to do
}

// Watched is a reservation as operators see it.
type Watched struct {
	contract.ReservationState
	Since         time.Time         `json:"since"` // of the present state
	VoidOrder     domain.VoidStatus `json:"voidOrder,omitempty"`
	Attempts      int               `json:"attempts"`
	NextAttemptAt *time.Time        `json:"nextAttemptAt"`
}

// Stuck lists what has waited for payment for longer than that, the oldest reservation first.
func (s *Service) Stuck(ctx context.Context, longer time.Duration, after Page) ([]Watched, error) {
	limit, before := after.Limit, s.now().Add(-longer)
	found := []Watched{}
	for {
		batch, err := s.operations.Unfinished(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, t := range batch {
			if w := watched(t); !w.Since.After(before) && len(found) < limit {
				found = append(found, w)
			}
		}
		if len(batch) < after.Limit || len(found) == limit {
			return found, nil
		}
		last := batch[len(batch)-1].Reservation.Snapshot()
		after.Before, after.BeforeID = last.CreatedAt, last.ID
	}
}

func watched(t Tracked) Watched {
	return Watched{ReservationState: State(t.Reservation), Since: t.Reservation.Since(), VoidOrder: t.Reservation.Snapshot().VoidOrder,
		Attempts: t.Attempts, NextAttemptAt: t.Next}
}

// TimelineItem is one thing that happened to a reservation or to its payments.
type TimelineItem struct {
	At       time.Time  `json:"at"`
	App      string     `json:"app"`
	Kind     string     `json:"kind"`
	Purpose  string     `json:"purpose,omitempty"`
	From     string     `json:"from,omitempty"`
	Status   string     `json:"status"` // afterwards
	Actor    string     `json:"actor,omitempty"`
	Cause    string     `json:"cause,omitempty"`
	Amount   *money.KRW `json:"amount,omitempty"`
	RefundID string     `json:"refundId,omitempty"`
	Detail   string     `json:"detail,omitempty"`
}

// Story is a reservation with all that happened.
type Story struct {
	Watched
	Waiver             *domain.Waiver `json:"waiver,omitempty"` // with note and operator
	Timeline           []TimelineItem `json:"timeline"`
	TimelineIncomplete bool           `json:"timelineIncomplete,omitempty"` // payment did not answer
}

// Story tells what happened to a reservation and to its payments, in the order of time. NOT_FOUND.
func (s *Service) Story(ctx context.Context, id domain.ReservationID) (Story, error) {
	tracked, err := s.operations.Track(ctx, id)
	if err != nil {
		return Story{}, err
	}
	snap := tracked.Reservation.Snapshot()
	story := Story{Watched: watched(tracked), Waiver: snap.Waiver, Timeline: []TimelineItem{}}
	for _, e := range snap.History {
		story.Timeline = append(story.Timeline, TimelineItem{At: e.At, App: appID, Kind: e.Kind, From: string(e.From), Status: string(e.To),
			Actor: e.Actor, Cause: e.Cause, Amount: e.Amount})
	}
	steps, err := s.desk.Timeline(ctx, string(id))
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Str("reservationId", string(id)).Msg("timeline without payment's part")
		story.TimelineIncomplete = true
	}
	for _, p := range steps {
		item := TimelineItem{At: p.At, App: "payment", Kind: p.Kind, Purpose: p.Purpose, Status: p.Status, Actor: p.Actor, Cause: p.Cause,
			RefundID: p.RefundID, Detail: p.Detail}
		if p.Amount != 0 {
			item.Amount = &p.Amount
		}
		story.Timeline = append(story.Timeline, item)
	}
	slices.SortStableFunc(story.Timeline, func(a, b TimelineItem) int { return a.At.Compare(b.At) })
	return story, nil
}

// ListRefunds lists payment's refunds of a state; next is empty at the end.
func (s *Service) ListRefunds(ctx context.Context, r contract.RefundListRequest) (contract.RefundList, error) {
	return s.desk.ListRefunds(ctx, r)
}

// RetryRefund has payment ask the provider again. NOT_FOUND, NOT_STUCK.
func (s *Service) RetryRefund(ctx context.Context, actor, refundID string) (contract.RefundItem, error) {
	return s.desk.RetryRefund(ctx, contract.RefundRetryRequest{RefundID: refundID, Actor: actor})
}

// SettleRefund records that a stuck refund was paid by bank transfer. NOT_FOUND, NOT_STUCK. The reservation hears of it
// by payment's event, as of every refund, so that it is written down once.
func (s *Service) SettleRefund(ctx context.Context, actor, refundID, reference string) (contract.RefundItem, error) {
	return s.desk.SettleRefund(ctx, contract.RefundSettlementRequest{RefundID: refundID, Reference: reference, Actor: actor})
}
