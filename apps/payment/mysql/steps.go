package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

// addSteps writes the steps of a change in its transaction.
func addSteps(ctx context.Context, tx *sql.Tx, p *domain.Payment) error {
	steps := p.Steps()
	if len(steps) == 0 {
		return nil
	}
	of, args := p.Snapshot(), make([]any, 0, 11*len(steps))
	for _, s := range steps {
		args = append(args, of.Reservation, of.Purpose, of.ID, s.At, s.Kind, s.Status, s.Amount, s.RefundID, s.Cause, s.Detail, s.Actor)
	}
	rows := mysqldb.Rows(len(steps), 11)
	_, err := tx.ExecContext(ctx, `INSERT INTO payment_steps (reservation_id, purpose, payment_id, at, kind, status, amount,
		refund_id, cause, detail, actor) VALUES `+rows, args...)
	if err != nil {
		return fmt.Errorf("payment steps: %w", err)
	}
	return nil
}

// Timeline reads the steps of all payments of a reservation, oldest first. The request of a payment is read from
// its own row.
func (r *Repository) Timeline(ctx context.Context, reservation domain.ReservationID) ([]usecase.TimelineStep, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT purpose, requested_at AS at, 'PAYMENT' AS kind, 'REQUESTED' AS status, amount,
			'' AS refund_id, '' AS cause, '' AS detail, '' AS actor, 0 AS step_id
		FROM payments WHERE reservation_id = ? AND requested_at IS NOT NULL
		UNION ALL SELECT purpose, at, kind, status, amount, refund_id, cause, detail, actor, step_id
		FROM payment_steps WHERE reservation_id = ? ORDER BY at, step_id`, reservation, reservation)
	if err != nil {
		return nil, fmt.Errorf("read timeline: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []usecase.TimelineStep
	for rows.Next() {
		var s usecase.TimelineStep
		var id int64
		if err := rows.Scan(&s.Purpose, &s.At, &s.Kind, &s.Status, &s.Amount, &s.RefundID, &s.Cause, &s.Detail, &s.Actor, &id); err != nil {
			return nil, fmt.Errorf("read timeline: %w", err)
		}
		all = append(all, s)
	}
	return all, rows.Err()
}
