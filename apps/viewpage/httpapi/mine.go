package httpapi

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/usecase"
)

type mineAnswer struct {
	web.List[contract.ReservationState]
	Savings []struct{} `json:"savings"` // none are heard of yet
	Coupons []struct{} `json:"coupons"`
	AsOf    time.Time  `json:"asOf,omitzero"`
}

// mine answers GET /mine?after={reservationId}:{version}&limit=&cursor=.
func (h handler) mine(c *fiber.Ctx) error {
	behind, limit, err := pageOf(c)
	if err != nil {
		return err
	}
	seen, err := seenBy(c.Query("after"))
	if err != nil {
		return err
	}
	trips, err := h.view.Mine(c.UserContext(), web.Caller(c).Subject, seen, behind, limit)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	return c.JSON(mineAnswer{
		List:    web.List[contract.ReservationState]{Items: trips.Items, NextCursor: next(trips.Next)},
		Savings: []struct{}{}, Coupons: []struct{}{}, AsOf: trips.AsOf,
	})
}

// seenBy reads {reservationId}:{version}; nil when it is empty.
func seenBy(after string) (*usecase.Seen, error) {
	if after == "" {
		return nil, nil
	}
	id, text, _ := strings.Cut(after, ":")
	version, err := strconv.ParseInt(text, 10, 64)
	var wrong fault.Fields
	wrong.Check(web.IsID(id) && err == nil && version > 0, "after", fault.BadFormat, "{reservationId}:{version}")
	return &usecase.Seen{ReservationID: strings.ToLower(id), Version: version}, wrong.Err()
}
