package httpapi

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// position is where a page of the list has ended.
type position struct {
	At time.Time            `json:"a"`
	ID domain.ReservationID `json:"i"`
}

// valid says whether list can have written it: the database refuses other years.
func (p position) valid() bool {
	return web.IsID(string(p.ID)) && p.At.Year() >= 2000 && p.At.Year() <= 9998
}

// pageOf reads which page is asked for.
func pageOf(c *fiber.Ctx) (limit int, after position, err error) {
	if limit, err = web.Limit(c); err != nil {
		return 0, position{}, err
	}
	after, more, err := web.Cursor[position](c)
	if err == nil && more && !after.valid() {
		err = web.BadCursor()
	}
	return limit, after, err
}

func (h handlers) list(c *fiber.Ctx) error {
	limit, after, err := pageOf(c)
	if err != nil {
		return err
	}
	// One more than asked for tells whether there is a next page.
	found, err := h.service.ListOwn(c.UserContext(), web.Caller(c).Subject, usecase.Page{Limit: limit + 1, Before: after.At, BeforeID: after.ID})
	if err != nil {
		return err
	}
	list := web.List[contract.ReservationState]{Items: []contract.ReservationState{}}
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1].Snapshot()
		list.NextCursor = web.Next(position{last.CreatedAt, last.ID})
	}
	for _, r := range found {
		list.Items = append(list.Items, usecase.State(r))
	}
	return c.JSON(list)
}
