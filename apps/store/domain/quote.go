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

// Quote works out a wish on a date in Seoul. Errors: NotFound (also for an item that is not displayed),
// DepartureClosed, TooLate, PlanNotOffered.
func (i *DisplayItem) Quote(w Wish, today terms.Date) (Quote, error) {
	if !i.Displayed() {
		return Quote{}, fault.New(fault.NotFound)
	}
	d, ok := i.departure(w.Departure)
	switch {
	case !ok:
		return Quote{}, fault.New(fault.NotFound)
	case d.Closed():
		return Quote{}, fault.New(fault.DepartureClosed)
	case d.Date <= today:
		return Quote{}, fault.New(fault.TooLate)
	}
	price := terms.PriceOf(i.offer.Price, i.offer.DiscountRate, w.Travellers)
	q := Quote{Price: price, DueNow: price.Payable, Policy: i.offer.Policy, Schedule: i.Schedule(today)}
	if w.Plan == terms.PlanFull {
		return q, nil
	}
	if i.offer.Savings == nil {
		return Quote{}, fault.New(fault.PlanNotOffered)
	}
	plan, ok := terms.PlanSavings(price.Payable, i.offer.Savings.TermMonths, today, d.Date)
	if !ok {
		return Quote{}, fault.New(fault.PlanNotOffered)
	}
	q.DueNow, q.Savings = plan.Deposit, &plan
	return q, nil
}

func (i *DisplayItem) departure(id DepartureID) (Departure, bool) {
	for _, d := range i.departures {
		if d.ID == id {
			return d, true
		}
	}
	return Departure{}, false
}
