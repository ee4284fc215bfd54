package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"oneqtour/apps/product/domain"
)

// Handovers implements usecase.Handovers: the notices that are still owed to the receiver outside.
type Handovers struct{ db *sql.DB }

// NewHandovers makes a repository.
func NewHandovers(db *sql.DB) *Handovers { return &Handovers{db} }

// candidates are read at once, so that replicas that look at the same moment do not all go for one row.
const candidates = 16

// Claim leases a notice that is due by the clock of the database, of those that were never tried the one that has
// been due longest, then of the others; ok is false when none is. The
// count of attempts is the token of the lease: of those who have read the same count, one raises it.
func (r *Handovers) Claim(ctx context.Context, lease time.Duration) (n domain.OwedNotice, ok bool, err error) {
	due, err := r.due(ctx, "h.attempts = 0")
	if err == nil && len(due) == 0 {
		due, err = r.due(ctx, "h.attempts > 0")
	}
	if err != nil {
		return n, false, fmt.Errorf("read notices to hand over: %w", err)
	}
	for _, n := range due {
		res, err := r.db.ExecContext(ctx, `UPDATE notice_handovers
			SET attempts = attempts + 1, due_at = NOW(6) + INTERVAL ? MICROSECOND
			WHERE md_id = ? AND seq = ? AND attempts = ?`, lease.Microseconds(), n.MD, n.Seq, n.Attempts)
		if err != nil {
			return n, false, fmt.Errorf("claim a notice: %w", err)
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 1 {
			n.Attempts++
			return n, err == nil, err
		}
	}
	return n, false, nil
}

func (r *Handovers) due(ctx context.Context, which string) ([]domain.OwedNotice, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT h.md_id, h.seq, h.attempts, n.reservation_id, n.product_id, n.version,
			n.status, n.kind, n.cause, n.at
		FROM notice_handovers h JOIN notices n ON n.md_id = h.md_id AND n.seq = h.seq
		WHERE h.due_at <= NOW(6) AND `+which+` ORDER BY h.due_at LIMIT ?`, candidates)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var due []domain.OwedNotice
	for rows.Next() {
		var n domain.OwedNotice
		if err := rows.Scan(&n.MD, &n.Seq, &n.Attempts, &n.ReservationID, &n.ProductID, &n.Version,
			&n.Status, &n.Kind, &n.Cause, &n.At); err != nil {
			return nil, err
		}
		due = append(due, n)
	}
	return due, rows.Err()
}

// Settle forgets what the receiver has taken, whoever holds the lease by now.
func (r *Handovers) Settle(ctx context.Context, n domain.OwedNotice) error {
	_, err := r.db.ExecContext(ctx, "DELETE FROM notice_handovers WHERE md_id = ? AND seq = ?", n.MD, n.Seq)
	if err != nil {
		return fmt.Errorf("settle a notice: %w", err)
	}
	return nil
}

// Postpone makes the notice due after the pause, unless another replica has claimed it since.
func (r *Handovers) Postpone(ctx context.Context, n domain.OwedNotice, pause time.Duration) error {
	_, err := r.db.ExecContext(ctx, `UPDATE notice_handovers SET due_at = NOW(6) + INTERVAL ? MICROSECOND
		WHERE md_id = ? AND seq = ? AND attempts = ?`, pause.Microseconds(), n.MD, n.Seq, n.Attempts)
	if err != nil {
		return fmt.Errorf("postpone a notice: %w", err)
	}
	return nil
}

// Rest lets no notice of the MD be due before the pause is over; a lease is not made shorter.
func (r *Handovers) Rest(ctx context.Context, md domain.MDID, pause time.Duration) error {
	_, err := r.db.ExecContext(ctx, `UPDATE notice_handovers SET due_at = GREATEST(due_at, NOW(6) + INTERVAL ? MICROSECOND)
		WHERE md_id = ?`, pause.Microseconds(), md)
	if err != nil {
		return fmt.Errorf("let the notices of an MD rest: %w", err)
	}
	return nil
}
