// Package mysql stores display items and the seats of their departures.
package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"oneqtour/apps/internal/batching"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/store/domain"
)

// mostTotals is how many totals one transaction takes in.
const mostTotals = 50

// Items implements usecase.Items.
type Items struct {
	db     *sql.DB
	totals *batching.Batcher[totals]
}

// NewItems makes a repository.
func NewItems(db *sql.DB) *Items {
	r := &Items{db: db}
	r.totals = batching.New(mostTotals, r.copySeats)
	return r
}

// Update locks the item of the product, an empty one when it is unknown, and stores what change has changed.
func (r *Items) Update(ctx context.Context, id domain.ProductID, change func(*domain.DisplayItem) (bool, error)) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx, id); err != nil {
			return err
		}
		item, err := one(ctx, tx, id)
		if err != nil {
			return err
		}
		changed, err := change(item)
		if err != nil || !changed {
			return err
		}
		if err := saveItem(ctx, tx, id, item); err != nil {
			return err
		}
		return savePlanned(ctx, tx, id, item.Snapshot().Departures)
	})
}

// totals are the seats of a departure, as they were told.
type totals struct {
	product   domain.ProductID
	departure domain.DepartureID
	seats     domain.Seats
}

// CopySeats stores newer totals and adds what they have gained to the item, so that both always agree. It
// needs no product: an item of which nothing else is known is not displayed. Totals that come together are stored
// together, since each commit waits for the disk.
func (r *Items) CopySeats(ctx context.Context, product domain.ProductID, departure domain.DepartureID, told domain.Seats) error {
	return r.totals.Do(ctx, totals{product, departure, told})
}

func (r *Items) copySeats(ctx context.Context, batch []totals) error {
	batch = newest(batch)
	// Most repeats end here, without a lock.
	known, err := seatsOf(ctx, r.db, batch)
	if err != nil {
		return err
	}
	batch = slices.DeleteFunc(batch, func(t totals) bool { return known[t.departure].Version >= t.seats.Version })
	if len(batch) == 0 {
		return nil
	}
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx, products(batch)...); err != nil {
			return err
		}
		known, err := seatsOf(ctx, tx, batch)
		if err != nil {
			return err
		}
		gained := map[domain.ProductID]int{}
		newer := slices.DeleteFunc(slices.Clone(batch), func(t totals) bool {
			seats := known[t.departure]
			more, changed := seats.Copy(t.seats)
			gained[t.product] += more
			return !changed
		})
		if len(newer) == 0 {
			return nil
		}
		if err := saveSeats(ctx, tx, newer); err != nil {
			return err
		}
		return countReserved(ctx, tx, gained)
	})
}

// newest leaves one of each departure.
func newest(batch []totals) []totals {
	at := map[domain.DepartureID]int{}
	var out []totals
	for _, t := range batch {
		i, there := at[t.departure]
		switch {
		case !there:
			at[t.departure] = len(out)
			out = append(out, t)
		case t.seats.Version > out[i].seats.Version:
			out[i] = t
		}
	}
	return out
}

// products are those of a batch, each once, in the order in which all lock them.
func products(batch []totals) []domain.ProductID {
	ids := make([]domain.ProductID, len(batch))
	for i, t := range batch {
		ids[i] = t.product
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

func countReserved(ctx context.Context, tx *sql.Tx, gained map[domain.ProductID]int) error {
	for product, n := range gained {
		if n == 0 {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE items SET reserved = reserved + ? WHERE product_id = ?", n, product); err != nil {
			return fmt.Errorf("count reservations: %w", err)
		}
	}
	return nil
}

// Find reads an item with its departures. fault.NotFound.
func (r *Items) Find(ctx context.Context, id domain.ProductID) (*domain.DisplayItem, error) {
	return one(ctx, r.db, id)
}

// lock makes sure that there is a row of each product, and locks it: an insert that meets a row locks that
// one. Everything that writes an item or seats of it begins here.
func lock(ctx context.Context, tx *sql.Tx, ids ...domain.ProductID) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO items (product_id) VALUES "+mysqldb.Rows(len(ids), 1)+" ON DUPLICATE KEY UPDATE product_id = VALUES(product_id)", args...)
	if err != nil {
		return fmt.Errorf("lock items: %w", err)
	}
	return nil
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func one(ctx context.Context, q querier, id domain.ProductID) (*domain.DisplayItem, error) {
	rows, err := queryItems(ctx, q, "SELECT "+itemColumns+", 0 FROM items i WHERE product_id = ?", id)
	if err != nil {
		return nil, fmt.Errorf("read item: %w", err)
	}
	if len(rows) == 0 {
		return nil, fault.New(fault.NotFound)
	}
	items, err := withDepartures(ctx, q, rows)
	if err != nil {
		return nil, fmt.Errorf("read departures: %w", err)
	}
	return items[0], nil
}

// seatsOf reads what is known of the departures of a batch.
func seatsOf(ctx context.Context, q querier, batch []totals) (map[domain.DepartureID]domain.Seats, error) {
	args := make([]any, len(batch))
	for i, t := range batch {
		args[i] = t.departure
	}
	rows, err := q.QueryContext(ctx, "SELECT departure_id, "+seatColumns+" FROM departures WHERE departure_id IN ("+mysqldb.Marks(len(args))+")", args...)
	if err != nil {
		return nil, fmt.Errorf("read seats: %w", err)
	}
	defer func() { _ = rows.Close() }()
	of := map[domain.DepartureID]domain.Seats{}
	for rows.Next() {
		var id domain.DepartureID
		var s domain.Seats
		var asOf sql.NullTime
		if err := rows.Scan(&id, &s.Version, &s.Capacity, &s.Held, &s.Confirmed, &s.Closed, &s.Reserved, &asOf); err != nil {
			return nil, fmt.Errorf("read seats: %w", err)
		}
		s.AsOf = asOf.Time
		of[id] = s
	}
	return of, rows.Err()
}
