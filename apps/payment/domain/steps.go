package domain

import (
	"time"

	"oneqtour/apps/internal/money"
)

// Step is one line of the timeline of a reservation's payments, for operators. Steps are only ever added. That
// a payment was requested is none of them: its own row says so.
type Step struct {
	At       time.Time
	Kind     StepKind
	Status   string    // of the payment or the refund, after the step
	Amount   money.KRW // of the charge or the refund; 0 says nothing
	RefundID RefundID
	Cause    Cause
	Detail   string // a code, a bank reference, the text of an alarm; never a token, never a key of the provider
	Actor    string // subject of the operator, where one did it
}

// StepKind is what a step is about.
type StepKind string

// The kinds.
const (
	StepPayment StepKind = "PAYMENT"
	StepRefund  StepKind = "REFUND"
	StepAlarm   StepKind = "ALARM"
)

// forgottenStatus is said, in the timeline alone, of an attempt that certainly never left.
const forgottenStatus = "NOT_SENT"

func (p *Payment) step(m Moment, s Step) {
	s.At = m.Now
	p.steps = append(p.steps, s)
}

func (p *Payment) refundStep(m Moment, r Refund, detail, actor string) {
	p.step(m, Step{Kind: StepRefund, Status: string(r.Status), Amount: r.Amount, RefundID: r.ID, Cause: r.Cause,
		Detail: detail, Actor: actor})
}

// Steps are what has to be added to the timeline.
func (p *Payment) Steps() []Step { return p.steps }
