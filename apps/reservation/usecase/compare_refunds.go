package usecase

import (
	"slices"
	"strings"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// refund is what the three books say of one refund; nil: nothing.
type refund struct {
	id     string
	part   *domain.RefundPart         // reservation
	row    *contract.ReconciledRefund // payment
	cancel *contract.ProviderCancel   // the provider
}

// refunds compares what a reservation gives back of a payment with what payment has asked for and what the provider
// gave back. Ours carry the id of the refund in their reason.
func (c *comparison) refunds(i contract.ReconciledItem, r *domain.Reservation) {
	known := make([]bool, len(i.Provider.Cancels))
	all := refundsOf(i, r)
	for _, one := range all {
		for n := range i.Provider.Cancels {
			if one.cancel == nil && !known[n] && strings.Contains(i.Provider.Cancels[n].Reason, one.id) {
				known[n], one.cancel = true, &i.Provider.Cancels[n]
			}
		}
		if kind, amount := one.difference(); kind != "" {
			c.differ(kind, one.id, i.OrderID, amount)
		}
	}
	for n, cancel := range i.Provider.Cancels {
		if known[n] {
			continue
		}
		again := slices.IndexFunc(all, func(one *refund) bool { return strings.Contains(cancel.Reason, one.id) })
		if again >= 0 {
			c.differ(RefundedTwice, all[again].id, i.OrderID, -cancel.Amount)
		} else { // given back by nobody's order
			c.differ(RefundDiffers, i.ReservationID, i.OrderID, -cancel.Amount)
		}
	}
}

// refundsOf joins the parts of the reservation and the rows of payment.
func refundsOf(i contract.ReconciledItem, r *domain.Reservation) (all []*refund) {
	of := map[string]*refund{}
	named := func(id string) *refund {
		if of[id] == nil {
			of[id] = &refund{id: id}
			all = append(all, of[id])
		}
		return of[id]
	}
	if x := r.Snapshot().Cancellation; x != nil {
		for n, part := range x.Parts {
			if part.PaymentID == i.PaymentID {
				named(part.RefundID).part = &x.Parts[n]
			}
		}
	}
	for n, row := range i.Refunds {
		named(row.RefundID).row = &i.Refunds[n]
	}
	return all
}

// difference is the first that there is, in the order of what it costs.
func (f refund) difference() (kind string, amount money.KRW) {
	transferred := f.row != nil && f.row.Reference != ""
	owed := money.KRW(0)
	switch {
	case f.part != nil:
		owed = f.part.Amount
	case f.row != nil:
		owed = f.row.Amount
	}
	var back money.KRW
	switch {
	case f.cancel != nil:
		back = f.cancel.Amount
	case transferred:
		back = f.row.Amount
	}
	switch {
	case f.cancel != nil && transferred:
		return RefundedTwice, -f.cancel.Amount
	case f.part == nil: // payment gave back what no reservation asks for
		return RefundDiffers, -owed
	case owed > 0 && f.cancel == nil && !transferred:
		return RefundMissing, owed
	case back != owed, f.row == nil, f.row.Amount != owed, f.part.Status != domain.PartDone, f.row.Status != contract.RefundDone:
		return RefundDiffers, owed - back
	}
	return "", 0
}
