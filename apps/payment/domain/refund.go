package domain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"oneqtour/apps/internal/money"
)

// There is one refund per (payment, cause). Its id stands in the reason of the provider's own record, by which it
// is recognised whatever the key of the call was. All refunds together never exceed what was charged; one
// that is stuck counts. 0 won is done at birth.

// Cause is why money goes back.
type Cause string

// The causes.
const (
	CauseCancellation Cause = "CANCELLATION" // the reservation was cancelled
	CauseVoid         Cause = "VOID"         // the charge must not stand
	CauseWaiver       Cause = "WAIVER"       // the fee of a cancellation was waived later
)

// Asked says whether a reservation may ask for a refund of this cause. What must not stand goes back unasked.
func (c Cause) Asked() bool { return c == CauseCancellation || c == CauseWaiver }

// RefundStatus is where a refund stands.
type RefundStatus string

// REQUESTED → DONE | STUCK. A stuck one was refused for good; people have it tried again or settle it.
const (
	RefundRequested RefundStatus = "REQUESTED"
	RefundDone      RefundStatus = "DONE"
	RefundStuck     RefundStatus = "STUCK"
)

// Valid says whether there is such a status.
func (s RefundStatus) Valid() bool {
	return s == RefundRequested || s == RefundDone || s == RefundStuck
}

// Refund is money that goes back.
type Refund struct {
	ID          RefundID
	Cause       Cause
	Amount      money.KRW
	Status      RefundStatus
	Code        string // why it is stuck
	CausationID string // the event that asked for it
	RequestedAt time.Time
	Retries     int       // how often an operator had the provider asked again
	Reference   string    // of the bank transfer by which it was settled
	SettledBy   string    // subject of the operator
	SettledAt   time.Time // zero: not settled by hand
}

// Key of the call that asks the provider. It keeps the answer to a key, a refusal too, so a retry has its own.
func (r Refund) Key() string {
	if r.Retries == 0 {
		return string(r.ID)
	}
	return string(r.ID) + ":" + strconv.Itoa(r.Retries)
}

// Reason is what the provider is told; it names the refund.
func (r Refund) Reason() string {
	return "oneqtour " + strings.ToLower(string(r.Cause)) + " " + string(r.ID)
}

// Refund returns an amount of an approved payment because a reservation asks for it; r.Status is what the
// reservation believes of it. Asked again it is a success, and what has become of it is said again when the
// reservation believes something else: the first word of it may be lost. ErrNotRefundable, ErrTooMuch.
func (p *Payment) Refund(r Refund, m Moment) error {
	if known, ok := p.refundFor(r.Cause); ok {
		if known.ID != r.ID || known.Amount != r.Amount {
			p.alarms = append(p.alarms, "another refund was asked for the same cause; the first one holds")
		}
		p.sayAgain(known, r.Status)
		return nil
	}
	if p.status != Approved {
		return fmt.Errorf("payment %s is %s: %w", p.id, p.status, ErrNotRefundable)
	}
	if r.Amount < 0 || p.refunded()+r.Amount > p.charged {
		return fmt.Errorf("payment %s, refund of %d won: %w", p.id, r.Amount, ErrTooMuch)
	}
	p.addRefund(r, m)
	if r.Amount == 0 {
		p.raise(WasRefunded)
	}
	return nil
}

func (p *Payment) sayAgain(known Refund, believed RefundStatus) {
	switch {
	case known.Status == believed:
	case known.Status == RefundDone:
		p.raise(WasRefunded)
	case known.Status == RefundStuck:
		p.raise(WasStuck)
	}
}

func (p *Payment) addRefund(r Refund, m Moment) {
	r.Status, r.RequestedAt = RefundRequested, m.Now
	if r.Amount == 0 {
		r.Status = RefundDone
	} else {
		p.attempts, p.next = 0, m.Now
	}
	p.refunds = append(p.refunds, r)
	p.version++
	p.refundStep(m, r, "", "")
}

// OpenRefund is the refund that the provider must be called for next.
func (p *Payment) OpenRefund() (Refund, bool) {
	for _, r := range p.refunds {
		if r.Status == RefundRequested {
			return r, true
		}
	}
	return Refund{}, false
}

// RefundSeen reads the refunds that the provider lists before it is asked for one. It says whether the provider
// must be asked.
func (p *Payment) RefundSeen(id RefundID, seen Reply, m Moment) (ask bool, err error) {
	r, i := p.refund(id)
	if i < 0 || r.Status != RefundRequested {
		return false, nil
	}
	switch c := seen.Charge; {
	case seen.Kind != Answered || c.OrderID != p.OrderID():
		p.again(m.Now)
		return false, nil
	case c.lists(r), r.Cause == CauseVoid && c.over():
		return false, p.refundDone(i, m)
	case c.Balance < r.Amount:
		return false, p.refundStuck(i, "BALANCE_TOO_SMALL", m)
	}
	return true, nil
}

// RefundReplied applies what came of asking the provider for a refund.
func (p *Payment) RefundReplied(id RefundID, reply Reply, m Moment) error {
	r, i := p.refund(id)
	if i < 0 || r.Status != RefundRequested {
		return nil
	}
	switch {
	case reply.Kind == Answered && reply.Charge.lists(r):
		return p.refundDone(i, m)
	case reply.Kind == Refused && refundRefusals[reply.Code]:
		return p.refundStuck(i, reply.Code, m)
	}
	p.again(m.Now)
	return nil
}

// lists says whether the refund is among those that the provider has made.
func (c Charge) lists(r Refund) bool {
	for _, back := range c.Cancels {
		if back.Reason == r.Reason() && back.Amount == r.Amount {
			return true
		}
	}
	return false
}

func (p *Payment) refundDone(i int, m Moment) error {
	p.refunds[i].Status = RefundDone
	p.version++
	r := p.refunds[i]
	p.refundStep(m, r, r.Reference, r.SettledBy)
	p.afterRefund(m)
	if p.status == Voiding {
		return p.closeVoid(m)
	}
	p.raise(WasRefunded)
	return nil
}

func (p *Payment) refundStuck(i int, code string, m Moment) error {
	p.refunds[i].Status, p.refunds[i].Code = RefundStuck, code
	p.version++
	p.refundStep(m, p.refunds[i], code, "")
	p.alarm("refund "+string(p.refunds[i].ID)+" was refused for good: "+code, m)
	p.raise(WasStuck)
	p.afterRefund(m)
	return nil
}

func (p *Payment) afterRefund(m Moment) {
	p.attempts, p.next = 0, never
	if _, open := p.OpenRefund(); open {
		p.next = m.Now
	} else if p.status == Declined || p.status == Voided {
		p.watch(m)
	}
}

func (p *Payment) refundFor(c Cause) (Refund, bool) {
	for _, r := range p.refunds {
		if r.Cause == c {
			return r, true
		}
	}
	return Refund{}, false
}

func (p *Payment) refund(id RefundID) (Refund, int) {
	for i, r := range p.refunds {
		if r.ID == id {
			return r, i
		}
	}
	return Refund{}, -1
}

// refunded is what was returned or is to be, in won.
func (p *Payment) refunded() money.KRW {
	var sum money.KRW
	for _, r := range p.refunds {
		sum += r.Amount
	}
	return sum
}
