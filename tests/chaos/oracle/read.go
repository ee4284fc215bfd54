package oracle

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"
)

// readReservations reads departures and reservations, in one consistent snapshot.
func (s Sources) readReservations(ctx context.Context, w *World) error {
	w.At, w.Departures, w.Reservations, w.Keys = time.Now(), map[string]*Departure{}, map[string]*Reservation{}, map[string][]string{}
	return s.snapshot(ctx, "reservation", func(tx *sql.Conn) error {
		if err := readDepartures(ctx, tx, w); err != nil {
			return err
		}
		if err := each(ctx, tx, "SELECT id, status, version, document FROM reservations", func(scan scanner) error {
			var id, status, document string
			var version int64
			if err := scan(&id, &status, &version, &document); err != nil {
				return err
			}
			r := &Reservation{}
			if err := json.Unmarshal([]byte(document), r); err != nil {
				return err
			}
			if r.ID != id || r.Status != status || r.Version != version {
				return fmt.Errorf("reservation %s: columns and document differ", id)
			}
			w.Reservations[id] = r
			if d := w.Departures[r.Departure]; d != nil {
				d.count(status, 1, r.Travellers)
			}
			return nil
		}); err != nil {
			return err
		}
		return each(ctx, tx, "SELECT subject, idem_key, reservation_id FROM idempotency_keys WHERE operation = 'POST /reservations'", func(scan scanner) error {
			var subject, key, id string
			err := scan(&subject, &key, &id)
			w.Keys[subject+" "+key] = append(w.Keys[subject+" "+key], id)
			return err
		})
	})
}

func readDepartures(ctx context.Context, tx *sql.Conn, w *World) error {
	return each(ctx, tx, "SELECT id, product_id, version, capacity, held, confirmed, closure IS NOT NULL, counts FROM departures", func(scan scanner) error {
		d, counts := &Departure{rows: map[string]int{}}, ""
		if err := scan(&d.ID, &d.Product, &d.Version, &d.Asked, &d.Held, &d.Confirmed, &d.Closed, &counts); err != nil {
			return err
		}
		w.Departures[d.ID] = d
		return json.Unmarshal([]byte(counts), &d.Counts)
	})
}

// Part is one of those of which the world is read.
type Part func(Sources, context.Context, *World) error

// Parts of the world.
var (
	Reservations Part = Sources.readReservations
	Payments     Part = Sources.readPayments // and the provider's ledger
	Products     Part = Sources.readProducts // and the inboxes of their MDs
	Leftovers    Part = Sources.readLeftovers
	View         Part = Sources.readView // and its dead letters
	ViewLetters  Part = Sources.readLetters
	Store        Part = Sources.readStore
	Owed         Part = Sources.readOwed
)

// Read reads everything: reservation first, so that what the others know is at least as new.
func (s Sources) Read(ctx context.Context) (*World, error) {
	return s.Again(ctx, &World{}, Reservations, Payments, Products, Leftovers, View, Store, Owed)
}

// Again is a world of which some parts are read again, and the others are as they were.
func (s Sources) Again(ctx context.Context, before *World, parts ...Part) (*World, error) {
	w := *before
	for _, read := range parts {
		if err := s.patiently(ctx, &w, read); err != nil {
			return nil, err
		}
	}
	return &w, nil
}

// patience with each of the readers.
const patience = 30 * time.Second

func (s Sources) patiently(ctx context.Context, w *World, read Part) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return read(s, ctx, w)
}

func (s Sources) readPayments(ctx context.Context, w *World) error {
	w.Payments, w.Refunds = map[string]*Payment{}, nil
	err := s.snapshot(ctx, "payment", func(tx *sql.Conn) error {
		if err := each(ctx, tx, "SELECT payment_id, reservation_id, status, amount FROM payments", func(scan scanner) error {
			p := &Payment{}
			err := scan(&p.ID, &p.Reservation, &p.Status, &p.Amount)
			w.Payments[p.ID] = p
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, "SELECT refund_id, payment_id, cause, amount, status, reference FROM refunds", func(scan scanner) error {
			var r Refund
			err := scan(&r.ID, &r.Payment, &r.Cause, &r.Amount, &r.Status, &r.Reference)
			w.Refunds = append(w.Refunds, r)
			return err
		})
	})
	if err != nil {
		return err
	}
	raw, err := s.Ledger()
	if err != nil {
		return err
	}
	var ledger struct{ Entries []Charge }
	err = json.Unmarshal(raw, &ledger)
	w.Ledger = ledger.Entries
	return err
}

func (s Sources) readProducts(ctx context.Context, w *World) error {
	w.Products, w.LastSeq, w.Notices = map[string]*Product{}, map[string]int64{}, nil
	return s.snapshot(ctx, "product", func(tx *sql.Conn) error {
		if err := each(ctx, tx, "SELECT product_id, md_id, status, version, price FROM products", func(scan scanner) error {
			p := &Product{Closures: map[string]Closure{}}
			err := scan(&p.ID, &p.MD, &p.Status, &p.Version, &p.Price)
			w.Products[p.ID] = p
			return err
		}); err != nil {
			return err
		}
		if err := each(ctx, tx, "SELECT product_id, departure_id, closure_reason, closed_on FROM departures WHERE closure_reason IS NOT NULL", func(scan scanner) error {
			var product, departure string
			var c Closure
			err := scan(&product, &departure, &c.Reason, &c.On)
			w.Products[product].Closures[departure] = c
			return err
		}); err != nil {
			return err
		}
		if err := each(ctx, tx, "SELECT md_id, last_seq FROM inboxes", func(scan scanner) error {
			var md string
			var seq int64
			err := scan(&md, &seq)
			w.LastSeq[md] = seq
			return err
		}); err != nil {
			return err
		}
		return each(ctx, tx, "SELECT md_id, seq, reservation_id, version, status FROM notices ORDER BY md_id, seq", func(scan scanner) error {
			var n Notice
			err := scan(&n.MD, &n.Seq, &n.Reservation, &n.Version, &n.Status)
			w.Notices = append(w.Notices, n)
			return err
		})
	})
}

// readLeftovers counts what waits in outboxes, what was given up for good, and what was given up and handled after all.
func (s Sources) readLeftovers(ctx context.Context, w *World) error {
	w.Waiting, w.Dead, w.Handled = map[string]int{}, map[string]int{}, map[string]int{}
	for service, db := range s.DB {
		var letters, handled, waiting int
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*), COUNT(r.letter) FROM dead_letters l LEFT JOIN
			(SELECT DISTINCT letter FROM dead_letter_replays WHERE result = 'DONE') r ON r.letter = l.id`).Scan(&letters, &handled); err != nil {
			return fmt.Errorf("dead letters of %s: %w", service, err)
		}
		w.Dead[service], w.Handled[service] = letters-handled, handled
		if service == "store" {
			continue // it publishes nothing
		}
		if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM outbox").Scan(&waiting); err != nil {
			return fmt.Errorf("outbox of %s: %w", service, err)
		}
		w.Waiting[service] = waiting
	}
	return nil
}

type scanner = func(...any) error

// snapshot runs a reader in one consistent read of a service's database.
func (s Sources) snapshot(ctx context.Context, service string, read func(*sql.Conn) error) error {
	conn, err := s.DB[service].Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{"SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	if err := read(conn); err != nil {
		return fmt.Errorf("%s: %w", service, err)
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func each(ctx context.Context, conn *sql.Conn, query string, row func(scanner) error) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
