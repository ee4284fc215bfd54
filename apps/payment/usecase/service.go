// Package usecase is what happens to payments, in order: one method a file. The provider is called only after
// the intent is stored, outside every transaction; what it says is stored in one transaction with the events.
package usecase

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
)

// Change applies something to a payment and gives the events to store with it. It may run more than once,
// each time on a fresh copy, and must do nothing else.
type Change func(p *domain.Payment) ([]contract.Event, error)

// Payments keeps payments. Absent ones are domain.ErrNotFound.
type Payments interface {
	// Add stores a new payment; domain.ErrExists when there is one of this reservation and purpose,
	// domain.ErrNotStored when it certainly is not stored. Any other error leaves it open whether it is.
	Add(ctx context.Context, p *domain.Payment, events []contract.Event) error
	Get(ctx context.Context, id domain.PaymentID) (*domain.Payment, error)
	Find(ctx context.Context, r domain.ReservationID, p domain.Purpose) (*domain.Payment, error)
	// Change changes a payment that the caller holds, without reading it again when nobody else has changed
	// it; it gives the payment as it is stored now.
	Change(ctx context.Context, held *domain.Payment, change Change) (*domain.Payment, error)
	// Update locks a payment and changes it.
	Update(ctx context.Context, id domain.PaymentID, change Change) (*domain.Payment, error)
}

// Books are read for operators and for the reconciliation.
type Books interface {
	// Timeline gives what has happened to the payments of a reservation, oldest first.
	Timeline(ctx context.Context, r domain.ReservationID) ([]TimelineStep, error)
	// Refunds lists at most limit refunds of a status, by id, behind the id after.
	Refunds(ctx context.Context, s domain.RefundStatus, after domain.RefundID, limit int) ([]RefundOf, error)
	// OfRefund finds the payment of a refund; domain.ErrNotFound.
	OfRefund(ctx context.Context, id domain.RefundID) (domain.PaymentID, error)
	// MovedBetween lists, sorted, at most limit order ids behind after that were requested, or had a refund requested,
	// retried, returned or settled, from from until before to.
	MovedBetween(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error)
	// RefundsMoved says when the refunds of the orders have moved the last time.
	RefundsMoved(ctx context.Context, orders []string) (map[domain.RefundID]time.Time, error)
	// OfOrders reads the payments of order ids, by order id.
	OfOrders(ctx context.Context, orders []string) (map[string]domain.Snapshot, error)
}

// Agenda says which payments must be looked at.
type Agenda interface {
	// Claim leases at most limit payments that are due, for long enough to call the provider twice.
	Claim(ctx context.Context, now time.Time, limit int) ([]domain.PaymentID, error)
	// Hurry makes a payment due, unless it is settled. It says whether there is one.
	Hurry(ctx context.Context, r domain.ReservationID, p domain.Purpose, at time.Time) (bool, error)
}

// Provider charges and returns money.
type Provider interface {
	Confirm(ctx context.Context, p *domain.Payment, token domain.Token) domain.Reply
	Cancel(ctx context.Context, c domain.Charge, r domain.Refund) domain.Reply
	Find(ctx context.Context, orderID string) domain.Reply
	// Transactions lists what was charged and returned from from until before to, oldest first: at most limit, behind
	// the transaction after.
	Transactions(ctx context.Context, from, to time.Time, after string, limit int) ([]domain.Transaction, error)
}

// Settings of the service.
type Settings struct {
	Pace         domain.Pace
	AnswerWithin time.Duration // after which a caller hears UNKNOWN although the provider is still at work
}

// Clock and ids, given from outside.
type (
	Clock func() time.Time
	NewID func() string // UUIDv7
)

// Service is all use cases.
type Service struct {
	payments Payments
	agenda   Agenda
	books    Books
	provider Provider
	settings Settings
	clock    Clock
	newID    NewID
	wake     chan struct{} // there is something to resume
	calls    sync.WaitGroup
	doubts   doubts
}

// Ports are what the service needs from outside.
type Ports struct {
	Payments Payments
	Agenda   Agenda
	Books    Books
	Provider Provider
	Clock    Clock
	NewID    NewID
}

// New makes the service.
func New(p Ports, s Settings) *Service {
	return &Service{
		payments: p.Payments, agenda: p.Agenda, books: p.Books, provider: p.Provider,
		clock: p.Clock, newID: p.NewID, settings: s, wake: make(chan struct{}, 1),
	}
}

// Drain waits until every charge that is under way has been answered and stored. Call it when no request can
// come in any more.
func (s *Service) Drain() { s.calls.Wait() }

// moment is now, cut to what the database keeps.
func (s *Service) moment() domain.Moment {
	return domain.Moment{
		Now: s.clock().UTC().Truncate(time.Microsecond), FreshID: domain.RefundID(s.newID()), Pace: s.settings.Pace,
	}
}

// committed tells the workers of what is due and, for what must not pass unseen, the log.
func (s *Service) committed(ctx context.Context, p *domain.Payment, m domain.Moment) {
	if p.Due(m.Now) {
		s.rouse()
	}
	for _, text := range p.Alarms() {
		zerolog.Ctx(ctx).Error().Str("paymentId", string(p.ID())).Str("orderId", p.OrderID()).
			Str("status", string(p.Status())).Msg("OPERATOR: " + text)
	}
}

// trouble logs why the provider did not answer.
func trouble(ctx context.Context, p *domain.Payment, what string, r domain.Reply) {
	if r.Cause != nil {
		zerolog.Ctx(ctx).Warn().AnErr("cause", r.Cause).Str("paymentId", string(p.ID())).Msg(what)
	}
}

func (s *Service) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
