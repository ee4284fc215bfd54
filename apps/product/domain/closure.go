package domain

import (
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
)

// ClosureReason is why a supplier cancels a departure; compensation depends on it.
type ClosureReason string

// The reasons of a closure.
const (
	UnderSubscribed ClosureReason = "UNDER_SUBSCRIBED"
	SupplierFault   ClosureReason = "SUPPLIER_FAULT"
	ForceMajeure    ClosureReason = "FORCE_MAJEURE"
)

const maxNote = 500 // characters

// Closure is the supplier's word that a departure will not take place. It is final.
type Closure struct {
	Reason   ClosureReason
	Note     string
	ClosedOn terms.Date // in Seoul; compensation counts from it, however late it is handled
	ClosedAt time.Time  // UTC
}

// sameAs compares what is public of a closure.
func (c Closure) sameAs(o Closure) bool {
	return c.Reason == o.Reason && c.ClosedOn == o.ClosedOn && c.Note == o.Note
}

// CheckClosure refuses with fault.Invalid what no closure may say.
func CheckClosure(reason ClosureReason, note string) error {
	var wrong fault.Fields
	wrong.Check(reason != "", "reason", fault.Required, "")
	known := reason == UnderSubscribed || reason == SupplierFault || reason == ForceMajeure
	wrong.Check(reason == "" || known, "reason", fault.NotAllowed, "UNDER_SUBSCRIBED, SUPPLIER_FAULT, FORCE_MAJEURE")
	noteRule.check(note, "note", &wrong)
	return wrong.Err()
}

// CloseDeparture says that a departure will not take place, also on its very day and also for a discontinued
// product: those who have reserved must hear of it. changed is false when it is closed for that reason
// already. Errors: NotFound, DepartureClosed (for another reason), TooLate (the day is over).
func (p *TourProduct) CloseDeparture(id DepartureID, reason ClosureReason, note string, at time.Time) (changed bool, err error) {
	for i := range p.departures {
		d := &p.departures[i]
		if d.ID != id {
			continue
		}
		today := terms.DateOf(at)
		switch {
		case d.Closure != nil && d.Closure.Reason == reason:
			return false, nil
		case d.Closure != nil:
			return false, fault.New(fault.DepartureClosed)
		case d.Date < today:
			return false, fault.New(fault.TooLate)
		}
		d.Closure = &Closure{Reason: reason, Note: note, ClosedOn: today, ClosedAt: at}
		p.enter(p.status)
		return true, nil
	}
	return false, fault.New(fault.NotFound)
}

// ClosureOf gives the closure of a departure; NotFound when there is no such departure or it is not closed.
func (p *TourProduct) ClosureOf(id DepartureID) (Closure, error) {
	for _, d := range p.departures {
		if d.ID == id && d.Closure != nil {
			return *d.Closure, nil
		}
	}
	return Closure{}, fault.New(fault.NotFound)
}
