// Package mysql keeps reservation's aggregates in its own database.
package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"

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

// Create implements usecase.Reservations. The key's row comes first: a twin waits for it, not for the seats. The
// reservation's row comes before the departure's, as everywhere: who waited for it with the departure in hand
// would wait for one who holds it and wants the departure. An id made here is in nobody else's hand.
func (r *Repository) Create(ctx context.Context, n usecase.NewReservation, fn func(usecase.Offer) (*domain.Reservation, usecase.Change, error)) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		err := insertKey(ctx, tx, n.Key, n.ID, nil)
		if err != nil {
			return err
		}
		var offer usecase.Offer
		if n.ClientMade {
			if offer.Earlier, err = takeID(ctx, tx, n); err != nil {
				return err
			}
		}
		if offer.Departure, err = lockDeparture(ctx, tx, n.Departure); err != nil {
			return err
		}
		// Follow changes a product under the locks of its departures, so what is read here is what stands.
		product, err := readProduct(ctx, tx, "WHERE id = ?", n.Product)
		if err != nil {
			return err
		}
		if product == nil || offer.Departure.Snapshot().Product != n.Product {
			return domain.ErrNotFound
		}
		offer.Product = *product
		before := offer.Departure.Snapshot().Version
		reservation, change, err := fn(offer)
		if err != nil {
			return err
		}
		if err := saveNew(ctx, tx, n, reservation.Snapshot(), change.Next); err != nil {
			return err
		}
		if err := saveDeparture(ctx, tx, offer.Departure, before, change.Messages); err != nil {
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
		reservation, departure, err := lockBoth(ctx, tx, id)
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
		if err := saveCompensation(ctx, tx, reservation.Snapshot()); err != nil {
			return err
		}
		if err := saveWaiver(ctx, tx, reservation); err != nil {
			return err
		}
		if err := saveDeparture(ctx, tx, departure, before, change.Messages); err != nil {
			return err
		}
		if err := saveKeys(ctx, tx, id, *change); err != nil {
			return err
		}
		return tell(ctx, tx, *change)
	})
}

// tell writes what a change says, in place of what still waits to be said.
func tell(ctx context.Context, tx *sql.Tx, c usecase.Change) error {
	switch {
	case c.Told == "":
	case len(c.Messages) == 0:
		return outbox.Release(ctx, tx, c.Told)
	default:
		if err := outbox.Replace(ctx, tx, c.Told, c.Messages[0]); err != nil {
			return err
		}
		c.Messages = c.Messages[1:]
	}
	return outbox.Add(ctx, tx, c.Messages)
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
	return r.documents(ctx, where+" ORDER BY created_at DESC, id DESC LIMIT ?", append(args, page.Limit)...)
}

// Look implements usecase.Catalogue.
func (r *Repository) Look(ctx context.Context, product domain.ProductID, departure domain.DepartureID) (usecase.Offer, error) {
	p, err := readProduct(ctx, r.db, "WHERE id = ?", product)
	if err != nil {
		return usecase.Offer{}, err
	}
	d, err := scanDeparture(r.db.QueryRowContext(ctx, departureColumns+"WHERE id = ?", departure))
	if errors.Is(err, sql.ErrNoRows) || err == nil && (p == nil || d.Snapshot().Product != product) {
		return usecase.Offer{}, domain.ErrNotFound
	}
	if err != nil {
		return usecase.Offer{}, err
	}
	return usecase.Offer{Product: *p, Departure: d}, nil
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
		before := make(map[domain.DepartureID]domain.DepartureSnapshot, len(departures))
		for did, d := range departures {
			before[did] = d.Snapshot()
		}
		followed, err := fn(known, departures)
		if err != nil || followed.Product == nil {
			return err
		}
		if err := saveProduct(ctx, tx, *followed.Product, known == nil); err != nil {
			return err
		}
		for _, d := range followed.Departures {
			did := d.Snapshot().ID
			if err := saveDeparture(ctx, tx, d, before[did].Version, followed.Messages); err != nil {
				return err
			}
			if d.Snapshot().Closure != nil && before[did].Closure == nil {
				if err := insertClosing(ctx, tx, did); err != nil {
					return err
				}
			}
		}
		return outbox.Add(ctx, tx, followed.Messages)
	})
}
