package httpapi

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

type waiverBody struct {
	Reason  string `json:"reason"`
	Granted *bool  `json:"granted"`
	Note    string `json:"note"`
}

func (h handlers) decideWaiver(c *fiber.Ctx) error {
	b, err := web.Decode[waiverBody](c)
	if err != nil {
		return err
	}
	var f fault.Fields
	f.Check(domain.WaiverReason(b.Reason).Known(), "reason", fault.NotAllowed, waiverReasons)
	f.Check(b.Granted != nil, "granted", fault.Required, "")
	f.Check(utf8.RuneCountInString(b.Note) <= 500, "note", fault.TooLong, "<= 500")
	f.Check(!strings.ContainsFunc(b.Note, isControl), "note", fault.BadFormat, "")
	if err := f.Err(); err != nil {
		return err
	}
	id, err := pathID(c)
	if err != nil {
		return err
	}
	state, err := h.service.DecideWaiver(c.UserContext(), web.Caller(c).Subject, id,
		usecase.WaiverDecision{Reason: domain.WaiverReason(b.Reason), Granted: *b.Granted, Note: b.Note})
	if err != nil {
		return err
	}
	return c.JSON(state)
}

// listWaivers shows the claims that wait for an operator, or those of another state.
func (h handlers) listWaivers(c *fiber.Ctx) error {
	status := domain.WaiverStatus(c.Query("status", string(domain.WaiverClaimed)))
	var f fault.Fields
	known := status == domain.WaiverClaimed || status == domain.WaiverGranted || status == domain.WaiverRefused
	f.Check(known, "status", fault.NotAllowed, "CLAIMED, GRANTED, REFUSED")
	if err := f.Err(); err != nil {
		return err
	}
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	found, err := h.service.ListWaivers(c.UserContext(), status, usecase.Page{Limit: limit + 1, Before: after.At, BeforeID: after.ID})
	if err != nil {
		return err
	}
	list := web.List[usecase.WaiverCase]{Items: found}
	if len(found) > limit {
		list.Items = found[:limit]
		last := found[limit-1]
		list.NextCursor = web.Next(position{last.OpenedAt, last.ReservationID})
	}
	return c.JSON(list)
}

// noShow is for the MD of the product, and for operators.
func (h handlers) noShow(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	caller := web.Caller(c)
	md := caller.Subject
	if caller.Has(web.RoleOperator) {
		md = ""
	}
	state, err := h.service.NoShow(c.UserContext(), caller.Subject, md, id)
	if err != nil {
		return err
	}
	return c.JSON(state)
}

func (h handlers) listCompensations(c *fiber.Ctx) error {
	status := c.Query("status", domain.CompensationDue)
	var f fault.Fields
	f.Check(status == domain.CompensationDue || status == domain.CompensationPaid, "status", fault.NotAllowed, "DUE, PAID")
	if err := f.Err(); err != nil {
		return err
	}
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	found, err := h.service.ListCompensations(c.UserContext(), status, usecase.CompensationPage{Limit: limit + 1, DueAt: after.At, ID: after.ID})
	if err != nil {
		return err
	}
	list := web.List[usecase.Compensation]{Items: found}
	if len(found) > limit {
		list.Items = found[:limit]
		last := found[limit-1]
		list.NextCursor = web.Next(position{last.DueAt, last.ReservationID})
	}
	return c.JSON(list)
}

type referenceBody struct {
	Reference string `json:"reference"` // of the bank transfer
}

// reference reads a bank reference: 1–100 visible ASCII characters.
func reference(c *fiber.Ctx) (string, error) {
	b, err := web.Decode[referenceBody](c)
	if err != nil {
		return "", err
	}
	var f fault.Fields
	f.Check(b.Reference != "", "reference", fault.Required, "")
	f.Check(len(b.Reference) <= 100 && !strings.ContainsFunc(b.Reference, func(r rune) bool { return r <= ' ' || r > '~' }), "reference", fault.BadFormat, fault.VisibleASCII+", 1..100")
	return b.Reference, f.Err()
}

func (h handlers) payCompensation(c *fiber.Ctx) error {
	ref, err := reference(c)
	if err != nil {
		return err
	}
	id, err := pathID(c)
	if err != nil {
		return err
	}
	paid, err := h.service.PayCompensation(c.UserContext(), web.Caller(c).Subject, id, ref)
	if err != nil {
		return err
	}
	return c.JSON(paid)
}

// listStuck shows what waits for payment for longer than stuckLongerThan, 60 s when absent.
func (h handlers) listStuck(c *fiber.Ctx) error {
	longer, err := time.ParseDuration(c.Query("stuckLongerThan", "60s"))
	var f fault.Fields
	f.Check(err == nil && longer >= 0, "stuckLongerThan", fault.BadFormat, "60s")
	if err := f.Err(); err != nil {
		return err
	}
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	found, err := h.service.Stuck(c.UserContext(), longer, usecase.Page{Limit: limit + 1, Before: after.At, BeforeID: after.ID})
	if err != nil {
		return err
	}
	list := web.List[usecase.Watched]{Items: found}
	if len(found) > limit {
		list.Items = found[:limit]
		last := found[limit-1]
		list.NextCursor = web.Next(position{last.CreatedAt, domain.ReservationID(last.ReservationID)})
	}
	return c.JSON(list)
}

func (h handlers) story(c *fiber.Ctx) error {
	id, err := pathID(c)
	if err != nil {
		return err
	}
	story, err := h.service.Story(c.UserContext(), id)
	if err != nil {
		return err
	}
	return c.JSON(story)
}

// listRefunds passes payment's list on; the cursor is payment's.
func (h handlers) listRefunds(c *fiber.Ctx) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	after, _, err := web.Cursor[string](c)
	if err != nil {
		return err
	}
	found, err := h.service.ListRefunds(c.UserContext(), contract.RefundListRequest{Status: c.Query("status", contract.RefundStuck), Limit: limit, After: after})
	if err != nil {
		return err
	}
	list := web.List[contract.RefundItem]{Items: found.Items}
	if list.Items == nil {
		list.Items = []contract.RefundItem{}
	}
	if found.Next != "" {
		list.NextCursor = web.Next(found.Next)
	}
	return c.JSON(list)
}

func (h handlers) retryRefund(c *fiber.Ctx) error {
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	item, err := h.service.RetryRefund(c.UserContext(), web.Caller(c).Subject, id)
	if err != nil {
		return err
	}
	return c.JSON(item)
}

func (h handlers) settleRefund(c *fiber.Ctx) error {
	ref, err := reference(c)
	if err != nil {
		return err
	}
	id, err := web.PathID(c, "id")
	if err != nil {
		return err
	}
	item, err := h.service.SettleRefund(c.UserContext(), web.Caller(c).Subject, id, ref)
	if err != nil {
		return err
	}
	return c.JSON(item)
}
