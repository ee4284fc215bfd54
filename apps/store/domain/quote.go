package domain

import (
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// Bounds of a reservation.
const (
	minTravellers = 1
	maxTravellers = 99
)

// Wish is what a customer would like to reserve.
type Wish struct {
	Departure  DepartureID
	Travellers int
	Plan       string // terms.PlanFull or terms.PlanSavingsFunded
}

// Check refuses with fault.Invalid what no quote can be made for.
func (w Wish) Check() error {
	var wrong fault.Fields
	wrong.Check(w.Travellers >= minTravellers && w.Travellers <= maxTravellers, "travellers", fault.OutOfRange, "1..99")
	wrong.Check(w.Plan == terms.PlanFull || w.Plan == terms.PlanSavingsFunded, "paymentPlan", fault.NotAllowed, "FULL, SAVINGS_FUNDED")
	return wrong.Err()
}

// Quote is what a reservation made today would cost and by which terms it could be cancelled. It holds no
// seats: reservation, which decides, works it out by the same rules.
type Quote struct {
	terms.Price
	DueNow   money.KRW
	Savings  *terms.SavingsPlan // for SAVINGS_FUNDED
	Policy   Policy
	Schedule terms.Schedule
}

// Quote works out a wish on a date in Seoul. Errors, in the order in which reservation gives them: NotFound
// (also for an item that is not displayed), PlanNotOffered, DepartureClosed, TooLate.
func (i *DisplayItem) Quote(w Wish, today terms.Date) (Quote, error) {
	d, ok := i.departure(w.Departure)
	if !ok || !i.Displayed() {
		return Quote{}, fault.New(fault.NotFound)
	}
	price := terms.PriceOf(i.offer.Price, i.offer.DiscountRate, w.Travellers)
	q := Quote{Price: price, DueNow: price.Payable, Policy: i.offer.Policy, Schedule: i.Schedule(today)}
	if w.Plan == terms.PlanSavingsFunded {
		plan, offered := i.savingsPlan(price, today, d.Date)
		if !offered {
			return Quote{}, planNotOffered()
		}
		q.DueNow, q.Savings = plan.Deposit, &plan
	}
	switch {
	case d.Closed():
		return Quote{}, fault.New(fault.DepartureClosed)
	case d.Date <= today:
		return Quote{}, fault.New(fault.TooLate)
	}
	return q, nil
}

func (i *DisplayItem) savingsPlan(price terms.Price, today, departure terms.Date) (plan terms.SavingsPlan, offered bool) {
	if i.offer.Savings == nil {
		return plan, false
	}
	return terms.PlanSavings(price.Payable, i.offer.Savings.TermMonths, today, departure)
}

func planNotOffered() error {
	refused := fault.New(fault.PlanNotOffered)
	refused.Fields = []fault.Field{{Name: "paymentPlan", Code: fault.NotAllowed, Detail: terms.PlanSavingsFunded}}
	return refused
}

func (i *DisplayItem) departure(id DepartureID) (Departure, bool) {
	for _, d := range i.departures {
		if d.ID == id {
			return d, true
		}
	}
	return Departure{}, false
}
