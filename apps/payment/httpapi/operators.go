package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

func (h handler) timeline(c *fiber.Ctx) error {
	in, err := decode[contract.PaymentTimelineRequest](c)
	if err != nil {
		return err
	}
	steps, err := h.payments.Timeline(c.UserContext(), domain.ReservationID(in.ReservationID))
	if err != nil {
		return err
	}
	out := contract.PaymentTimeline{Items: make([]contract.PaymentStep, len(steps))}
	for i, s := range steps {
		out.Items[i] = contract.PaymentStep{
			At: s.At, Purpose: string(s.Purpose), Kind: string(s.Kind), Status: s.Status, Amount: s.Amount,
			RefundID: string(s.RefundID), Cause: string(s.Cause), Detail: s.Detail, Actor: s.Actor,
		}
	}
	return c.JSON(out)
}

func (h handler) refunds(c *fiber.Ctx) error {
	in, err := decode[contract.RefundListRequest](c)
	if err != nil {
		return err
	}
	found, next, err := h.payments.Refunds(c.UserContext(), domain.RefundStatus(in.Status), domain.RefundID(in.After), in.Limit)
	if err != nil {
		return err
	}
	out := contract.RefundList{Items: make([]contract.RefundItem, len(found)), Next: string(next)}
	for i, r := range found {
		out.Items[i] = refundItem(r)
	}
	return c.JSON(out)
}

func (h handler) retry(c *fiber.Ctx) error {
	in, err := decode[contract.RefundRetryRequest](c)
	if err != nil {
		return err
	}
	r, err := h.payments.RetryRefund(c.UserContext(), domain.RefundID(in.RefundID), in.Actor)
	if err != nil {
		return err
	}
	return c.JSON(refundItem(r))
}

func (h handler) settle(c *fiber.Ctx) error {
	in, err := decode[contract.RefundSettlementRequest](c)
	if err != nil {
		return err
	}
	r, err := h.payments.SettleRefund(c.UserContext(), domain.RefundID(in.RefundID), in.Reference, in.Actor)
	if err != nil {
		return err
	}
	return c.JSON(refundItem(r))
}

func refundItem(of usecase.RefundOf) contract.RefundItem {
	r := of.Refund
	item := contract.RefundItem{
		RefundID: string(r.ID), PaymentID: string(of.Payment), ReservationID: string(of.Reservation),
		Purpose: string(of.Purpose), Cause: string(r.Cause), Amount: r.Amount, Status: string(r.Status), Code: r.Code,
		RequestedAt: r.RequestedAt, Retries: r.Retries, Reference: r.Reference, SettledBy: r.SettledBy,
	}
	if !r.SettledAt.IsZero() {
		item.SettledAt = &r.SettledAt
	}
	return item
}
