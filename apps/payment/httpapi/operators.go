package httpapi

import (
	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
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
