package oracle

import (
	"context"
	"database/sql"
	"encoding/json"
	"net/http"
	"strings"
)

// StoreState is what the 1Q Store displays.
type StoreState struct {
	Items map[string]storeItem // by product
}

type storeItem struct {
	Version, Price int64
	Withdrawn      bool
	Reserved       int
	Seats          map[string]storeSeats // by departure, as stored
	Shown          map[string]int        // seats left by departure, through the API
}

type storeSeats struct{ Version, Capacity, Held, Confirmed int64 }

func (s Sources) readStore(ctx context.Context, w *World) error {
	w.Store.Items = map[string]storeItem{}
	if err := s.snapshot(ctx, "store", func(tx *sql.Conn) error {
		if err := each(ctx, tx, "SELECT product_id, version, withdrawn, reserved, price FROM items", func(scan scanner) error {
			id, i := "", storeItem{Seats: map[string]storeSeats{}, Shown: map[string]int{}}
			err := scan(&id, &i.Version, &i.Withdrawn, &i.Reserved, &i.Price)
			w.Store.Items[id] = i
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, "SELECT departure_id, product_id, seats_version, seats_capacity, seats_held, seats_confirmed FROM departures", func(scan scanner) error {
			var id, product string
			var d storeSeats
			err := scan(&id, &product, &d.Version, &d.Capacity, &d.Held, &d.Confirmed)
			if i, ok := w.Store.Items[product]; ok {
				i.Seats[id] = d
			}
			return err
		})
	}); err != nil {
		return err
	}
	for id, p := range w.Products {
		raw, err := s.Get(ctx, "", "/api/store/items/"+id)
		if err != nil {
			if p.Status == "OPEN" || !strings.Contains(err.Error(), http.StatusText(http.StatusNotFound)) {
				return err
			}
			continue
		}
		var item struct {
			ReservedCount int
			Departures    []struct {
				DepartureID string
				SeatsLeft   int
			}
		}
		if err := json.Unmarshal(raw, &item); err != nil {
			return err
		}
		for _, d := range item.Departures {
			w.Store.Items[id].Shown[d.DepartureID] = d.SeatsLeft
		}
		if stored := w.Store.Items[id]; stored.Reserved != item.ReservedCount {
			stored.Reserved = item.ReservedCount // what people see counts
			w.Store.Items[id] = stored
		}
	}
	return nil
}

// display: version, seats and number of reservations of each item are what the owners say; what was discontinued is
// gone.
func (w *World) display() []Finding {
	var f findings
	reserved := map[string]int{}
	for id, d := range w.Departures {
		reserved[d.Product] += d.rows["CONFIRMED"] + d.rows["COMPLETED"]
		item, ok := w.Store.Items[d.Product]
		if !ok {
			continue // found below
		}
		want := storeSeats{d.Version, int64(max(d.Asked, d.Held+d.Confirmed)), int64(d.Held), int64(d.Confirmed)}
		if item.Seats[id] != want {
			f.add(StoreDiffers, id, "the store has seats %+v, their owner %+v", item.Seats[id], want)
		}
		if left, shown := item.Shown[id]; shown && left != int(want.Capacity)-d.Held-d.Confirmed {
			f.add(StoreDiffers, id, "the store shows %d seats left, their owner has %d", left, int(want.Capacity)-d.Held-d.Confirmed)
		}
	}
	for id, p := range w.Products {
		item, ok := w.Store.Items[id]
		switch {
		case !ok:
			f.add(StoreDiffers, id, "not in the store")
		case item.Version != p.Version || item.Price != p.Price:
			f.add(StoreDiffers, id, "the store has version %d, %d won; its owner %d, %d", item.Version, item.Price, p.Version, p.Price)
		case item.Reserved != reserved[id]:
			f.add(StoreDiffers, id, "the store counts %d reservations, their owner %d", item.Reserved, reserved[id])
		case item.Withdrawn != (p.Status == "DISCONTINUED"):
			f.add(DiscontinuedOpen, id, "%s, and withdrawn is %v", p.Status, item.Withdrawn)
		}
	}
	return f
}

// readOwed reads the compensations that an operator sees.
func (s Sources) readOwed(ctx context.Context, w *World) error {
	const path = "/api/ops/compensations"
	w.Owed, w.Paid = map[string][]int64{}, map[string]bool{}
	for _, status := range []string{"DUE", "PAID"} {
		cursor := ""
		for {
			raw, err := s.Get(ctx, "operator-1", path+"?limit=100&status="+status+"&cursor="+cursor)
			if err != nil {
				return err
			}
			var page struct {
				Items []struct {
					ReservationID string
					Amount        int64
				}
				NextCursor *string
			}
			if err := json.Unmarshal(raw, &page); err != nil {
				return err
			}
			for _, i := range page.Items {
				w.Owed[i.ReservationID] = append(w.Owed[i.ReservationID], i.Amount)
				w.Paid[i.ReservationID] = status == "PAID"
			}
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
	}
	return nil
}
