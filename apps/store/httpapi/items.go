package httpapi

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/store/domain"
	"oneqtour/apps/store/usecase"
)

const maxSearch = 100 // characters

func (a api) list(c *fiber.Ctx) error {
	search, err := searchOf(c)
	if err != nil {
		return err
	}
	items, next, err := a.store.List(c.UserContext(), search)
	if err != nil {
		return err
	}
	page := web.List[item]{Items: make([]item, 0, len(items))}
	for _, i := range items {
		page.Items = append(page.Items, itemOf(i, a.store.Today()))
	}
	if next != nil {
		page.NextCursor = web.Next(*next)
	}
	return c.JSON(page)
}

var sorts = []usecase.Sort{
	usecase.ByPosition, usecase.ByNewest, usecase.ByPrice, usecase.ByPriceDown,
	usecase.ByRecommendation, usecase.ByReserved, usecase.ByDeparture,
}

func searchOf(c *fiber.Ctx) (usecase.Search, error) {
	s := usecase.Search{Kind: c.Query("kind"), Country: c.Query("country"), Text: strings.TrimSpace(c.Query("q")),
		Sort: usecase.Sort(c.Query("sort", string(usecase.ByPosition)))}
	var wrong fault.Fields
	wrong.Check(s.Kind == "" || s.Kind == terms.Domestic || s.Kind == terms.Overseas, "kind", fault.NotAllowed, "DOMESTIC, OVERSEAS")
	country := s.Country == "" || len(s.Country) == 2 && strings.Trim(s.Country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
	wrong.Check(country, "country", fault.BadFormat, "ISO 3166-1 alpha-2")
	wrong.Check(utf8.RuneCountInString(s.Text) <= maxSearch, "q", fault.TooLong, "<= 100")
	wrong.Check(slices.Contains(sorts, s.Sort), "sort", fault.NotAllowed, "position, newest, price, -price, recommendation, reserved, departure")
	if err := wrong.Err(); err != nil {
		return s, err
	}
	limit, err := web.Limit(c)
	if err != nil {
		return s, err
	}
	s.Limit = limit
	at, paged, err := web.Cursor[usecase.Place](c)
	if err != nil || !paged {
		return s, err
	}
	// A cursor of another order points nowhere in this one.
	if at.Sort != s.Sort || !web.IsID(string(at.ID)) {
		return s, web.BadCursor()
	}
	s.After = &at
	return s, nil
}

func (a api) find(c *fiber.Ctx) error {
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	found, err := a.store.Find(c.UserContext(), domain.ProductID(id))
	if err != nil {
		return err
	}
	return c.JSON(itemOf(found, a.store.Today()))
}

// arrangement is the body of PATCH. A position of null takes the position away.
type arrangement struct {
	Hidden   *bool           `json:"hidden"`
	Position json.RawMessage `json:"position"`
}

// arranged is an item with what only its MD needs to see.
type arranged struct {
	item
	Hidden   bool `json:"hidden"`
	Position *int `json:"position"`
}

func (a api) arrange(c *fiber.Ctx) error {
	body, err := web.Decode[arrangement](c)
	if err != nil {
		return err
	}
	wish := usecase.Arrangement{Hidden: body.Hidden}
	if body.Position != nil {
		var position *int
		if err := json.Unmarshal(body.Position, &position); err != nil {
			malformed := fault.New(fault.Malformed).Because(err)
			malformed.Fields = []fault.Field{{Name: "position", Code: fault.BadFormat, Detail: "integer, null"}}
			return malformed
		}
		wish.Position = &position
		if err := domain.CheckPosition(position); err != nil {
			return err
		}
	}
	id, err := web.PathID(c, "productId")
	if err != nil {
		return err
	}
	changed, err := a.store.Arrange(c.UserContext(), domain.MDID(web.Caller(c).Subject), domain.ProductID(id), wish)
	if err != nil {
		return err
	}
	s := changed.Snapshot()
	return c.JSON(arranged{itemOf(changed, a.store.Today()), s.Hidden, s.Position})
}
