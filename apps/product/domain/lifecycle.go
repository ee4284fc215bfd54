package domain

import "oneqtour/apps/internal/fault"

// A product is open until its MD discontinues it; that is final.
//
//	–    → OPEN          Register
//	OPEN → OPEN          Revise, CloseDeparture
//	OPEN → DISCONTINUED  Discontinue
//	DISCONTINUED → DISCONTINUED  CloseDeparture: who has reserved must still hear that the trip is off
var transitions = map[Status][]Status{
	Open:         {Open, Discontinued},
	Discontinued: {Discontinued},
}

// Discontinue takes the product off the market for good; it stays readable. changed is false when that had
// been done before.
func (p *TourProduct) Discontinue() (changed bool) {
	if p.status == Discontinued {
		return false
	}
	p.enter(Discontinued)
	return true
}

func (p *TourProduct) mustBeOpen() error {
	if p.status == Discontinued {
		return fault.New(fault.Discontinued)
	}
	return nil
}

// enter raises the version and moves to a state that the table allows.
func (p *TourProduct) enter(s Status) {
	for _, to := range transitions[p.status] {
		if to == s {
			p.status = s
			p.version++
			return
		}
	}
}
