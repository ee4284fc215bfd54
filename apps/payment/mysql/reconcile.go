package mysql

import (
	"context"
	"fmt"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/payment/domain"
)

// MovedBetween lists, sorted, at most limit order ids behind after that were requested, or had a refund requested,
// retried, returned or settled, from from until before to.
func (r *Repository) MovedBetween(ctx context.Context, from, to time.Time, after string, limit int) ([]string, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT order_id FROM (
			SELECT CONCAT(reservation_id, '-', purpose) AS order_id FROM payments WHERE requested_at >= ? AND requested_at < ?
			UNION SELECT CONCAT(reservation_id, '-', purpose) FROM payment_steps WHERE at >= ? AND at < ? AND kind = ?
		) moved WHERE order_id > ? ORDER BY order_id LIMIT ?`, from, to, from, to, domain.StepRefund, after, limit)
	if err != nil {
		return nil, fmt.Errorf("payments of a day: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("payments of a day: %w", err)
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

// RefundsMoved says when the refunds of the orders have moved the last time.
func (r *Repository) RefundsMoved(ctx context.Context, orders []string) (map[domain.RefundID]time.Time, error) {
	moved := map[domain.RefundID]time.Time{}
	marks, reservations := reservationsOf(orders)
	if len(reservations) == 0 {
		return moved, nil
	}
	rows, err := r.db.QueryContext(ctx, "SELECT refund_id, MAX(at) FROM payment_steps WHERE reservation_id IN ("+marks+
		") AND kind = ? GROUP BY refund_id", append(reservations, domain.StepRefund)...)
	if err != nil {
		return nil, fmt.Errorf("movements of refunds: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id domain.RefundID
		var at time.Time
		if err := rows.Scan(&id, &at); err != nil {
			return nil, fmt.Errorf("movements of refunds: %w", err)
		}
		moved[id] = at
	}
	return moved, rows.Err()
}

func reservationsOf(orders []string) (marks string, ids []any) {
	for _, order := range orders {
		if reservation, _, ok := domain.ParseOrderID(order); ok {
			ids = append(ids, reservation)
		}
	}
	return mysqldb.Marks(len(ids)), ids
}

// OfOrders reads the payments of order ids, by order id.
func (r *Repository) OfOrders(ctx context.Context, orders []string) (map[string]domain.Snapshot, error) {
	found := map[string]domain.Snapshot{}
	marks, reservations := reservationsOf(orders)
	if len(reservations) == 0 {
		return found, nil
	}
	rows, err := r.db.QueryContext(ctx, "SELECT "+columns+" FROM payments WHERE reservation_id IN ("+marks+")", reservations...)
	if err != nil {
		return nil, fmt.Errorf("payments of orders: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		s, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("payments of orders: %w", err)
		}
		found[domain.OrderID(s.Reservation, s.Purpose)] = s
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("payments of orders: %w", err)
	}
	return found, r.addRefunds(ctx, found)
}

func (r *Repository) addRefunds(ctx context.Context, to map[string]domain.Snapshot) error {
	orders, payments := map[domain.PaymentID]string{}, []any{}
	for order, s := range to {
		orders[s.ID], payments = order, append(payments, s.ID)
	}
	if len(payments) == 0 {
		return nil
	}
	marks := mysqldb.Marks(len(payments))
	rows, err := r.db.QueryContext(ctx, "SELECT r.payment_id, "+refundColumns+" FROM refunds r WHERE r.payment_id IN ("+marks+
		") ORDER BY r.payment_id, r.position", payments...)
	if err != nil {
		return fmt.Errorf("refunds of payments: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var of domain.PaymentID
		var one domain.Refund
		fields, finish := refundFields(&one)
		if err := rows.Scan(append([]any{&of}, fields...)...); err != nil {
			return fmt.Errorf("refunds of payments: %w", err)
		}
		finish()
		s := to[orders[of]]
		s.Refunds = append(s.Refunds, one)
		to[orders[of]] = s
	}
	return rows.Err()
}
