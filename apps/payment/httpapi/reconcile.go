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
	day, err := h.payments.Reconcile(c.UserContext(), usecase.Day{Date: terms.Date(in.Date), After: in.After, Limit: in.Limit})
	if err != nil {
		return err
	}
	out := contract.Reconciliation{Date: in.Date, Items: make([]contract.ReconciledItem, len(day.Orders)), Next: day.Next}
	for i, order := range day.Orders {
		out.Items[i] = reconciled(order)
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
		if !p.RequestedAt.IsZero() {
			item.RequestedAt = &p.RequestedAt
		}
		for _, one := range p.Refunds {
			item.Refunds = append(item.Refunds, contract.ReconciledRefund{
				RefundID: string(one.ID), Cause: string(one.Cause), Amount: one.Amount, Status: string(one.Status),
				Reference: one.Reference, SettledBy: one.SettledBy,
			})
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
