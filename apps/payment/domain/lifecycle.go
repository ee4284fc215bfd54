package domain

import (
	"fmt"
	"slices"
)

// Status is where a payment stands.
type Status string

// The states. DECLINED and VOIDED are final.
const (
	Requested Status = "REQUESTED" // stored; the provider may have been called
	Approved  Status = "APPROVED"
	Declined  Status = "DECLINED"
	Unknown   Status = "UNKNOWN" // the provider's answer did not come
	Voiding   Status = "VOIDING" // nothing may stay charged
	Voided    Status = "VOIDED"  // nothing is charged
)

// transitions are all that can happen to a payment. A REQUESTED or UNKNOWN one whose call certainly never
// left is forgotten instead: its row goes.
var transitions = map[Status][]Status{
	"":        {Requested, Voided},
	Requested: {Approved, Declined, Unknown, Voiding},
	Unknown:   {Approved, Declined, Voiding},
	Approved:  {Voiding},
	Voiding:   {Voided},
}

func (p *Payment) move(to Status, m Moment) error {
	if !slices.Contains(transitions[p.status], to) {
		return fmt.Errorf("payment %s: no way from %q to %q", p.id, p.status, to)
	}
	p.status = to
	p.version++
	p.attempts, p.next = 0, m.Now
	if to != Requested {
		p.step(m, Step{Kind: StepPayment, Status: string(to), Amount: p.charged, Detail: p.declineCode})
	}
	switch to {
	case Approved:
		p.next = never
		p.raise(WasApproved)
	case Declined:
		p.final(m)
		p.raise(WasDeclined)
	case Voided:
		p.final(m)
		p.raise(WasVoided)
	}
	return nil
}
