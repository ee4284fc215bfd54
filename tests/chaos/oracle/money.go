package oracle

import "slices"

// balance is what the provider took and gave back for a reservation.
type balance struct {
	charged, returned int64
	charges           int
}

func (w *World) balances() map[string]*balance {
	all := map[string]*balance{}
	for _, c := range w.Ledger {
		id := c.OrderID[:min(36, len(c.OrderID))] // an order id begins with the reservation's
		b := all[id]
		if b == nil {
			b = &balance{}
			all[id] = b
		}
		if c.Kind == "CHARGE" {
			b.charged += c.Amount
			b.charges++
		} else {
			b.returned += c.Amount
		}
	}
	return all
}

// money: what the provider holds for each reservation is what its state says, to the won.
func (w *World) money() []Finding {
	var f findings
	balances := w.balances()
	for id, b := range balances {
		if w.Reservations[id] == nil {
			f.add(Orphan, id, "%d won charged, %d returned, and there is no such reservation", b.charged, b.returned)
		}
		if b.charges > 1 {
			f.add(RefundRepeated, id, "charged %d times", b.charges)
		}
	}
	approved := map[string]*Payment{}
	for _, p := range w.Payments {
		if p.Status == "APPROVED" {
			approved[p.Reservation] = p
		}
	}
	for id, r := range w.Reservations {
		b := balances[id]
		if b == nil {
			b = &balance{}
		}
		net := b.charged - b.returned
		switch r.Status {
		case "CONFIRMED", "COMPLETED":
			p := approved[id]
			if p == nil || p.Amount != r.DueNow || r.DueNow != r.Price.Payable {
				f.add(Unpaid, id, "%s, due are %d of %d won, payment %+v", r.Status, r.DueNow, r.Price.Payable, p)
			}
			if net != r.DueNow {
				f.add(MoneyDiffers, id, "%s and %d won are charged, due are %d", r.Status, net, r.DueNow)
			}
		case "REJECTED":
			if left := net - w.beside(id); left != 0 {
				f.add(MoneyDiffers, id, "REJECTED and %d won are charged", left)
			}
		case "CANCELLED":
			if left := net - w.beside(id); r.Cancellation != nil && left != r.Cancellation.Fee {
				f.add(MoneyDiffers, id, "CANCELLED for a fee of %d and %d won are kept", r.Cancellation.Fee, left)
			}
		}
	}
	return f
}

// refundsOf a reservation.
func (w *World) refundsOf(reservation string) (all []Refund) {
	for _, r := range w.Refunds {
		if p := w.Payments[r.Payment]; p != nil && p.Reservation == reservation {
			all = append(all, r)
		}
	}
	return all
}

// beside is what of the refunds the provider does not return: it refused for good, or an operator has transferred it.
func (w *World) beside(reservation string) (won int64) {
	for _, r := range w.refundsOf(reservation) {
		if r.Status == "STUCK" || r.Reference != "" {
			won += r.Amount
		}
	}
	return won
}

// stuck is a reservation with a refund that the provider refuses for good.
func (w *World) stuck(reservation string) bool {
	return slices.ContainsFunc(w.refundsOf(reservation), func(r Refund) bool { return r.Status == "STUCK" })
}

// cancellations: fee, refund and compensation are those of the tables, each once.
func (w *World) cancellations() []Finding {
	var f findings
	balances := w.balances()
	for id, r := range w.Reservations {
		c := r.Cancellation
		if c == nil {
			if r.was("CANCEL_REQUESTED") {
				f.add(FeeDiffers, id, "%s without a cancellation", r.Status)
			}
			if len(w.Owed[id]) > 0 {
				f.add(CompensationOff, id, "%v won are owed for a reservation that is %s", w.Owed[id], r.Status)
			}
			continue
		}
		days, fee, owed := w.owed(r)
		if c.Fee != fee || c.Refund != r.DueNow-fee || c.DaysBefore != days {
			f.add(FeeDiffers, id, "%s %d nights, %d days before, counted as %d: fee %d of %d won, by the table %d; refund %d", r.Kind, r.Nights, days, c.DaysBefore, c.Fee, r.DueNow, fee, c.Refund)
		}
		if told := c.Compensation; told == nil && owed != 0 || told != nil && told.Amount != owed {
			f.add(CompensationOff, id, "%+v, by the table %d won", told, owed)
		}
		if !owedOnce(w.Owed[id], owed) {
			f.add(CompensationOff, id, "the debts are %v, by the table once %d", w.Owed[id], owed)
		}
		var refunded int64
		for _, refund := range w.refundsOf(id) {
			if refund.Cause != "VOID" {
				refunded += refund.Amount
			}
		}
		if r.Status == "CANCELLED" && refunded != c.Refund || refunded > c.Refund {
			f.add(RefundRepeated, id, "refunds of %d won, due are %d", refunded, c.Refund)
		}
		if b := balances[id]; b != nil && b.returned > c.Refund {
			f.add(RefundRepeated, id, "the provider returned %d won, due are %d", b.returned, c.Refund)
		}
	}
	return f
}

// owed is what a cancellation takes, so many days before the departure, and what it owes beyond the refund. A no-show
// takes the fee of the departure day, however late it is recorded.
func (w *World) owed(r *Reservation) (days, fee, compensation int64) {
	days = daysBefore(r.DepartureDate, r.Cancellation.RequestedAt)
	switch p := w.Products[r.Product]; {
	case r.cancelledFor("DEPARTURE_CLOSED") && p != nil:
		c := p.Closures[r.Departure]
		days = daysBetween(c.On, r.DepartureDate)
		return days, 0, Compensation(r.Kind, r.Nights, c.Reason, days, r.Price.Payable)
	case r.NoShow():
		days = 0
	}
	fee = Fee(r.Kind, r.Nights, days, r.Price.Payable, r.DueNow)
	return days, afterWaiver(fee, r.Waiver), 0
}

func owedOnce(debts []int64, owed int64) bool {
	return owed == 0 && len(debts) == 0 || len(debts) == 1 && debts[0] == owed
}
