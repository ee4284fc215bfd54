package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/reservation/domain"
)

func insertClosing(ctx context.Context, tx *sql.Tx, id domain.DepartureID) error {
	if _, err := tx.ExecContext(ctx, "INSERT IGNORE INTO closings (departure_id) VALUES (?)", id); err != nil {
		return fmt.Errorf("insert closing: %w", err)
	}
	return nil
}

// ClaimClosing implements usecase.Closings.
func (r *Repository) ClaimClosing(ctx context.Context, lease time.Duration) (domain.DepartureID, error) {
	var id domain.DepartureID
	err := r.db.QueryRowContext(ctx, `SELECT departure_id FROM closings
		WHERE claimed_until IS NULL OR claimed_until < NOW(6) ORDER BY claimed_until LIMIT 1`).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look for closings: %w", err)
	}
	res, err := r.db.ExecContext(ctx, `UPDATE closings SET claimed_until = NOW(6) + INTERVAL ? SECOND
		WHERE departure_id = ? AND (claimed_until IS NULL OR claimed_until < NOW(6))`, int(lease.Seconds()), id)
	if err != nil {
		return "", fmt.Errorf("claim closing: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return "", err // another replica was faster
	}
	return id, nil
}

// HoldClosing implements usecase.Closings.
func (r *Repository) HoldClosing(ctx context.Context, id domain.DepartureID, lease time.Duration) error {
	_, err := r.db.ExecContext(ctx, "UPDATE closings SET claimed_until = NOW(6) + INTERVAL ? SECOND WHERE departure_id = ?", int(lease.Seconds()), id)
	if err != nil {
		return fmt.Errorf("hold closing: %w", err)
	}
	return nil
}

// OpenReservations implements usecase.Closings.
func (r *Repository) OpenReservations(ctx context.Context, id domain.DepartureID, limit int) ([]domain.ReservationID, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT id FROM reservations WHERE departure_id = ? AND status IN ('PENDING', 'CONFIRMED') LIMIT ?", id, limit)
	if err != nil {
		return nil, fmt.Errorf("open reservations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var open []domain.ReservationID
	for rows.Next() {
		var one domain.ReservationID
		if err := rows.Scan(&one); err != nil {
			return nil, err
		}
		open = append(open, one)
	}
	return open, rows.Err()
}

// ClosingDone implements usecase.Closings.
func (r *Repository) ClosingDone(ctx context.Context, id domain.DepartureID) error {
	if _, err := r.db.ExecContext(ctx, "DELETE FROM closings WHERE departure_id = ?", id); err != nil {
		return fmt.Errorf("end closing: %w", err)
	}
	return nil
}
