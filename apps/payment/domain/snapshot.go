package domain

import (
	"slices"
	"time"

	"oneqtour/apps/internal/money"
)

// Snapshot is a payment as it is stored; the one way in and out.
type Snapshot struct {
	ID            PaymentID
	Reservation   ReservationID
	Purpose       Purpose
	Method        string
	Amount        money.KRW
	Status        Status
	DeclineCode   string
	Charged       money.KRW
	Version       int64
	CorrelationID string
	CausationID   string
	RequestedAt   time.Time // zero: never requested
	FinalAt       time.Time // zero: not final
	Attempts      int
	Next          time.Time // zero: nothing to do
	AlarmedAt     time.Time // zero: nobody was told that the provider does not know it
	ChargedLater  bool      // when it was declined or voided already
	Refunds       []Refund  // in the order in which they were asked for
}

// Snapshot copies the payment out.
func (p *Payment) Snapshot() Snapshot {
	return Snapshot{
		ID: p.id, Reservation: p.reservation, Purpose: p.purpose, Method: p.method, Amount: p.amount,
		Status: p.status, DeclineCode: p.declineCode, Charged: p.charged, Version: p.version,
		CorrelationID: p.correlationID, CausationID: p.causationID, RequestedAt: p.requestedAt,
		FinalAt: p.finalAt, Attempts: p.attempts, Next: p.next, AlarmedAt: p.alarmedAt,
		ChargedLater: p.chargedLater, Refunds: slices.Clone(p.refunds),
	}
}

// Restore makes the payment that a snapshot was taken of.
func Restore(s Snapshot) *Payment {
	return &Payment{
		id: s.ID, reservation: s.Reservation, purpose: s.Purpose, method: s.Method, amount: s.Amount,
		status: s.Status, declineCode: s.DeclineCode, charged: s.Charged, version: s.Version,
		correlationID: s.CorrelationID, causationID: s.CausationID, requestedAt: s.RequestedAt,
		finalAt: s.FinalAt, attempts: s.Attempts, next: s.Next, alarmedAt: s.AlarmedAt,
		chargedLater: s.ChargedLater, refunds: slices.Clone(s.Refunds),
	}
}
