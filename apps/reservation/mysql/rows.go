package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

type scanner interface{ Scan(dest ...any) error }

// toJSON marshals plain structs and maps of ours, which always succeeds.
func toJSON(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

// orNull is NULL for the zero time.
func orNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func readReservation(ctx context.Context, q querier, where string, id domain.ReservationID) (*domain.Reservation, error) {
	return scanReservation(q.QueryRowContext(ctx, "SELECT document FROM reservations "+where, id))
}

func scanReservation(row scanner) (*domain.Reservation, error) {
	var raw []byte
	if err := row.Scan(&raw); errors.Is(err, sql.ErrNoRows) {
		return nil, domain.ErrNotFound
	} else if err != nil {
		return nil, fmt.Errorf("read reservation: %w", err)
	}
	return restored(raw)
}

func restored(document []byte) (*domain.Reservation, error) {
	var s domain.Snapshot
	if err := json.Unmarshal(document, &s); err != nil {
		return nil, fmt.Errorf("stored reservation: %w", err)
	}
	return domain.Restore(s), nil
}

// updateReservation writes a reservation that was read in state before.
func updateReservation(ctx context.Context, tx *sql.Tx, before domain.Status, s domain.Snapshot, c usecase.Change) error {
	kept, tried := 1, 0
	if s.Status != before {
		kept = 0
	}
	if c.Tried {
		tried = 1
	}
	_, err := tx.ExecContext(ctx, `UPDATE reservations SET status = ?, version = ?, changed_at = ?, document = ?, next_attempt_at = ?, claim = NULL,
		attempts = attempts * ? + ? WHERE id = ?`, s.Status, s.Version, s.ChangedAt(), toJSON(s), orNull(c.Next), kept, tried, s.ID)
	if err != nil {
		return fmt.Errorf("update reservation: %w", err)
	}
	return nil
}

const (
	ofDeparture      = "d.id, d.product_id, d.travel_date, d.capacity, d.held, d.confirmed, d.closure, d.counts, d.version"
	departureColumns = "SELECT " + ofDeparture + " FROM departures d "
)

// lockBoth locks a reservation and then its departure, in one round trip: the row that is found by its own key is read,
// and so locked, before the one that it names.
func lockBoth(ctx context.Context, tx *sql.Tx, id domain.ReservationID) (*domain.Reservation, *domain.Departure, error) {
	var raw []byte
	row := tx.QueryRowContext(ctx, "SELECT r.document, "+ofDeparture+` FROM reservations r JOIN departures d ON d.id = r.departure_id
		WHERE r.id = ? FOR UPDATE`, id)
	d, err := scanDeparture(behind{row, &raw})
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, domain.ErrNotFound
	}
	if err != nil {
		return nil, nil, err
	}
	r, err := restored(raw)
	return r, d, err
}

// behind is a row whose first column is read apart.
type behind struct {
	row   scanner
	first any
}

func (b behind) Scan(dest ...any) error { return b.row.Scan(append([]any{b.first}, dest...)...) }

func lockDeparture(ctx context.Context, tx *sql.Tx, id domain.DepartureID) (*domain.Departure, error) {
	d, err := scanDeparture(tx.QueryRowContext(ctx, departureColumns+"WHERE id = ? FOR UPDATE", id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, domain.ErrNotFound
	}
	return d, err
}

func lockDepartures(ctx context.Context, tx *sql.Tx, product domain.ProductID) (map[domain.DepartureID]*domain.Departure, error) {
	rows, err := tx.QueryContext(ctx, departureColumns+"WHERE product_id = ? ORDER BY id FOR UPDATE", product)
	if err != nil {
		return nil, fmt.Errorf("lock departures: %w", err)
	}
	defer func() { _ = rows.Close() }()
	found := map[domain.DepartureID]*domain.Departure{}
	for rows.Next() {
		d, err := scanDeparture(rows)
		if err != nil {
			return nil, err
		}
		found[d.Snapshot().ID] = d
	}
	return found, rows.Err()
}

func scanDeparture(row scanner) (*domain.Departure, error) {
	var s domain.DepartureSnapshot
	var closure sql.NullString
	var counts []byte
	if err := row.Scan(&s.ID, &s.Product, &s.Date, &s.Requested, &s.Held, &s.Confirmed, &closure, &counts, &s.Version); err != nil {
		return nil, fmt.Errorf("read departure: %w", err)
	}
	if err := json.Unmarshal(counts, &s.Counts); err != nil {
		return nil, fmt.Errorf("stored departure: %w", err)
	}
	if closure.Valid {
		if err := json.Unmarshal([]byte(closure.String), &s.Closure); err != nil {
			return nil, fmt.Errorf("stored departure: %w", err)
		}
	}
	return domain.RestoreDeparture(s), nil
}

// saveDeparture writes a departure that was read at version before, 0: it is new; said is what tells of the change.
func saveDeparture(ctx context.Context, tx *sql.Tx, d *domain.Departure, before int64, said []outbox.Message) error {
	s := d.Snapshot()
	if s.Version == before {
		return nil
	}
	var closure, at any
	if s.Closure != nil {
		closure = toJSON(s.Closure)
	}
	if len(said) > 0 {
		at = said[0].Event.Time
	}
	if before == 0 {
		_, err := tx.ExecContext(ctx, `INSERT INTO departures (id, product_id, travel_date, capacity, held, confirmed, closure, counts, version, changed_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, s.ID, s.Product, s.Date, s.Requested, s.Held, s.Confirmed, closure, toJSON(s.Counts), s.Version, at)
		if err != nil {
			return fmt.Errorf("insert departure: %w", err)
		}
		return nil
	}
	_, err := tx.ExecContext(ctx, `UPDATE departures SET capacity = ?, held = ?, confirmed = ?, closure = ?, counts = ?, version = ?, changed_at = ? WHERE id = ?`,
		s.Requested, s.Held, s.Confirmed, closure, toJSON(s.Counts), s.Version, at, s.ID)
	if err != nil {
		return fmt.Errorf("update departure: %w", err)
	}
	return nil
}

func readProduct(ctx context.Context, q querier, where string, id domain.ProductID) (*domain.TourProduct, error) {
	var raw []byte
	err := q.QueryRowContext(ctx, "SELECT document FROM products "+where, id).Scan(&raw)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read product: %w", err)
	}
	var p domain.TourProduct
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, fmt.Errorf("stored product: %w", err)
	}
	return &p, nil
}

func saveProduct(ctx context.Context, tx *sql.Tx, p domain.TourProduct, isNew bool) error {
	query := "UPDATE products SET document = ?, version = ? WHERE id = ?"
	if isNew {
		query = "INSERT INTO products (document, version, id) VALUES (?, ?, ?)"
	}
	if _, err := tx.ExecContext(ctx, query, toJSON(p), p.Version, p.ID); err != nil {
		return fmt.Errorf("save product: %w", err)
	}
	return nil
}

func insertKey(ctx context.Context, tx *sql.Tx, k usecase.Key, id domain.ReservationID, a *usecase.Answer) error {
	var answer any
	if a != nil {
		answer = toJSON(a)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO idempotency_keys (subject, operation, idem_key, body_hash, reservation_id, answer, created_at)
		VALUES (?, ?, ?, ?, ?, ?, NOW(6))`, k.Subject, k.Operation, k.Value, k.BodyHash[:], id, answer)
	if mysqldb.IsDuplicate(err) {
		return usecase.ErrKeyKnown
	}
	if err != nil {
		return fmt.Errorf("insert idempotency key: %w", err)
	}
	return nil
}
