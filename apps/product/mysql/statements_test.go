package mysql

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// crowd fills the tables for a hundred MDs: every second notice is acknowledged, and all are owed outside.
func crowd(t *testing.T, db *sql.DB) {
	t.Helper()
	now := time.Now().UTC()
	md := func(i int) string { return fmt.Sprint("md-", i%100) }
	dbtest.Fill(t, db, "INSERT INTO products ("+productColumns+")", dbtest.Rows, func(i int) []any {
		return []any{dbtest.ID(i), md(i), "OPEN", 1, "OVERSEAS", "n", "n", "d", "d", "JP", 2, 1000, 0, 5, 0, nil, `{"Type":"STANDARD"}`, "", now}
	})
	dbtest.Fill(t, db, "INSERT INTO departures (departure_id, product_id, position, date, capacity, min_participants)", dbtest.Rows,
		func(i int) []any { return []any{dbtest.ID(i), dbtest.ID(i), 0, "2027-03-14", 20, 1} })
	dbtest.Fill(t, db, "INSERT INTO inboxes (md_id, last_seq)", dbtest.Rows, func(i int) []any { return []any{fmt.Sprint("md-", i), dbtest.Rows / 100} })
	dbtest.Fill(t, db, "INSERT INTO notices (md_id, seq, reservation_id, version, product_id, status, at, acknowledged_at)", dbtest.Rows,
		func(i int) []any {
			acknowledged := any(nil)
			if i%2 == 0 {
				acknowledged = now.Add(-2 * domain.KeepNotices)
			}
			return []any{md(i), i/100 + 1, dbtest.ID(i), 2, dbtest.ID(i), "CONFIRMED", now, acknowledged}
		})
	dbtest.Fill(t, db, "INSERT INTO notice_handovers (md_id, seq, attempts, due_at)", dbtest.Rows/4, func(i int) []any {
		return []any{md(i), i/100 + 1, i % 2, now.Add(time.Duration(i-100) * time.Minute)}
	})
	dbtest.Fill(t, db, "INSERT INTO heard_reservations (reservation_id, departure_id, version, stuck)", dbtest.Rows,
		func(i int) []any { return []any{dbtest.ID(i), dbtest.ID(i / 10), 2, 0} })
}

func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, Migrations(), outbox.Migrations())
	crowd(t, db)
	watch.Analyze(db)
	ctx, products, inbox, handovers := t.Context(), NewProducts(db), NewInbox(db).HandingOver(), NewHandovers(db)
	said := func(n int) contract.Event {
		e, _ := contract.NewEvent(contract.Envelope{ID: dbtest.ID(n), Type: "x", Subject: "s", Time: time.Now()}, struct{}{})
		return e
	}
	known := domain.ProductID(dbtest.ID(7123))
	watch.Methods(products, map[string]func() error{
		"Add": func() error {
			p, err := products.Find(ctx, known)
			if err != nil {
				return err
			}
			s := p.Snapshot()
			s.ID, s.Departures[0].ID = domain.ProductID(dbtest.ID(dbtest.Rows)), domain.DepartureID(dbtest.ID(dbtest.Rows))
			return products.Add(ctx, domain.Restore(s), said(1))
		},
		"Update": func() error {
			return products.Update(ctx, known, func(*domain.TourProduct) (*contract.Event, error) { e := said(2); return &e, nil })
		},
		"Find": func() error { _, err := products.Find(ctx, known); return err },
		"ListOf": func() error {
			if _, err := products.ListOf(ctx, "md-7", "", 101); err != nil {
				return err
			}
			_, err := products.ListOf(ctx, "md-7", known, 101)
			return err
		},
	})
	yes, no := true, false
	watch.Methods(inbox, map[string]func() error{
		"Hear": func() error {
			return inbox.Hear(ctx, domain.ReservationNews{ReservationID: dbtest.ID(7123), MD: "md-23", ProductID: known, DepartureID: domain.DepartureID(known),
				Version: 3, Status: "CANCELLED", History: []domain.HistoryRow{{Version: 3, From: "CONFIRMED", To: "CANCELLED", At: time.Now()}}})
		},
		"HandingOver": func() error { return nil }, // says nothing to the database
		"Notices": func() error {
			for _, which := range []*bool{nil, &yes, &no} {
				if _, err := inbox.Notices(ctx, "md-7", usecase.NoticePage{After: 10, Limit: 101, Acknowledged: which}); err != nil {
					return err
				}
			}
			return nil
		},
		"Acknowledge": func() error { return inbox.Acknowledge(ctx, "md-7", 1, time.Now()) },
		"Progress":    func() error { _, err := inbox.Progress(ctx, domain.DepartureID(dbtest.ID(70)), time.Now()); return err },
	})
	var owed domain.OwedNotice
	watch.Of("Claim", func() (err error) {
		for range 90 { // first those that were never tried, then the others
			var ok bool
			if owed, ok, err = handovers.Claim(ctx, time.Minute); err != nil || !ok {
				return fmt.Errorf("claimed %t: %w", ok, err)
			}
		}
		return nil
	})
	watch.Methods(handovers, map[string]func() error{
		"Claim":    func() error { return nil },
		"Postpone": func() error { return handovers.Postpone(ctx, owed, time.Minute) },
		"Rest":     func() error { return handovers.Rest(ctx, "md-7", time.Minute) },
		"Settle":   func() error { return handovers.Settle(ctx, owed) },
	})
	watch.Of("OldNotices", func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		_, err = OldNotices(domain.KeepNotices).Remove(ctx, tx, 500)
		return err
	})
	if n := watch.Statements(); n < 20 {
		t.Errorf("only %d statements were looked at", n)
	}
}
