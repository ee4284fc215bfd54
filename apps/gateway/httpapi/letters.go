package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/web"
)

// keepers are the services that keep dead letters.
var keepers = []string{"payment", "product", "reservation", "store", "viewpage"}

// keeperTime is how long the list waits for each of them.
const keeperTime = 5 * time.Second

var letterForm = regexp.MustCompile(`^[a-z]+:[0-9A-Za-z-]{1,128}$`)

// letterID reads the id of a letter from the path; empty: it is none, or of nobody. A colon may come escaped.
func letterID(c *fiber.Ctx) string {
	id, err := url.PathUnescape(c.Params("letterId"))
	app, _, _ := strings.Cut(id, ":")
	if err != nil || !letterForm.MatchString(id) || !slices.Contains(keepers, app) {
		return ""
	}
	return id
}

// letterList is the answer of the list of all services' dead letters, newest first.
type letterList struct {
	web.List[web.DeadLetter]
	Unreachable []string `json:"unreachable"` // services whose letters are missing, since they did not answer
}

// deadLetters answers GET /api/ops/dead-letters?limit=&cursor=&all=: every keeper is asked for the same page, and
// what all of them have told is merged.
func (g Gateway) deadLetters(c *fiber.Ctx) error {
	q, err := web.LettersPage(c)
	if err != nil {
		return err
	}
	req, err := requestFor(c, route{method: http.MethodGet, app: keepers[0], target: "/dead-letters"})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), keeperTime)
	defer cancel()
	pages := make([]*web.List[web.DeadLetter], len(keepers))
	var wg sync.WaitGroup
	for i, app := range keepers {
		wg.Go(func() {
			page, err := g.lettersOf(ctx, app, req)
			if err != nil {
				zerolog.Ctx(ctx).Warn().Err(err).Str("app", app).Msg("dead letters not listed")
				return
			}
			pages[i] = &page
		})
	}
	wg.Wait()
	return c.JSON(merge(pages, q.Limit))
}

func (g Gateway) lettersOf(ctx context.Context, app string, req sidecar.Request) (page web.List[web.DeadLetter], err error) {
	req.App, req.Header = app, req.Header.Clone()
	res, err := g.call(ctx, req)
	if err != nil {
		return page, err
	}
	if res.Status != http.StatusOK {
		return page, fmt.Errorf("%s answered %d", app, res.Status)
	}
	if err := json.Unmarshal(res.Body, &page); err != nil {
		return page, err
	}
	if len(page.Items) == 0 && page.NextCursor != nil {
		return page, errors.New("a page without letters that is not the last")
	}
	return page, nil
}

// merge makes one page of the pages of all keepers; nil: one that did not answer. Where a keeper has more behind
// its page, nothing older than the page's end is shown yet.
func merge(pages []*web.List[web.DeadLetter], limit int) letterList {
	list := letterList{List: web.List[web.DeadLetter]{Items: []web.DeadLetter{}}, Unreachable: []string{}}
	var horizon *web.LetterMark
	for i, page := range pages {
		if page == nil {
			list.Unreachable = append(list.Unreachable, keepers[i])
			continue
		}
		list.Items = append(list.Items, page.Items...)
		if page.NextCursor != nil {
			end := page.Items[len(page.Items)-1].Mark()
			if horizon == nil || end.Compare(*horizon) < 0 {
				horizon = &end
			}
		}
	}
	slices.SortFunc(list.Items, func(a, b web.DeadLetter) int { return a.Mark().Compare(b.Mark()) })
	shown := len(list.Items)
	if horizon != nil {
		shown, _ = slices.BinarySearchFunc(list.Items, *horizon, func(d web.DeadLetter, at web.LetterMark) int {
			return cmp.Or(d.Mark().Compare(at), -1) // behind the one that stands there
		})
	}
	shown = min(shown, limit)
	if horizon != nil || shown < len(list.Items) {
		list.NextCursor = web.Next(list.Items[shown-1].Mark())
	}
	list.Items = list.Items[:shown]
	return list
}
