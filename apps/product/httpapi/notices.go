package httpapi

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/product/usecase"
)

type notice struct {
	Seq           int64     `json:"seq"`
	ReservationID string    `json:"reservationId"`
	ProductID     string    `json:"productId"`
	Status        string    `json:"status"`
	Kind          string    `json:"kind"`
	Cause         string    `json:"cause"`
	At            time.Time `json:"at"`
	Acknowledged  bool      `json:"acknowledged"`
}

// notices lists from ?after=SEQ on; a cursor, which the page before has given, says the same and wins. ?acknowledged=
// shows only those that are, or only those that are not.
func (a api) notices(c *fiber.Ctx) error {
	limit, err := web.Limit(c)
	if err != nil {
		return err
	}
	after, paged, err := web.Cursor[int64](c)
	if err == nil && !paged {
		after, err = afterSeq(c)
	}
	if err != nil {
		return err
	}
	wanted := usecase.NoticePage{After: after, Limit: limit + 1}
	if is, given, err := web.Boolean(c, "acknowledged"); err != nil {
		return err
	} else if given {
		wanted.Acknowledged = &is
	}
	found, err := a.products.Notices(c.UserContext(), caller(c), wanted)
	if err != nil {
		return err
	}
	page := web.List[notice]{Items: make([]notice, 0, limit)}
	for _, n := range found[:min(limit, len(found))] {
		page.Items = append(page.Items, notice{n.Seq, n.ReservationID, string(n.ProductID), n.Status, n.Kind, n.Cause, n.At, n.Acknowledged})
	}
	if len(found) > limit {
		page.NextCursor = web.Next(found[limit-1].Seq)
	}
	return c.JSON(page)
}

func afterSeq(c *fiber.Ctx) (int64, error) {
	seq, _, err := web.Integer(c, "after")
	if err != nil {
		return 0, err
	}
	var wrong fault.Fields
	wrong.Check(seq >= 0, "after", fault.OutOfRange, ">= 0")
	return seq, wrong.Err()
}

func (a api) acknowledge(c *fiber.Ctx) error {
	seq, err := strconv.ParseInt(c.Params("seq"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound)
	}
	if err := a.products.Acknowledge(c.UserContext(), caller(c), seq); err != nil {
		return err
	}
	return c.SendStatus(fiber.StatusNoContent)
}
