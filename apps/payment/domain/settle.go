package domain

import "time"

// A payment is APPROVED only when the provider says done, of our order id and exactly our amount; DECLINED
// only by a listed refusal or by the provider's own final word; everything else leaves it UNKNOWN.

// Replied applies what came of the request to charge.
func (p *Payment) Replied(r Reply, m Moment) error {
	switch r.Kind {
	case NotSent:
		return p.neverLeft(m)
	case Refused:
		if declines[r.Code] {
			return p.nothingCharged(r.Code, m)
		}
		return p.doubt(m)
	case Answered:
		return p.learn(r.Charge, m)
	default:
		return p.doubt(m)
	}
}

// Inquired applies what came of asking for the payment by its order id.
func (p *Payment) Inquired(r Reply, m Moment) error {
	switch r.Kind {
	case Answered:
		return p.learn(r.Charge, m)
	case NotFound:
		return p.unheardOf(m)
	default: // that a question was refused or did not leave says nothing about the charge
		return p.doubt(m)
	}
}

// learn compares what the provider says with what was stored.
func (p *Payment) learn(c Charge, m Moment) error {
	switch {
	case c.OrderID != p.OrderID():
		return p.doubt(m)
	case c.stands():
		return p.isCharged(c, m)
	case c.over():
		code := c.Failure
		if code == "" {
			code = c.State
		}
		return p.nothingCharged(code, m)
	default:
		return p.doubt(m)
	}
}

func (p *Payment) isCharged(c Charge, m Moment) error {
	switch p.status {
	case Requested, Unknown:
		if c.State == "DONE" && c.Total == p.amount {
			p.charged = c.Total
			return p.move(Approved, m)
		}
		p.declineCode = AmountMismatch
		p.alarm("the provider charged another amount; it is returned in full", m)
		if err := p.move(Voiding, m); err != nil {
			return err
		}
		p.takeBack(c, m)
		return p.closeVoid(m)
	case Voiding:
		p.takeBack(c, m)
		return p.closeVoid(m)
	case Declined, Voided:
		p.foundLater(c, m)
	}
	return nil
}

// nothingCharged is the provider's word that no money is taken and none will be.
func (p *Payment) nothingCharged(code string, m Moment) error {
	switch p.status {
	case Requested, Unknown:
		p.declineCode = code
		return p.move(Declined, m)
	case Voiding:
		return p.move(Voided, m)
	case Declined, Voided:
		p.watch(m)
	}
	return nil
}

// unheardOf: nothing is charged as far as the provider knows. That proves something only when the request can
// no longer be on its way, and even then an undecided payment waits: the void order of its reservation ends it.
func (p *Payment) unheardOf(m Moment) error {
	landed := p.requestedAt.Add(m.Pace.InFlight)
	switch p.status {
	case Requested, Voiding:
		if m.Now.Before(landed) {
			p.next = earlier(landed, m.Now.Add(longPause))
			return nil
		}
		if p.status == Voiding {
			return p.move(Voided, m)
		}
		return p.doubt(m)
	case Unknown:
		p.tellOfAge(m)
		return p.doubt(m)
	case Declined, Voided:
		p.watch(m)
	}
	return nil
}

// tellOfAge tells an operator, once, of a payment that nobody has ended: its reservation should have been decided
// long ago. It is asked for all the same.
func (p *Payment) tellOfAge(m Moment) {
	if p.alarmedAt.IsZero() && !m.Now.Before(p.requestedAt.Add(tooOld)) {
		p.alarmedAt = m.Now
		p.alarm("an unknown payment is older than 24 hours, the provider does not know it and no void order has come", m)
	}
}

// doubt leaves the question open and asks again.
func (p *Payment) doubt(m Moment) error {
	if p.status == Requested {
		if err := p.move(Unknown, m); err != nil {
			return err
		}
	}
	if p.status != Approved {
		p.again(m.Now)
	}
	return nil
}

// neverLeft: the only call of this payment was certainly not made. It is forgotten, so that the reservation may
// try again; one that was forbidden meanwhile is voided by this proof.
func (p *Payment) neverLeft(m Moment) error {
	switch p.status {
	case Requested, Unknown:
		p.forgotten = true
		p.step(m, Step{Kind: StepPayment, Status: forgottenStatus})
	case Voiding:
		return p.move(Voided, m)
	}
	return nil
}

// NeedsInquiry says whether the provider must be asked for the payment.
func (p *Payment) NeedsInquiry() bool {
	if p.status == Voiding {
		_, known := p.refundFor(CauseVoid)
		return !known // afterwards the refund is what is open
	}
	return p.status != Approved && !p.requestedAt.IsZero()
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
