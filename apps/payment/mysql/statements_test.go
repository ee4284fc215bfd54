package mysql

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/payment/domain"
)

// crowd fills the tables over twenty days: all payments are approved, few are due, one refund in a hundred is stuck.
func crowd(t *testing.T, db *sql.DB) {
	t.Helper()
	day := func(i int) time.Time { return moment.Now.AddDate(0, 0, -i%20) }
	dbtest.Fill(t, db, "INSERT INTO payments ("+columns+")", dbtest.Rows, func(i int) []any {
		next := any(nil)
		if i%100 == 0 {
			next = day(i)
		}
		return []any{dbtest.ID(i), dbtest.ID(i), domain.Price, domain.Card, 10_000, domain.Approved, "", 10_000, 2, "c", "c", day(i), nil, 0, next, nil, false}
	})
	dbtest.Fill(t, db, "INSERT INTO refunds (refund_id, payment_id, position, cause, amount, status, code, causation_id, requested_at)", dbtest.Rows,
		func(i int) []any {
			status := domain.RefundStatus("DONE")
			if i%100 == 0 {
				status = "STUCK"
			}
			return []any{dbtest.ID(i), dbtest.ID(i), 0, "CANCELLATION", 10, status, "", "c", day(i)}
		})
	dbtest.Fill(t, db, "INSERT INTO payment_steps (reservation_id, purpose, payment_id, at, kind, status, amount, refund_id, cause, detail, actor)", dbtest.Rows,
		func(i int) []any {
			return []any{dbtest.ID(i), domain.Price, dbtest.ID(i), day(i), domain.StepRefund, "DONE", 10, dbtest.ID(i), "", "", ""}
		})
}

func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, Migrations(), outbox.Migrations())
	crowd(t, db)
	watch.Analyze(db)
	repo, ctx := NewRepository(db, 20*time.Second, func() {}), t.Context()
	id := dbtest.ID(7123)
	order := domain.OrderID(domain.ReservationID(id), domain.Price)
	due := func(p *domain.Payment) ([]contract.Event, error) { p.Soon(moment.Now); return nil, nil }
	watch.Methods(repo, map[string]func() error{
		"Add":  func() error { return repo.Add(ctx, payment(t), nil) },
		"Get":  func() error { _, err := repo.Get(ctx, domain.PaymentID(id)); return err },
		"Find": func() error { _, err := repo.Find(ctx, domain.ReservationID(id), domain.Price); return err },
		"Change": func() error {
			p, err := repo.Get(ctx, domain.PaymentID(id))
			if err == nil {
				_, err = repo.Change(ctx, p, due)
			}
			return err
		},
		"Update":   func() error { _, err := repo.Update(ctx, domain.PaymentID(id), due); return err },
		"Timeline": func() error { _, err := repo.Timeline(ctx, domain.ReservationID(id)); return err },
		"Refunds": func() error {
			list, err := repo.Refunds(ctx, "STUCK", domain.RefundID(id), 101)
			if err == nil && len(list) != 101 {
				err = fmt.Errorf("%d stuck refunds", len(list))
			}
			return err
		},
		"OfRefund": func() error { _, err := repo.OfRefund(ctx, domain.RefundID(id)); return err },
		"MovedBetween": func() error {
			_, err := repo.MovedBetween(ctx, moment.Now, moment.Now.AddDate(0, 0, 1), order, 200)
			return err
		},
		"RefundsMoved": func() error { _, err := repo.RefundsMoved(ctx, []string{order}); return err },
		"OfOrders":     func() error { _, err := repo.OfOrders(ctx, []string{order}); return err },
		"Claim":        func() error { _, err := repo.Claim(ctx, moment.Now, 32); return err },
		"Hurry": func() error {
			_, err := repo.Hurry(ctx, domain.ReservationID(id), domain.Price, moment.Now)
			return err
		},
	})
	if n := watch.Statements(); n < 15 {
		t.Errorf("only %d statements were looked at", n)
	}
}
