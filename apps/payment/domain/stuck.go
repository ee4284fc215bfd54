package domain

import (
	"strconv"
	"unicode/utf8"

	"oneqtour/apps/internal/fault"
)

// A stuck refund is settled by people: they have the provider asked again, or pay by bank transfer and record the
// reference. Both leave the refund in the sum that never exceeds what was charged.

// Retry has the provider asked again for a stuck refund. fault.Invalid, ErrNotFound, ErrNotStuck.
func (p *Payment) Retry(id RefundID, actor string, m Moment) error {
	var wrong fault.Fields
	checkActor(&wrong, actor)
	if err := wrong.Err(); err != nil {
		return err
	}
	i, err := p.stuck(id)
	if err != nil {
		return err
	}
	r := &p.refunds[i]
	r.Status, r.Code = RefundRequested, ""
	r.Retries++
	p.version++
	p.attempts, p.next = 0, m.Now
	p.refundStep(m, *r, "retry "+strconv.Itoa(r.Retries), actor)
	return nil
}

// Settle records that a stuck refund was paid by bank transfer. Said again with the same reference it is a
// success. fault.Invalid, ErrNotFound, ErrNotStuck.
func (p *Payment) Settle(id RefundID, reference, actor string, m Moment) error {
	var wrong fault.Fields
	wrong.Check(visible(reference, 100), "reference", fault.BadFormat, "1..100")
	checkActor(&wrong, actor)
	if err := wrong.Err(); err != nil {
		return err
	}
	if r, i := p.refund(id); i >= 0 && r.Status == RefundDone && r.Reference == reference {
		return nil
	}
	i, err := p.stuck(id)
	if err != nil {
		return err
	}
	r := &p.refunds[i]
	r.Reference, r.SettledBy, r.SettledAt = reference, actor, m.Now
	return p.refundDone(i, m)
}

func (p *Payment) stuck(id RefundID) (int, error) {
	r, i := p.refund(id)
	switch {
	case i < 0:
		return i, ErrNotFound
	case r.Status != RefundStuck:
		return i, ErrNotStuck
	}
	return i, nil
}

// checkActor takes whatever a token may call an operator.
func checkActor(wrong *fault.Fields, actor string) {
	wrong.Check(actor != "" && len(actor) <= 255 && utf8.ValidString(actor), "actor", fault.BadFormat, "1..255")
}

// visible says whether a text has 1 to most visible ASCII characters.
func visible(s string, most int) bool {
	if len(s) == 0 || len(s) > most {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
