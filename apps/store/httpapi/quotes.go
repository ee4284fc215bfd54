package httpapi

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/store/domain"
)

// quote is what a reservation made now would cost. DueOn and Savings are there for SAVINGS_FUNDED alone.
type quote struct {
	Price         contract.Price `json:"price"`
	DueNow        money.KRW      `json:"dueNow"`
	Balance       money.KRW      `json:"balance"`
	DueOn         *terms.Date    `json:"dueOn"`
	Savings       *savings       `json:"savings,omitempty"`
	PolicyVersion string         `json:"policyVersion"`
	Policy        policy         `json:"policy"`
}

type savings struct {
	Rounds    int        `json:"rounds"`
	Monthly   money.KRW  `json:"monthly"`
	MaturesOn terms.Date `json:"maturesOn"`
}

type policy struct {
	Type    string         `json:"type"`
	Version string         `json:"version"`
	Tiers   []terms.Tier   `json:"tiers"`
	Consent *contract.Text `json:"consent,omitempty"`
}

func (a api) quote(c *fiber.Ctx) error {
	wish, err := wishOf(c)
	if err != nil {
		return err
	}
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	q, err := a.store.Quote(c.UserContext(), domain.ProductID(id), wish)
	if err != nil {
		return err
	}
	return c.JSON(quoteOf(q))
}

func wishOf(c *fiber.Ctx) (domain.Wish, error) {
	wish := domain.Wish{Departure: domain.DepartureID(strings.ToLower(c.Query("departureId"))), Plan: c.Query("paymentPlan", terms.PlanFull)}
	var wrong fault.Fields
	wrong.Check(wish.Departure != "", "departureId", fault.Required, "UUID")
	wrong.Check(wish.Departure == "" || web.IsID(string(wish.Departure)), "departureId", fault.BadFormat, "UUID")
	travellers, given, err := web.Integer(c, "travellers")
	if err != nil {
		return wish, err
	}
	wrong.Check(given, "travellers", fault.Required, "1..99")
	wish.Travellers = int(travellers)
	if err := wrong.Err(); err != nil {
		return wish, err
	}
	return wish, wish.Check()
}

func quoteOf(q domain.Quote) quote {
	out := quote{
		Price:  contract.Price{List: q.List, Discount: q.Discount, Payable: q.Payable, DueNow: q.DueNow},
		DueNow: q.DueNow, PolicyVersion: q.Schedule.Version,
		Policy: policy{Type: q.Policy.Type, Version: q.Schedule.Version, Tiers: q.Schedule.Tiers, Consent: (*contract.Text)(q.Policy.Consent)},
	}
	if p := q.Savings; p != nil {
		out.Balance, out.DueOn = p.Balance, &p.DueOn
		out.Savings = &savings{p.Rounds, p.Monthly, p.MaturesOn}
	}
	return out
}
