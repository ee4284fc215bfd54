// Package domain is what is true of payments and refunds. One payment exists per (reservation, purpose). Its
// amount, its id at the provider and its key are stored before the provider is called, and whatever the
// provider says is compared with them.
package domain

import (
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
)

// Card is the one method that a provider is called for.
const Card = "CARD"

// What may be charged at once, in won: the provider's minimum, and 99 travellers of the dearest product.
const (
	minAmount money.KRW = 100
	maxAmount money.KRW = 99 * 100_000_000
)

// Moment is what a change needs from outside.
type Moment struct {
	Now     time.Time // UTC, whole microseconds
	FreshID RefundID  // for the refund that the change may bring about
	Pace    Pace
}

// Happening is something that others must hear of.
type Happening string

// What can happen.
const (
	WasApproved Happening = "approved"
	WasDeclined Happening = "declined"
	WasVoided   Happening = "voided"
	WasRefunded Happening = "refunded"
	WasStuck    Happening = "refund-stuck"
)

// Payment is the aggregate: a payment and its refunds.
type Payment struct {
	id            PaymentID
	reservation   ReservationID
	purpose       Purpose
	method        string
	amount        money.KRW
	status        Status
	declineCode   string
	charged       money.KRW // what the provider says it took
	version       int64
	correlationID string
	causationID   string
	requestedAt   time.Time // zero: never requested, only forbidden
	finalAt       time.Time
	attempts      int
	next          time.Time // when resume must look at it; never: not at all
	alarmedAt     time.Time // zero: nobody was told yet that the provider does not know it
	chargedLater  bool      // when it was declined or voided already
	refunds       []Refund

	forgotten bool
	happened  []Happening
	alarms    []string
	steps     []Step
}

// Intent is a wish to charge.
type Intent struct {
	ID            PaymentID
	Reservation   ReservationID
	Purpose       Purpose
	Method        string
	Amount        money.KRW
	CorrelationID string
	CausationID   string
}

// Request makes the payment that is stored before the provider is called. fault.Invalid names what is wrong.
func Request(i Intent, m Moment) (*Payment, error) {
	var wrong fault.Fields
	wrong.Check(i.Reservation.Valid(), "reservationId", fault.BadFormat, "")
	wrong.Check(i.Purpose.Valid(), "purpose", fault.NotAllowed, "")
	wrong.Check(i.Method == Card, "method", fault.NotAllowed, Card)
	wrong.Check(i.Amount >= minAmount && i.Amount <= maxAmount, "amount", fault.OutOfRange, "100..9900000000")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	p := &Payment{
		id: i.ID, reservation: i.Reservation, purpose: i.Purpose, method: i.Method, amount: i.Amount,
		correlationID: i.CorrelationID, causationID: i.CausationID, requestedAt: m.Now,
	}
	if err := p.move(Requested, m); err != nil {
		return nil, err
	}
	// If this process dies now, resume finds the row when the call can no longer be on its way.
	p.next = m.Now.Add(m.Pace.InFlight)
	return p, nil
}

// ID of the payment, and its Idempotency-Key at the provider.
func (p *Payment) ID() PaymentID { return p.id }

// OrderID is the payment's id at the provider.
func (p *Payment) OrderID() string { return OrderID(p.reservation, p.purpose) }

// Amount in won.
func (p *Payment) Amount() money.KRW { return p.amount }

// Status of the payment.
func (p *Payment) Status() Status { return p.status }

// Version is raised by every change that others may see.
func (p *Payment) Version() int64 { return p.version }

// CorrelationID of the reservation.
func (p *Payment) CorrelationID() string { return p.correlationID }

// Forgotten says that the payment's one call certainly never left, so that it may be asked for again.
func (p *Payment) Forgotten() bool { return p.forgotten }

// Same says whether a repeated request means this payment. A payment that was forbidden before it was
// requested means any.
func (p *Payment) Same(i Intent) bool {
	return p.requestedAt.IsZero() || p.amount == i.Amount && p.method == i.Method
}

// Told is the state as reservation is told it: a charge of another amount is being returned and counts as
// declined.
func (p *Payment) Told() Status {
	if p.declineCode != "" && (p.status == Voiding || p.status == Voided) {
		return Declined
	}
	return p.status
}

// Answer is Told for the request to charge, which has an answer only when nothing is open: ErrNotSent,
// ErrUnknown. A payment that must not stand is as good as voided.
func (p *Payment) Answer() (Status, error) {
	switch told := p.Told(); {
	case p.forgotten:
		return "", ErrNotSent
	case told == Voiding:
		return Voided, nil
	case told == Requested, told == Unknown:
		return "", ErrUnknown
	default:
		return told, nil
	}
}

func (p *Payment) raise(h Happening) { p.happened = append(p.happened, h) }

// Answered says that whoever asked for the charge is still there to be told: of an approval or a refusal alone, nobody
// else must hear.
func (p *Payment) Answered() {
	if len(p.happened) == 1 && (p.happened[0] == WasApproved || p.happened[0] == WasDeclined) {
		p.happened = nil
	}
}

// Happened hands over what others must hear of, once.
func (p *Payment) Happened() []Happening {
	h := p.happened
	p.happened = nil
	return h
}

// alarm is for an operator, in the log and in the timeline.
func (p *Payment) alarm(text string, m Moment) {
	p.alarms = append(p.alarms, text)
	p.step(m, Step{Kind: StepAlarm, Status: string(p.status), Detail: text})
}

// Alarms are what an operator must hear of.
func (p *Payment) Alarms() []string { return p.alarms }
