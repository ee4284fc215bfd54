package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

const trackedColumns = "SELECT document, attempts, next_attempt_at FROM reservations "

// Unfinished implements usecase.Operations.
func (r *Repository) Unfinished(ctx context.Context, after usecase.Page) ([]usecase.Tracked, error) {
	where, args := "status IN ('PENDING', 'CANCEL_REQUESTED', 'REJECTED', 'CANCELLED') AND next_attempt_at IS NOT NULL", []any{}
	if after.BeforeID != "" {
		where += " AND (created_at > ? OR (created_at = ? AND id > ?))"
		args = append(args, after.Before, after.Before, after.BeforeID)
	}
	rows, err := r.db.QueryContext(ctx, trackedColumns+"WHERE "+where+" ORDER BY created_at, id LIMIT ?", append(args, after.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("unfinished reservations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var list []usecase.Tracked
	for rows.Next() {
		one, err := scanTracked(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// Track implements usecase.Operations.
func (r *Repository) Track(ctx context.Context, id domain.ReservationID) (usecase.Tracked, error) {
	return scanTracked(r.db.QueryRowContext(ctx, trackedColumns+"WHERE id = ?", id))
}

func scanTracked(row scanner) (usecase.Tracked, error) {
	var t usecase.Tracked
	var raw []byte
	var next sql.NullTime
	if err := row.Scan(&raw, &t.Attempts, &next); errors.Is(err, sql.ErrNoRows) {
		return t, domain.ErrNotFound
	} else if err != nil {
		return t, fmt.Errorf("read reservation: %w", err)
	}
	var s domain.Snapshot
	if err := json.Unmarshal(raw, &s); err != nil {
		return t, fmt.Errorf("stored reservation: %w", err)
	}
	t.Reservation = domain.Restore(s)
	if next.Valid {
		t.Next = &next.Time
	}
	return t, nil
}

// ChangedBetween implements usecase.Ledger. The ids of a page come from the indexes of both times alone.
func (r *Repository) ChangedBetween(ctx context.Context, from, to time.Time, after domain.ReservationID, limit int) ([]*domain.Reservation, error) {
	return r.documents(ctx, `JOIN (SELECT id FROM reservations WHERE created_at >= ? AND created_at < ? AND id > ?
			UNION SELECT id FROM reservations WHERE changed_at >= ? AND changed_at < ? AND id > ?
			ORDER BY id LIMIT ?) moved USING (id) ORDER BY id`,
		from, to, after, from, to, after, limit)
}

// FindAll implements usecase.Ledger.
func (r *Repository) FindAll(ctx context.Context, ids []domain.ReservationID) ([]*domain.Reservation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	return r.documents(ctx, "WHERE id IN ("+marks+")", args...)
}

func among(ids []domain.ReservationID) (marks string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return mysqldb.Marks(len(ids)), args
}

func (r *Repository) documents(ctx context.Context, where string, args ...any) ([]*domain.Reservation, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT document FROM reservations "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
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
