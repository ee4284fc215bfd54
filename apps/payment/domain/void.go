package domain

// A void order says that nothing of a reservation may stay charged. It is obeyed in every state, also when it
// comes before the request, which then finds the payment VOIDED and calls nobody.

// Forbid makes the payment that stands in the way of a request that has not come yet.
func Forbid(i Intent, m Moment) (*Payment, error) {
	p := &Payment{
		id: i.ID, reservation: i.Reservation, purpose: i.Purpose, method: Card,
		correlationID: i.CorrelationID, causationID: i.CausationID,
	}
	// Never requested, so certainly not charged: this is proof enough.
	return p, p.move(Voided, m)
}

// Void obeys a void order. causation is the id of the event that brought it.
func (p *Payment) Void(causation string, m Moment) error {
	switch p.status {
	case Declined, Voiding, Voided:
		return nil
	}
	wasApproved := p.status == Approved
	p.causationID = causation
	if err := p.move(Voiding, m); err != nil {
		return err
	}
	if wasApproved {
		p.addRefund(Refund{ID: m.FreshID, Cause: CauseVoid, Amount: p.charged - p.refunded(), CausationID: causation}, m)
		return p.closeVoid(m)
	}
	return nil
}

// takeBack returns in full what the provider has taken.
func (p *Payment) takeBack(c Charge, m Moment) {
	if _, asked := p.refundFor(CauseVoid); asked {
		p.next = m.Now
		return
	}
	p.charged = c.Total
	taken := c.Balance
	if c.State == "DONE" {
		taken = c.Total
	}
	p.addRefund(Refund{ID: m.FreshID, Cause: CauseVoid, Amount: taken, CausationID: p.causationID}, m)
}

// foundLater: a charge of a payment that is final changes no state; it goes back at once, and is remembered for the
// comparison of books, where nothing else would tell it from a void in good order.
func (p *Payment) foundLater(c Charge, m Moment) {
	r, asked := p.refundFor(CauseVoid)
	switch {
	case !asked:
		p.alarm("a "+string(p.status)+" payment was charged after all; it is returned in full", m)
		p.chargedLater = true
		p.takeBack(c, m)
	case r.Status == RefundRequested:
		p.next = m.Now
	case !r.SettledAt.IsZero(): // it went back by bank transfer, of which the provider knows nothing
		p.watch(m)
	default:
		p.alarm("a "+string(p.status)+" payment is charged although its refund is "+string(r.Status), m)
		p.watch(m)
	}
}

// closeVoid ends a void when all its money is back.
func (p *Payment) closeVoid(m Moment) error {
	if p.status != Voiding {
		return nil
	}
	for _, r := range p.refunds {
		if r.Status != RefundDone {
			return nil
		}
	}
	return p.move(Voided, m)
}
