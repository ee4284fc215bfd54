package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

func (h handler) reconcile(c *fiber.Ctx) error {
	in, err := decode[contract.ReconcileRequest](c)
	if err != nil {
		return err
	}
	out := contract.Reconciliation{Date: in.Date, Items: []contract.ReconciledItem{}}
	var both []usecase.Reconciled
	if len(in.OrderIDs) > 0 {
		both, err = h.payments.ReconcileOrders(c.UserContext(), in.OrderIDs)
	} else {
		var page usecase.DayPage
		page, err = h.payments.Reconcile(c.UserContext(), usecase.Day{Date: terms.Date(in.Date), After: in.After, Limit: in.Limit})
		both, out.Orders, out.Listed, out.Next = page.Explained, page.Orders, page.Listed, page.Next
	}
	if err != nil {
		return err
	}
	for _, order := range both {
		out.Items = append(out.Items, reconciled(order))
	}
	return c.JSON(out)
}

func reconciled(r usecase.Reconciled) contract.ReconciledItem {
	item := contract.ReconciledItem{OrderID: r.OrderID}
	if reservation, purpose, ok := domain.ParseOrderID(r.OrderID); ok {
		item.ReservationID, item.Purpose = string(reservation), string(purpose)
	}
	if p := r.Stored; p != nil {
		item.PaymentID, item.Status, item.Amount, item.Charged = string(p.ID), string(p.Status), p.Amount, p.Charged
		item.ChargedLater = p.ChargedLater
		if !p.RequestedAt.IsZero() {
			item.RequestedAt = &p.RequestedAt
		}
		for _, one := range p.Refunds {
			refund := contract.ReconciledRefund{
				RefundID: string(one.ID), Cause: string(one.Cause), Amount: one.Amount, Status: string(one.Status),
				Reference: one.Reference, SettledBy: one.SettledBy,
			}
			if at, ok := r.Moved[one.ID]; ok {
				refund.MovedAt = &at
			}
			item.Refunds = append(item.Refunds, refund)
		}
	}
	if charge := r.Charge; charge != nil {
		item.Provider = &contract.ProviderPayment{State: charge.State, Total: charge.Total, Balance: charge.Balance}
		for _, back := range charge.Cancels {
			item.Provider.Cancels = append(item.Provider.Cancels, contract.ProviderCancel{Reason: back.Reason, Amount: back.Amount})
		}
	}
	return item
}
