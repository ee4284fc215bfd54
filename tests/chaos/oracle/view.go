package oracle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"slices"

	"github.com/redis/go-redis/v9"
)

// ViewState is what the view shows: through the API, and its documents as they are stored.
type ViewState struct {
	Board   map[string]BoardItem                 // by product
	Twice   []string                             // products that the board lists twice
	Mine    map[string]map[string]map[string]any // by customer, by reservation
	Owner   map[string]map[string]map[string]any // the same from the owner
	Stored  map[string]document                  // by reservation
	DeadIDs []string                             // of letters that nobody has handled yet
}

type document struct {
	Version int64
	Status  string
}

// BoardItem is a product on the board.
type BoardItem struct {
	ProductID, Status string
	Version, Price    int64
	Reservations      map[string]int
	Departures        []struct {
		DepartureID               string
		Capacity, Held, Confirmed int
		Reservations              map[string]int
	}
}

func (s Sources) readView(ctx context.Context, w *World) error {
	w.View = ViewState{Board: map[string]BoardItem{}, Mine: map[string]map[string]map[string]any{}, Owner: map[string]map[string]map[string]any{}, Stored: map[string]document{}}
	err := s.pages(ctx, "", "/api/view/board", func(raw json.RawMessage) error {
		var item BoardItem
		err := json.Unmarshal(raw, &item)
		if _, known := w.View.Board[item.ProductID]; known {
			w.View.Twice = append(w.View.Twice, item.ProductID)
		}
		w.View.Board[item.ProductID] = item
		return err
	})
	if err != nil {
		return err
	}
	customers := map[string]bool{}
	for _, r := range w.Reservations {
		customers[r.Customer] = true
	}
	for customer := range customers {
		for path, lists := range map[string]map[string]map[string]map[string]any{"/api/view/mine": w.View.Mine, "/api/reservations": w.View.Owner} {
			list := map[string]map[string]any{}
			lists[customer] = list
			if err := s.pages(ctx, customer, path, func(raw json.RawMessage) error {
				var item map[string]any
				err := json.Unmarshal(raw, &item)
				id, _ := item["reservationId"].(string)
				if list[id] != nil {
					w.View.Twice = append(w.View.Twice, id)
				}
				list[id] = item
				return err
			}); err != nil {
				return err
			}
		}
	}
	return s.readDocuments(ctx, w)
}

