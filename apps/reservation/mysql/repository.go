// Package mysql keeps reservation's aggregates in its own database.
package mysql

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the tables of reservation.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "reservation", Files: sub}
}

// Repository implements the storage ports of package usecase.
type Repository struct{ db *sql.DB }

// NewRepository uses a pool whose schema is migrated.
func NewRepository(db *sql.DB) *Repository { return &Repository{db: db} }

// Create implements usecase.Reservations. The key's row comes first: a twin waits for it, not for the seats.
func (r *Repository) Create(ctx context.Context, key usecase.Key, reservationID domain.ReservationID, id domain.DepartureID,
	fn func(*domain.Departure) (*domain.Reservation, usecase.Change, error),
) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		if err := insertKey(ctx, tx, key, reservationID, nil); err != nil {
			return err
		}
		departure, err := lockDeparture(ctx, tx, id)
		if err != nil {
			return err
		}
		before := departure.Snapshot().Version
		reservation, change, err := fn(departure)
		if err != nil {
			return err
		}
		snap := reservation.Snapshot()
		if err := insertReservation(ctx, tx, snap, change.Next); err != nil {
			return err
		}
		if err := saveDeparture(ctx, tx, departure, before); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, change.Messages)
	})
}

// Update implements usecase.Reservations.
func (r *Repository) Update(ctx context.Context, id domain.ReservationID,
	fn func(*domain.Reservation, *domain.Departure) (*usecase.Change, error),
) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		reservation, err := readReservation(ctx, tx, "WHERE id = ? FOR UPDATE", id)
		if err != nil {
			return err
		}
		departure, err := lockDeparture(ctx, tx, reservation.Snapshot().Departure)
		if err != nil {
			return err
		}
		state, before := reservation.Status(), departure.Snapshot().Version
		change, err := fn(reservation, departure)
		if err != nil || change == nil {
			return err
		}
		if change.KeyOnly {
			return saveKeys(ctx, tx, id, *change)
		}
		if err := updateReservation(ctx, tx, state, reservation.Snapshot(), *change); err != nil {
			return err
		}
		if err := saveDeparture(ctx, tx, departure, before); err != nil {
			return err
		}
		if err := saveKeys(ctx, tx, id, *change); err != nil {
			return err
		}
		return outbox.Add(ctx, tx, change.Messages)
	})
}

// Find implements usecase.Reservations.
func (r *Repository) Find(ctx context.Context, id domain.ReservationID) (*domain.Reservation, error) {
	return readReservation(ctx, r.db, "WHERE id = ?", id)
}

// ListOf implements usecase.Reservations.
func (r *Repository) ListOf(ctx context.Context, customer string, page usecase.Page) ([]*domain.Reservation, error) {
	where, args := "WHERE customer_id = ?", []any{customer}
	if !page.Before.IsZero() {
		where += " AND (created_at < ? OR (created_at = ? AND id < ?))"
		args = append(args, page.Before, page.Before, page.BeforeID)
	}
	rows, err := r.db.QueryContext(ctx, "SELECT document FROM reservations "+where+" ORDER BY created_at DESC, id DESC LIMIT ?", append(args, page.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("list reservations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []*domain.Reservation
	for rows.Next() {
		one, err := scanReservation(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// Product implements usecase.Catalogue.
func (r *Repository) Product(ctx context.Context, id domain.ProductID) (domain.TourProduct, error) {
	p, err := readProduct(ctx, r.db, "WHERE id = ?", id)
	if err == nil && p == nil {
		err = domain.ErrNotFound
	}
	if err != nil {
		return domain.TourProduct{}, err
	}
	return *p, nil
}

// Follow implements usecase.Catalogue. The product's row is locked first; two first events of a product that
// race for it are told apart by its primary key, and the loser is delivered again.
func (r *Repository) Follow(ctx context.Context, id domain.ProductID,
	fn func(*domain.TourProduct, map[domain.DepartureID]*domain.Departure) (usecase.Followed, error),
) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		known, err := readProduct(ctx, tx, "WHERE id = ? FOR UPDATE", id)
		if err != nil {
			return err
		}
		departures, err := lockDepartures(ctx, tx, id)
		if err != nil {
			return err
		}
		versions := make(map[domain.DepartureID]int64, len(departures))
		for did, d := range departures {
			versions[did] = d.Snapshot().Version
		}
		followed, err := fn(known, departures)
		if err != nil || followed.Product == nil {
			return err
		}
		if err := saveProduct(ctx, tx, *followed.Product, known == nil); err != nil {
			return err
		}
		for _, d := range followed.Departures {
			if err := saveDeparture(ctx, tx, d, versions[d.Snapshot().ID]); err != nil {
				return err
			}
		}
		return outbox.Add(ctx, tx, followed.Messages)
	})
}

func insertReservation(ctx context.Context, tx *sql.Tx, s domain.Snapshot, next time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO reservations (id, customer_id, departure_id, status, version, created_at, document, next_attempt_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, s.ID, s.Customer, s.Departure, s.Status, s.Version, s.CreatedAt, toJSON(s), orNull(next))
	if mysqldb.IsDuplicate(err) {
		return fault.New(fault.IDTaken)
	}
	if err != nil {
		return fmt.Errorf("insert reservation: %w", err)
	}
	return nil
}
