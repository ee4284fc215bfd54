package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// takeID locks the row of a client-made id: that of the reservation which has it, or a new one that nobody sees
// before it is filled.
func takeID(ctx context.Context, tx *sql.Tx, n usecase.NewReservation) (*domain.Reservation, error) {
	for {
		earlier, err := readReservation(ctx, tx, "WHERE id = ? FOR UPDATE", n.ID)
		if !errors.Is(err, domain.ErrNotFound) {
			return earlier, err
		}
		err = insertReservation(ctx, tx, domain.Snapshot{ID: n.ID, Customer: n.Key.Subject, Departure: n.Departure, CreatedAt: time.Unix(1, 0)}, time.Time{})
		if !mysqldb.IsDuplicate(err) {
			return nil, err
		}
	}
}

// saveNew stores a reservation that was just made, in the row that takeID has locked if the id is the client's.
func saveNew(ctx context.Context, tx *sql.Tx, n usecase.NewReservation, s domain.Snapshot, next time.Time) error {
	if !n.ClientMade {
		return insertReservation(ctx, tx, s, next)
	}
	_, err := tx.ExecContext(ctx, `UPDATE reservations SET status = ?, version = ?, created_at = ?, changed_at = ?, document = ?, attempts = 0,
		next_attempt_at = ?, claim = NULL WHERE id = ?`, s.Status, s.Version, s.CreatedAt, s.ChangedAt(), toJSON(s), orNull(next), s.ID)
	if err != nil {
		return fmt.Errorf("save new reservation: %w", err)
	}
	return nil
}

func insertReservation(ctx context.Context, tx *sql.Tx, s domain.Snapshot, next time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO reservations (id, customer_id, departure_id, status, version, created_at, changed_at, document, next_attempt_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.ID, s.Customer, s.Departure, s.Status, s.Version, s.CreatedAt, s.ChangedAt(), toJSON(s), orNull(next))
	if err != nil {
		return fmt.Errorf("insert reservation: %w", err)
	}
	return nil
}
