package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

// refundColumns are those of refunds r.
const refundColumns = `r.refund_id, r.cause, r.amount, r.status, r.code, r.causation_id, r.requested_at, r.retries,
	r.reference, r.settled_by, r.settled_at`

// refundFields are where a row of refundColumns goes; the returned function finishes it.
func refundFields(r *domain.Refund) ([]any, func()) {
	var requested, settled sql.NullTime
	return []any{&r.ID, &r.Cause, &r.Amount, &r.Status, &r.Code, &r.CausationID, &requested, &r.Retries, &r.Reference,
		&r.SettledBy, &settled}, func() { r.RequestedAt, r.SettledAt = requested.Time, settled.Time }
}

func readRefunds(ctx context.Context, c conn, id domain.PaymentID) ([]domain.Refund, error) {
	rows, err := c.QueryContext(ctx, "SELECT "+refundColumns+" FROM refunds r WHERE r.payment_id = ? ORDER BY r.position", id)
	if err != nil {
		return nil, fmt.Errorf("read refunds: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var refunds []domain.Refund
	for rows.Next() {
		var r domain.Refund
		fields, finish := refundFields(&r)
		if err := rows.Scan(fields...); err != nil {
			return nil, fmt.Errorf("read refunds: %w", err)
		}
		finish()
		refunds = append(refunds, r)
	}
	return refunds, rows.Err()
}

// Refunds lists at most limit refunds of a status, by id and so by age, behind the id after.
func (r *Repository) Refunds(ctx context.Context, status domain.RefundStatus, after domain.RefundID, limit int) ([]usecase.RefundOf, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT p.payment_id, p.reservation_id, p.purpose, `+refundColumns+`
		FROM refunds r JOIN payments p ON p.payment_id = r.payment_id
		WHERE r.status = ? AND r.refund_id > ? ORDER BY r.refund_id LIMIT ?`, status, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list refunds: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []usecase.RefundOf
	for rows.Next() {
		var of usecase.RefundOf
		fields, finish := refundFields(&of.Refund)
		if err := rows.Scan(append([]any{&of.Payment, &of.Reservation, &of.Purpose}, fields...)...); err != nil {
			return nil, fmt.Errorf("list refunds: %w", err)
		}
		finish()
		all = append(all, of)
	}
	return all, rows.Err()
}

// OfRefund finds the payment of a refund; domain.ErrNotFound.
func (r *Repository) OfRefund(ctx context.Context, id domain.RefundID) (domain.PaymentID, error) {
	var of domain.PaymentID
	err := r.db.QueryRowContext(ctx, "SELECT payment_id FROM refunds WHERE refund_id = ?", id).Scan(&of)
	if errors.Is(err, sql.ErrNoRows) {
		return "", domain.ErrNotFound
	}
	if err != nil {
		return "", fmt.Errorf("find refund: %w", err)
	}
	return of, nil
}
