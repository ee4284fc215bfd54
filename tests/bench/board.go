package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"

	"oneqtour/tests/stack"
)

// boardPage is one page of the board.
type boardPage struct {
	Items []struct {
		ProductID  string
		Departures []struct{ Confirmed int }
	}
	NextCursor string
}

func (m *market) boardPage(limit int, cursor string) (boardPage, error) {
	path := "/api/view/board?limit=" + strconv.Itoa(limit)
	if cursor != "" {
		path += "&cursor=" + cursor
	}
	a := m.api.call(request{http.MethodGet, path, "", nil})
	var page boardPage
	if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
		m.refuse(a, "")
		return page, fmt.Errorf("the board answered %d %.200s", a.status, a.body)
	}
	return page, nil
}

// boardPages is the whole board, with the cursors that lead to the pages.
func (m *market) boardPages(limit int) (pages []boardPage, cursors []string, err error) {
	for cursor := ""; ; {
		page, err := m.boardPage(limit, cursor)
		if err != nil {
			return nil, nil, err
		}
		pages, cursors = append(pages, page), append(cursors, cursor)
		if cursor = page.NextCursor; cursor == "" {
			return pages, cursors, nil
		}
	}
}

// boardFigures compares reading the board through the gateway with reading as many documents of it from the state
// store by one bulk get of the view's own sidecar: all pages by chance, as many readers, full pages.
func (m *market) boardFigures(ctx context.Context, p plan, limit int) (board, bulk Figures, err error) {
	pages, cursors, err := m.boardPages(limit)
	if err != nil {
		return
	}
	if last := len(pages) - 1; last > 0 && len(pages[last].Items) < limit {
		pages, cursors = pages[:last], cursors[:last]
	}
	var bodies []string
	for _, page := range pages {
		var keys []string
		for _, item := range page.Items {
			keys = append(keys, "g1:product:"+item.ProductID, "g1:totals:"+item.ProductID)
		}
		raw, err := json.Marshal(map[string]any{"keys": keys, "parallelism": 100})
		if err != nil {
			return board, bulk, err
		}
		bodies = append(bodies, string(raw))
	}
	header := [][2]string{{"dapr-api-token", m.sys.Env(strict{}, "viewpage", "DAPR_API_TOKEN")}}
	store := newCaller(3506 + stack.Offset)
	if a := store.call(request{http.MethodPost, "/v1.0/state/statestore/bulk", bodies[0], header}); a.status != http.StatusOK || !json.Valid(a.body) {
		return board, bulk, fmt.Errorf("the state store answered %d %.200s", a.status, a.body)
	}
	read := func(int) bool {
		return store.call(request{http.MethodPost, "/v1.0/state/statestore/bulk", bodies[rand.IntN(len(bodies))], header}).status == http.StatusOK
	}
	look := func(int) bool {
		page, err := m.boardPage(limit, cursors[rand.IntN(len(cursors))])
		return err == nil && len(page.Items) > 0
	}
	crowd(ctx, p.Customers, p.Board/5, look) // warm
	bulk = crowd(ctx, p.Customers, p.Board/2, read)
	board = crowd(ctx, p.Customers, p.Board, look)
	after := crowd(ctx, p.Customers, p.Board/2, read)
	return board, mean(bulk, after), ctx.Err()
}

// mean of two measurements of the same, before and after another one.
func mean(a, b Figures) Figures {
	return Figures{Rate: (a.Rate + b.Rate) / 2, P50: (a.P50 + b.P50) / 2, P95: (a.P95 + b.P95) / 2, P99: (a.P99 + b.P99) / 2, Done: a.Done + b.Done, Failed: a.Failed + b.Failed}
}
