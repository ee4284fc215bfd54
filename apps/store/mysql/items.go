// Package mysql stores display items and the seats of their departures.
package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/store/domain"
)

// Items implements usecase.Items.
type Items struct{ db *sql.DB }

// NewItems makes a repository.
func NewItems(db *sql.DB) *Items { return &Items{db} }

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

// CopySeats stores newer totals and adds what they have gained to the item, so that both always agree. It
// needs no product: an item of which nothing else is known is not displayed.
func (r *Items) CopySeats(ctx context.Context, product domain.ProductID, departure domain.DepartureID, told domain.Seats) error {
	// Most repeats end here, without a lock.
	if known, err := seatsOf(ctx, r.db, departure); err != nil || known.Version >= told.Version {
		return err
	}
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		if err := lock(ctx, tx, product); err != nil {
			return err
		}
		seats, err := seatsOf(ctx, tx, departure)
		if err != nil {
			return err
		}
		gained, changed := seats.Copy(told)
		if !changed {
			return nil
		}
		if err := saveSeats(ctx, tx, product, departure, seats); err != nil {
			return err
		}
		if gained == 0 {
			return nil
		}
		if _, err := tx.ExecContext(ctx, "UPDATE items SET reserved = reserved + ? WHERE product_id = ?", gained, product); err != nil {
			return fmt.Errorf("count reservations: %w", err)
		}
		return nil
	})
}

// Find reads an item with its departures. fault.NotFound.
func (r *Items) Find(ctx context.Context, id domain.ProductID) (*domain.DisplayItem, error) {
	return one(ctx, r.db, id)
}

// lock makes sure that there is a row of the product, and locks it: an insert that meets a row locks that
// one. Everything that writes an item or seats of it begins here.
func lock(ctx context.Context, tx *sql.Tx, id domain.ProductID) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO items (product_id) VALUES (?) ON DUPLICATE KEY UPDATE product_id = VALUES(product_id)", id)
	if err != nil {
		return fmt.Errorf("lock item: %w", err)
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

func seatsOf(ctx context.Context, q querier, id domain.DepartureID) (s domain.Seats, err error) {
	var asOf sql.NullTime
	err = q.QueryRowContext(ctx, "SELECT "+seatColumns+" FROM departures WHERE departure_id = ?", id).
		Scan(&s.Version, &s.Capacity, &s.Held, &s.Confirmed, &s.Closed, &s.Reserved, &asOf)
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Seats{}, nil
	}
	if err != nil {
		return s, fmt.Errorf("read seats: %w", err)
	}
	s.AsOf = asOf.Time
	return s, nil
}