// pages reads a whole list of the API.
func (s Sources) pages(ctx context.Context, user, path string, item func(json.RawMessage) error) error {
	cursor := ""
	for {
		raw, err := s.Get(ctx, user, path+"?limit=100&cursor="+url.QueryEscape(cursor))
		if err != nil {
			return err
		}
		var page struct {
			Items      []json.RawMessage
			NextCursor *string
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, i := range page.Items {
			if err := item(i); err != nil {
				return err
			}
		}
		if page.NextCursor == nil {
			return nil
		}
		cursor = *page.NextCursor
	}
}

// Key under which Dapr stores a document of the view in Redis.
func Key(document string) string { return "statestore||" + document }

func (s Sources) readDocuments(ctx context.Context, w *World) error {
	generation := "1"
	raw, err := s.Redis.HGet(ctx, Key("generation"), "data").Bytes()
	if err == nil {
		generation = generationOf(raw)
	} else if !errors.Is(err, redis.Nil) {
		return err
	}
	ids := make([]string, 0, len(w.Reservations))
	for id := range w.Reservations {
		ids = append(ids, id)
	}
	for chunk := range slices.Chunk(ids, 500) {
		pipe := s.Redis.Pipeline()
		for _, id := range chunk {
			pipe.HGet(ctx, Key("g"+generation+":reservation:"+id), "data")
		}
		answers, err := pipe.Exec(ctx)
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		for i, a := range answers {
			raw, err := a.(*redis.StringCmd).Bytes()
			if err != nil {
				continue // not there: found by comparison
			}
			var d document
			if err := json.Unmarshal(raw, &d); err != nil {
				return err
			}
			w.View.Stored[chunk[i]] = d
		}
	}
	return s.readLetters(ctx, w)
}

func (s Sources) readLetters(ctx context.Context, w *World) error {
	keys, err := s.Redis.Keys(ctx, Key("viewpage:*")).Result()
	if err != nil {
		return err
	}
	w.View.DeadIDs, w.Handled["viewpage"] = nil, 0
	for _, key := range keys {
		raw, err := s.Redis.HGet(ctx, key, "data").Bytes()
		if err != nil {
			return err
		}
		var letter struct{ Replays []struct{ Settled bool } }
		if err := json.Unmarshal(raw, &letter); err != nil {
			return err
		}
		if n := len(letter.Replays); n > 0 && letter.Replays[n-1].Settled {
			w.Handled["viewpage"]++
		} else {
			w.View.DeadIDs = append(w.View.DeadIDs, key)
		}
	}
	return nil
}

// generationOf reads the name of the generation that is shown: a number, or a document with one.
func generationOf(raw []byte) string {
	var n json.Number
	var in struct{ Generation, Current, Read json.Number }
	if json.Unmarshal(raw, &n) == nil && n != "" {
		return n.String()
	}
	_ = json.Unmarshal(raw, &in)
	for _, n := range []json.Number{in.Generation, in.Current, in.Read, "1"} {
		if n != "" {
			return n.String()
		}
	}
	return "1"
}

// view: the board's totals and every customer's trips are what their owners say, item by item; so are the stored
// documents.
func (w *World) view() []Finding {
	var f findings
	for _, id := range w.View.Twice {
		f.add(ViewDiffers, id, "listed twice")
	}
	listed := map[string]bool{}
	for id, p := range w.Products {
		item, shown := w.View.Board[id]
		if !shown {
			f.add(ViewDiffers, id, "not on the board")
			continue
		}
		if item.Version != p.Version || item.Price != p.Price || item.Status != "" && item.Status != p.Status {
			f.add(ViewDiffers, id, "the board says version %d, %d won, %s; its owner %d, %d, %s", item.Version, item.Price, item.Status, p.Version, p.Price, p.Status)
		}
		sum := map[string]int{}
		for _, shown := range item.Departures {
			d := w.Departures[shown.DepartureID]
			if d == nil {
				f.add(ViewDiffers, shown.DepartureID, "a departure that reservation does not know")
				continue
			}
			listed[d.ID] = true
			for status, n := range d.Counts {
				sum[status] += n
			}
			if shown.Held != d.Held || shown.Confirmed != d.Confirmed || shown.Capacity != max(d.Asked, d.Held+d.Confirmed) || !sameCounts(shown.Reservations, d.Counts) {
				f.add(ViewDiffers, d.ID, "the board says %+v, its owner %d of %d held, %d confirmed, %v", shown, d.Held, d.Asked, d.Confirmed, d.Counts)
			}
		}
		if !sameCounts(item.Reservations, sum) {
			f.add(ViewDiffers, id, "the board counts %v, its owner %v", item.Reservations, sum)
		}
	}
	for id := range w.Departures {
		if !listed[id] {
			f.add(ViewDiffers, id, "a departure that is not on the board")
		}
	}
	for customer, owner := range w.View.Owner {
		mine := w.View.Mine[customer]
		for id, want := range owner {
			if !reflect.DeepEqual(mine[id], want) {
				f.add(ViewDiffers, id, "%s sees %v, its owner says %v", customer, mine[id], want)
			}
		}
		if len(mine) != len(owner) {
			f.add(ViewDiffers, customer, "sees %d reservations, has %d", len(mine), len(owner))
		}
	}
	for id, r := range w.Reservations {
		if d := w.View.Stored[id]; d.Version != r.Version || d.Status != r.Status {
			f.add(ViewDiffers, id, "its document says %+v, its owner %s, version %d", d, r.Status, r.Version)
		}
	}
	if n := len(w.View.DeadIDs); n > 0 {
		f.add(DeadLetter, "viewpage", "%d dead letters: %v", n, w.View.DeadIDs)
	}
	return f
}
