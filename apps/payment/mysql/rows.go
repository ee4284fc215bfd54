package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/payment/domain"
)

// conn is a pool or a transaction.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

const columns = `payment_id, reservation_id, purpose, method, amount, status, decline_code, charged, version,
	correlation_id, causation_id, requested_at, final_at, attempts, next_attempt_at, alarmed_at,
	charged_later`

func insert(ctx context.Context, c conn, s domain.Snapshot) error {
	_, err := c.ExecContext(ctx, "INSERT INTO payments ("+columns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		s.ID, s.Reservation, s.Purpose, s.Method, s.Amount, s.Status, s.DeclineCode, s.Charged, s.Version,
		s.CorrelationID, s.CausationID, null(s.RequestedAt), null(s.FinalAt), s.Attempts, null(s.Next), null(s.AlarmedAt),
		s.ChargedLater)
	return err
}

// update writes what can change, and gives the payment free for the next worker.
func update(ctx context.Context, tx *sql.Tx, from int64, s domain.Snapshot) error {
	res, err := tx.ExecContext(ctx, `UPDATE payments SET status = ?, decline_code = ?, charged = ?, version = ?,
		causation_id = ?, final_at = ?, attempts = ?, next_attempt_at = ?, alarmed_at = ?,
		charged_later = ?, claimed_until = NULL
		WHERE payment_id = ? AND version = ?`,
		s.Status, s.DeclineCode, s.Charged, s.Version, s.CausationID, null(s.FinalAt), s.Attempts, null(s.Next),
		null(s.AlarmedAt), s.ChargedLater, s.ID, from)
	return onlyOne(res, err)
}

func remove(ctx context.Context, tx *sql.Tx, s domain.Snapshot) error {
	res, err := tx.ExecContext(ctx, "DELETE FROM payments WHERE payment_id = ? AND version = ?", s.ID, s.Version)
	return onlyOne(res, err)
}

func onlyOne(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(errMoved, err)
	}
	return nil
}

func writeRefunds(ctx context.Context, tx *sql.Tx, before, after domain.Snapshot) error {
	for i, r := range after.Refunds {
		var err error
		switch {
		case i >= len(before.Refunds):
			_, err = tx.ExecContext(ctx, `INSERT INTO refunds (refund_id, payment_id, position, cause, amount, status,
				code, causation_id, requested_at) VALUES (?,?,?,?,?,?,?,?,?)`,
				r.ID, after.ID, i, r.Cause, r.Amount, r.Status, r.Code, r.CausationID, null(r.RequestedAt))
		case r != before.Refunds[i]:
			_, err = tx.ExecContext(ctx, `UPDATE refunds SET status = ?, code = ?, retries = ?, reference = ?, settled_by = ?,
				settled_at = ? WHERE refund_id = ?`,
				r.Status, r.Code, r.Retries, r.Reference, r.SettledBy, null(r.SettledAt), r.ID)
		}
		if err != nil {
			return fmt.Errorf("refund %s: %w", r.ID, err)
		}
	}
	return nil
}

func read(ctx context.Context, c conn, where string, args ...any) (domain.Snapshot, error) {
	s, err := scan(c.QueryRowContext(ctx, "SELECT "+columns+" FROM payments WHERE "+where, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return s, domain.ErrNotFound
	}
	if err != nil {
		return s, fmt.Errorf("read payment: %w", err)
	}
	s.Refunds, err = readRefunds(ctx, c, s.ID)
	return s, err
}

// scan reads columns.
func scan(row interface{ Scan(into ...any) error }) (domain.Snapshot, error) {
	var s domain.Snapshot
	var requested, final, next, alarmed sql.NullTime
	err := row.Scan(
		&s.ID, &s.Reservation, &s.Purpose, &s.Method, &s.Amount, &s.Status, &s.DeclineCode, &s.Charged, &s.Version,
		&s.CorrelationID, &s.CausationID, &requested, &final, &s.Attempts, &next, &alarmed,
		&s.ChargedLater)
	s.RequestedAt, s.FinalAt, s.Next, s.AlarmedAt = requested.Time, final.Time, next.Time, alarmed.Time
	return s, err
}

// null is a time, or NULL for the zero one.
func null(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}
