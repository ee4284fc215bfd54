package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// saveWaiver keeps how far the waiver of a reservation has come, if it has one. Every change writes it again, so that
// one which a replica of an earlier version has taken in is found by operators as soon as its refund moves.
func saveWaiver(ctx context.Context, tx *sql.Tx, r *domain.Reservation) error {
	s := r.Snapshot()
	if s.Waiver == nil {
		return nil
	}
	_, err := tx.ExecContext(ctx, "INSERT INTO waivers (reservation_id, status, opened_at) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE status = ?, opened_at = ?",
		s.ID, s.Waiver.Status, r.WaiverOpened(), s.Waiver.Status, r.WaiverOpened())
	if err != nil {
		return fmt.Errorf("save waiver: %w", err)
	}
	return nil
}

// WithWaiver implements usecase.Operations.
func (r *Repository) WithWaiver(ctx context.Context, status domain.WaiverStatus, after usecase.Page) ([]*domain.Reservation, error) {
	where, args := "JOIN waivers w ON w.reservation_id = id WHERE w.status = ?", []any{status}
	if after.BeforeID != "" {
		where += " AND (w.opened_at > ? OR (w.opened_at = ? AND w.reservation_id > ?))"
		args = append(args, after.Before, after.Before, after.BeforeID)
	}
	return r.documents(ctx, where+" ORDER BY w.opened_at, w.reservation_id LIMIT ?", append(args, after.Limit)...)
}
