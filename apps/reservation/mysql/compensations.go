package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// saveCompensation writes the debt of a reservation, if it has one.
func saveCompensation(ctx context.Context, tx *sql.Tx, s domain.Snapshot) error {
	if s.Cancellation == nil || s.Cancellation.Compensation == nil {
		return nil
	}
	c := s.Cancellation.Compensation
	_, err := tx.ExecContext(ctx, `INSERT INTO compensations (reservation_id, customer_id, amount, status, due_at) VALUES (?, ?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE status = ?, reference = ?, paid_by = ?, paid_at = ?`,
		s.ID, s.Customer, c.Amount, c.Status, c.DueAt, c.Status, textOrNull(c.Reference), textOrNull(c.PaidBy), orNull(c.PaidAt))
	if err != nil {
		return fmt.Errorf("save compensation: %w", err)
	}
	return nil
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// ListCompensations implements usecase.Compensations.
func (r *Repository) ListCompensations(ctx context.Context, status string, after usecase.CompensationPage) ([]usecase.Compensation, error) {
	where, args := "status = ?", []any{status}
	if after.ID != "" {
		where += " AND (due_at > ? OR (due_at = ? AND reservation_id > ?))"
		args = append(args, after.DueAt, after.DueAt, after.ID)
	}
	return r.compensations(ctx, where+" ORDER BY due_at, reservation_id LIMIT ?", append(args, after.Limit)...)
}

// CompensationsBetween implements usecase.Compensations.
func (r *Repository) CompensationsBetween(ctx context.Context, from, to time.Time) ([]usecase.Compensation, error) {
	return r.compensations(ctx, "due_at >= ? AND due_at < ? OR paid_at >= ? AND paid_at < ?", from, to, from, to)
}

// CompensationsOf implements usecase.Compensations.
func (r *Repository) CompensationsOf(ctx context.Context, ids []domain.ReservationID) ([]usecase.Compensation, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	marks, args := among(ids)
	return r.compensations(ctx, "reservation_id IN ("+marks+")", args...)
}

func (r *Repository) compensations(ctx context.Context, where string, args ...any) ([]usecase.Compensation, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT reservation_id, customer_id, amount, status, COALESCE(reference, ''), COALESCE(paid_by, ''), due_at, paid_at
		FROM compensations WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("list compensations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	list := []usecase.Compensation{}
	for rows.Next() {
		var c usecase.Compensation
		var paid sql.NullTime
		if err := rows.Scan(&c.ReservationID, &c.CustomerID, &c.Amount, &c.Status, &c.Reference, &c.PaidBy, &c.DueAt, &paid); err != nil {
			return nil, err
		}
		if paid.Valid {
			c.PaidAt = &paid.Time
		}
		list = append(list, c)
	}
	return list, rows.Err()
}
