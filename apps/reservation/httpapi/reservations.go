package httpapi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// isControl is what nobody writes into a text, and lists, logs and mails are not made for.
func isControl(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' }

type reserveBody struct {
	ProductID             string     `json:"productId"`
	DepartureID           string     `json:"departureId"`
	Travellers            int        `json:"travellers"` // 1–99
	PaymentPlan           string     `json:"paymentPlan"`
	ExpectedPrice         *money.KRW `json:"expectedPrice"` // won; payable as the customer saw it
	AcceptedPolicyVersion string     `json:"acceptedPolicyVersion"`
	ReservationID         string     `json:"reservationId"` // UUIDv7 made by the client; optional
	PaymentMethod         struct {
		Type  string `json:"type"` // CARD
		Token string `json:"token"`
	} `json:"paymentMethod"`
}

func (b reserveBody) check() error {
	var f fault.Fields
	f.Check(web.IsID(b.ProductID), "productId", fault.BadFormat, "UUID")
	f.Check(web.IsID(b.DepartureID), "departureId", fault.BadFormat, "UUID")
	f.Check(b.Travellers >= 1 && b.Travellers <= 99, "travellers", fault.OutOfRange, "1..99")
	f.Check(b.PaymentPlan == domain.PlanFull || b.PaymentPlan == domain.PlanSavingsFunded, "paymentPlan", fault.NotAllowed, "FULL, SAVINGS_FUNDED")
	f.Check(b.ExpectedPrice == nil || *b.ExpectedPrice >= 0, "expectedPrice", fault.OutOfRange, ">= 0")
	f.Check(len(b.AcceptedPolicyVersion) <= 100, "acceptedPolicyVersion", fault.TooLong, "<= 100")
	f.Check(b.ReservationID == "" || isUUIDv7(b.ReservationID), "reservationId", fault.BadFormat, "UUIDv7")
	f.Check(b.PaymentMethod.Type == contract.MethodCard, "paymentMethod.type", fault.NotAllowed, "CARD")
	token := b.PaymentMethod.Token
	f.Check(token != "", "paymentMethod.token", fault.Required, "")
	f.Check(len(token) <= 200 && !strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }), "paymentMethod.token", fault.BadFormat, fault.VisibleASCII+", 1..200")
	return f.Err()
}

func (h handlers) reserve(c *fiber.Ctx) error {
	value, err := web.IdempotencyKey(c)
	if err != nil {
		return err
	}
	b, err := web.Decode[reserveBody](c)
	if err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	key := usecase.Key{Subject: web.Caller(c).Subject, Operation: usecase.OperationReserve, Value: value, BodyHash: usecase.HashBody(b)}
	answer, err := h.service.Reserve(c.UserContext(), key, telemetry.Correlation(c.UserContext()), usecase.ReserveRequest{
		ProductID: domain.ProductID(strings.ToLower(b.ProductID)), DepartureID: domain.DepartureID(strings.ToLower(b.DepartureID)),
		Travellers: b.Travellers, PaymentPlan: b.PaymentPlan, ExpectedPrice: b.ExpectedPrice, AcceptedPolicyVersion: b.AcceptedPolicyVersion,
		ReservationID: domain.ReservationID(strings.ToLower(b.ReservationID)), PaymentToken: b.PaymentMethod.Token,
	})
	return reply(c, answer, err)
}

type cancelBody struct {
	Reason      string     `json:"reason"`
	ExpectedFee *money.KRW `json:"expectedFee"` // won, as the customer was shown
	Waiver      string     `json:"waiver,omitempty"`
	Savings     string     `json:"savings,omitempty"` // KEEP, CLOSE
}

const waiverReasons = "FORCE_MAJEURE, SAFETY_AGREED, RELATIVE_DIED, OWN_ILLNESS, RELATIVE_IN_HOSPITAL, SUPPLIER_FAULT, EPIDEMIC_ORDER, EPIDEMIC_ADVISORY"

func (b cancelBody) check() error {
	var f fault.Fields
	f.Check(utf8.RuneCountInString(b.Reason) <= 500, "reason", fault.TooLong, "<= 500")
	f.Check(!strings.ContainsFunc(b.Reason, isControl), "reason", fault.BadFormat, "")
	f.Check(b.ExpectedFee == nil || *b.ExpectedFee >= 0, "expectedFee", fault.OutOfRange, ">= 0")
	f.Check(b.Waiver == "" || domain.WaiverReason(b.Waiver).Known(), "waiver", fault.NotAllowed, waiverReasons)
	f.Check(b.Savings == "" || b.Savings == "KEEP" || b.Savings == "CLOSE", "savings", fault.NotAllowed, "KEEP, CLOSE")
	return f.Err()
}

func (h handlers) cancel(c *fiber.Ctx) error {
	value, err := web.IdempotencyKey(c)
	if err != nil {
		return err
	}
	b, err := web.Decode[cancelBody](c)
	if err != nil {
		return err
	}
	if err := b.check(); err != nil {
		return err
	}
	id, err := pathID(c)
	if err != nil {
		return err
	}
	key := usecase.Key{
		Subject: web.Caller(c).Subject, Operation: usecase.OperationCancel(id), Value: value, BodyHash: usecase.HashBody(b),
	}
	answer, err := h.service.Cancel(c.UserContext(), key, id, usecase.CancelRequest{
		Reason: b.Reason, ExpectedFee: b.ExpectedFee, Waiver: domain.WaiverReason(b.Waiver), Savings: b.Savings,
	})
	return reply(c, answer, err)
}

// reply writes an answer; err is the answer's own refusal or one without an answer.
func reply(c *fiber.Ctx, a usecase.Answer, err error) error {
	if a.Replayed {
		c.Set("Idempotent-Replayed", "true")
	}
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderLocation, "/api/reservations/"+a.Reservation.ReservationID)
	if a.Status == usecase.StatusAccepted {
		c.Set(fiber.HeaderRetryAfter, "1")
	}
	return c.Status(a.Status).JSON(a.Reservation)
}

func (h handlers) get(c *fiber.Ctx) error {
	r, err := h.own(c)
	if err != nil {
		return err
	}
	state := usecase.State(r)
	web.SetETag(c, state.Version)
	return c.JSON(state)
}

func (h handlers) history(c *fiber.Ctx) error {
	r, err := h.own(c)
	if err != nil {
		return err
	}
	return c.JSON(fiber.Map{"items": usecase.History(r.Snapshot().History)})
}

func (h handlers) quote(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	quote, err := h.service.Quote(c.UserContext(), web.Caller(c).Subject, id)
	if err != nil {
		return err
	}
	return c.JSON(quote)
}

func (h handlers) own(c *fiber.Ctx) (*domain.Reservation, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	return h.service.FindOwn(c.UserContext(), web.Caller(c).Subject, id)
}

// pathID reads the reservation of the path; what is no id names nothing.
func pathID(c *fiber.Ctx) (domain.ReservationID, error) {
	id, err := web.PathID(c, "id")
	return domain.ReservationID(id), err
}

func isUUIDv7(s string) bool {
	id, err := uuid.Parse(s)
	return err == nil && web.IsID(s) && id.Version() == 7
}
