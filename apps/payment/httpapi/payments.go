package httpapi

import (
	"encoding/json"
	"mime"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

func (h handler) approve(c *fiber.Ctx) error {
	in, err := decode[contract.ApproveRequest](c)
	if err != nil {
		return err
	}
	token, ok := domain.NewToken(in.Token)
	var wrong fault.Fields
	wrong.Check(ok, "token", fault.BadFormat, "1..200")
	wrong.Check(len(in.CorrelationID) <= 64, "correlationId", fault.TooLong, "64")
	if err := wrong.Err(); err != nil {
		return err
	}
	if in.CorrelationID == "" {
		in.CorrelationID = telemetry.Correlation(c.UserContext())
	}
	a, err := h.payments.Approve(telemetry.WithCorrelation(c.UserContext(), in.CorrelationID), usecase.Request{
		Reservation: domain.ReservationID(in.ReservationID), Purpose: domain.Purpose(in.Purpose),
		Amount: in.Amount, Method: in.Method, Token: token, CorrelationID: in.CorrelationID,
	})
	if err != nil {
		return err
	}
	return c.JSON(result(in.ReservationID, in.Purpose, a))
}

func (h handler) inquire(c *fiber.Ctx) error {
	in, err := decode[contract.InquiryRequest](c)
	if err != nil {
		return err
	}
	a, err := h.payments.Inquire(c.UserContext(), domain.ReservationID(in.ReservationID), domain.Purpose(in.Purpose))
	if err != nil {
		return err
	}
	return c.JSON(result(in.ReservationID, in.Purpose, a))
}

func result(reservation, purpose string, a usecase.Answer) contract.PaymentResult {
	return contract.PaymentResult{
		PaymentID: string(a.ID), ReservationID: reservation, Purpose: purpose,
		Status: string(a.Status), Amount: a.Amount, DeclineCode: a.DeclineCode,
	}
}

// webhook answers 200 whatever it is told, unless it is more than a request may be: it comes unsigned, from the internet, and is a hint at most. Only a
// hint that could not be stored is worth the provider's repetition.
func (h handler) webhook(c *fiber.Ctx) error {
	var hint struct {
		OrderID string `json:"orderId"`
		Data    struct {
			OrderID string `json:"orderId"`
		} `json:"data"`
	}
	raw, err := web.Body(c)
	if err != nil {
		return err
	}
	if utf8.Valid(raw) {
		_ = json.Unmarshal(raw, &hint)
	}
	if hint.OrderID == "" {
		hint.OrderID = hint.Data.OrderID
	}
	if err := h.payments.Hint(c.UserContext(), hint.OrderID); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusOK)
}

// decode reads what another service of the same project sends. Members that this version does not know are
// let pass, since members may be added freely; and no cause is kept, since it might quote the token.
func decode[T any](c *fiber.Ctx) (T, error) {
	var t T
	if media, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType)); err != nil || media != fiber.MIMEApplicationJSON {
		return t, fault.New(fault.UnsupportedMediaType)
	}
	raw, err := web.Body(c)
	if err != nil {
		return t, err
	}
	if !utf8.Valid(raw) || json.Unmarshal(raw, &t) != nil {
		return t, fault.New(fault.Malformed)
	}
	return t, nil
}
