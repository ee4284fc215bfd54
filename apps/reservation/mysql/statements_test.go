package mysql_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

// crowd fills the tables: most reservations are of trips to come, one in twenty is of the day of noon, and one in a
// hundred wants to be looked at.
func crowd(t *testing.T, db *sql.DB) {
	t.Helper()
	product := domain.TourProduct{Version: 1, Kind: "OVERSEAS", Nights: 2, Price: 1_000_000}
	dbtest.Fill(t, db, "INSERT INTO products (id, version, document)", dbtest.Rows, func(i int) []any {
		product.ID = domain.ProductID(dbtest.ID(i))
		return []any{product.ID, 1, document(product)}
	})
	dbtest.Fill(t, db, "INSERT INTO departures (id, product_id, travel_date, capacity, held, confirmed, counts, version)", dbtest.Rows,
		func(i int) []any { return []any{dbtest.ID(i), dbtest.ID(i), "2027-03-14", 20, 1, 1, "{}", 1} })
	soon := time.Now().UTC().Add(240 * time.Hour)
	dbtest.Fill(t, db, `INSERT INTO reservations (id, customer_id, departure_id, status, version, created_at, changed_at, document,
		next_attempt_at)`, dbtest.Rows, func(i int) []any {
		at, status, next := noon.AddDate(0, 0, -i%20), domain.Confirmed, any(soon)
		switch i % 100 {
		case 0:
			status, next = domain.Pending, noon
		case 1:
			status, next = domain.CancelRequested, noon
		case 2, 3, 4, 5, 6, 7, 8, 9:
			status, next = domain.Cancelled, nil
		}
		s := domain.Snapshot{ID: domain.ReservationID(dbtest.ID(i)), Customer: fmt.Sprint("customer-", i%500),
			Departure: domain.DepartureID(dbtest.ID(i)), Product: domain.ProductID(dbtest.ID(i)), Status: status, Version: 2, CreatedAt: at,
			History: []domain.Entry{{Version: 1, Kind: domain.KindTransition, To: status, At: at}}}
		return []any{s.ID, s.Customer, s.Departure, s.Status, 2, at, at, document(s), next}
	})
	dbtest.Fill(t, db, "INSERT INTO idempotency_keys (subject, operation, idem_key, body_hash, reservation_id, created_at)", dbtest.Rows,
		func(i int) []any {
			return []any{fmt.Sprint("customer-", i%500), usecase.OperationReserve, dbtest.ID(i), make([]byte, 32), dbtest.ID(i), noon}
		})
	dbtest.Fill(t, db, "INSERT INTO closings (departure_id, claimed_until)", dbtest.Rows, func(i int) []any { return []any{dbtest.ID(i), soon} })
	dbtest.Fill(t, db, "INSERT INTO compensations (reservation_id, customer_id, amount, status, due_at, paid_at)", dbtest.Rows, func(i int) []any {
		return []any{dbtest.ID(i), "c", 1, []string{"DUE", "PAID"}[i%2], noon.AddDate(0, 0, -i%20), noon.AddDate(0, 0, -i%20)}
	})
	dbtest.Fill(t, db, "INSERT INTO waivers (reservation_id, status, opened_at)", dbtest.Rows, func(i int) []any {
		return []any{dbtest.ID(i), []string{"CLAIMED", "GRANTED"}[i%2], noon.AddDate(0, 0, -i%20)}
	})
}

