package usecase

import (
	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// unowned is a charge that no reservation has paid with: all of it has to be back, and no more. Also then it is a
// difference when payment says that there never was one, or that it still stands.
func (c *comparison) unowned(i contract.ReconciledItem, r *domain.Reservation) {
	if i.Charged > 0 && i.Charged != i.Provider.Total {
		c.differ(AmountDiffers, i.PaymentID, i.OrderID, i.Charged-i.Provider.Total)
	}
	kept := i.Provider.Total - transferred(i)
	for _, cancel := range i.Provider.Cancels {
		kept -= cancel.Amount
	}
	switch {
	case kept > 0 && r != nil && r.Status() == domain.Pending:
		c.differ(StuckPending, i.ReservationID, i.OrderID, -kept)
	case kept > 0:
		c.differ(ChargeWithoutReservation, i.ReservationID, i.OrderID, -kept)
	case kept < 0:
		c.differ(RefundedTwice, i.PaymentID, i.OrderID, kept)
	case i.ChargedLater, i.Charged == 0:
		c.differ(ChargedAfterAll, i.PaymentID, i.OrderID, 0)
	case i.Charged == i.Provider.Total && believed(i) != 0:
		c.differ(RefundDiffers, i.PaymentID, i.OrderID, believed(i))
	}
}

// believed is what payment says that still stands of a charge.
func believed(i contract.ReconciledItem) money.KRW {
	stands := i.Charged
	for _, refund := range i.Refunds {
		if refund.Status == contract.RefundDone {
			stands -= refund.Amount
		}
	}
	return stands
}

// transferred is what went back by bank transfer, of which the provider knows nothing.
func transferred(i contract.ReconciledItem) (sum money.KRW) {
	for _, refund := range i.Refunds {
		if refund.Reference != "" {
			sum += refund.Amount
		}
	}
	return sum
}