func document(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, mysql.Migrations(), outbox.Migrations())
	crowd(t, db)
	watch.Analyze(db)
	repo, ctx := mysql.NewRepository(db), t.Context()
	const id = 7123 // of a row in the middle
	key := usecase.Key{Subject: "c", Operation: usecase.OperationReserve, Value: "fresh"}
	page := usecase.Page{Limit: 101, Before: noon, BeforeID: domain.ReservationID(dbtest.ID(id))}
	day, dayAfter := noon, noon.AddDate(0, 0, 1)
	answer := usecase.Answer{Status: usecase.StatusAccepted}
	waived := &domain.Waiver{Status: domain.WaiverStatus("CLAIMED")}
	create := func(id string, clientMade bool) error {
		n := usecase.NewReservation{Key: key, ID: domain.ReservationID(id), ClientMade: clientMade, Product: domain.ProductID(dbtest.ID(5)),
			Departure: domain.DepartureID(dbtest.ID(5))}
		n.Key.Value = id
		return repo.Create(ctx, n, func(o usecase.Offer) (*domain.Reservation, usecase.Change, error) {
			r, err := domain.Reserve(domain.Wish{ID: n.ID, Customer: "c", Travellers: 1, Plan: domain.PlanFull, At: noon}, o.Product, o.Departure)
			return r, usecase.Change{Next: noon}, err
		})
	}
	due := func(pending bool) error {
		n := 0
		for { // until nothing is due, as it is most of the time
			list, err := repo.Due(ctx, usecase.Claim{Pending: pending, Limit: 16, Lease: time.Hour})
			if n += len(list); err != nil || len(list) == 0 && n >= dbtest.Rows/100 {
				return err
			}
			if len(list) == 0 {
				return fmt.Errorf("%d were due", n)
			}
		}
	}
	watch.Methods(repo, map[string]func() error{
		"Create": func() error {
			if err := create(newID(), false); err != nil {
				return err
			}
			return create(newID(), true)
		},
		"Update": func() error {
			return repo.Update(ctx, domain.ReservationID(dbtest.ID(id)), func(r *domain.Reservation, _ *domain.Departure) (*usecase.Change, error) {
				s := r.Snapshot()
				s.Waiver = waived
				s.Cancellation = &domain.Cancellation{Compensation: &domain.Compensation{Status: "DUE", DueAt: noon}}
				*r = *domain.Restore(s)
				return &usecase.Change{Answer: &answer, Ended: &answer, Forget: true}, nil
			})
		},
		"Find": func() error { _, err := repo.Find(ctx, domain.ReservationID(dbtest.ID(id))); return err },
		"ListOf": func() error {
			if _, err := repo.ListOf(ctx, "customer-7", usecase.Page{Limit: 101}); err != nil {
				return err
			}
			_, err := repo.ListOf(ctx, "customer-7", page)
			return err
		},
		"Look": func() error {
			_, err := repo.Look(ctx, domain.ProductID(dbtest.ID(id)), domain.DepartureID(dbtest.ID(id)))
			return err
		},
		"Follow": func() error {
			return repo.Follow(ctx, domain.ProductID(dbtest.ID(id)),
				func(p *domain.TourProduct, _ map[domain.DepartureID]*domain.Departure) (usecase.Followed, error) {
					return usecase.Followed{Product: p}, nil
				})
		},
		"Lookup": func() error { _, _, err := repo.Lookup(ctx, key); return err },
		"Due": func() error {
			if err := due(true); err != nil {
				return err
			}
			return due(false)
		},
		"Soon": func() error { return repo.Soon(ctx, domain.ReservationID(dbtest.ID(id))) },
		"ClaimClosing": func() error {
			if _, err := db.ExecContext(ctx, "UPDATE closings SET claimed_until = NULL WHERE departure_id = ?", dbtest.ID(99)); err != nil {
				return err
			}
			if got, err := repo.ClaimClosing(ctx, time.Minute); err != nil || string(got) != dbtest.ID(99) {
				return fmt.Errorf("claimed %q, %w", got, err)
			}
			_, err := repo.ClaimClosing(ctx, time.Minute)
			return err
		},
		"HoldClosing":      func() error { return repo.HoldClosing(ctx, domain.DepartureID(dbtest.ID(id)), time.Minute) },
		"ClosingDone":      func() error { return repo.ClosingDone(ctx, domain.DepartureID(dbtest.ID(id))) },
		"OpenReservations": func() error { _, err := repo.OpenReservations(ctx, domain.DepartureID(dbtest.ID(id)), 16); return err },
		"ListCompensations": func() error {
			_, err := repo.ListCompensations(ctx, "DUE", usecase.CompensationPage{Limit: 101, DueAt: noon.AddDate(0, 0, -9), ID: page.BeforeID})
			return err
		},
		"CompensationsBetween": func() error {
			list, err := repo.CompensationsBetween(ctx, day, dayAfter)
			if err == nil && len(list) != dbtest.Rows/20 {
				err = fmt.Errorf("%d of a day", len(list))
			}
			return err
		},
		"CompensationsOf": func() error { _, err := repo.CompensationsOf(ctx, []domain.ReservationID{"a", "b"}); return err },
		"Unfinished": func() error {
			if _, err := repo.Unfinished(ctx, usecase.Page{Limit: 101}); err != nil {
				return err
			}
			_, err := repo.Unfinished(ctx, page)
			return err
		},
		"Track": func() error { _, err := repo.Track(ctx, domain.ReservationID(dbtest.ID(id))); return err },
		"WithWaiver": func() error {
			page.Before = noon.AddDate(0, 0, -9)
			_, err := repo.WithWaiver(ctx, "CLAIMED", page)
			return err
		},
		"ChangedBetween": func() error {
			list, err := repo.ChangedBetween(ctx, day, dayAfter, domain.ReservationID(dbtest.ID(id)), 200)
			if err == nil && len(list) != 200 {
				err = fmt.Errorf("%d in a page of a day", len(list))
			}
			return err
		},
		"FindAll": func() error { _, err := repo.FindAll(ctx, []domain.ReservationID{"a", "b"}); return err },
	})
	watch.Of("OldKeys", func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		_, err = mysql.OldKeys(usecase.KeepKeys).Remove(ctx, tx, 500)
		return err
	})
	if n := watch.Statements(); n < 25 {
		t.Errorf("only %d statements were looked at", n)
	}
}
