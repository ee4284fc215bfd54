package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/replay"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// Replayed is what this service tells when the view is made anew: every departure, and every reservation.
func Replayed() []replay.Kind {
	return []replay.Kind{
		{Type: contract.DepartureSnapshot, Read: departureSnapshots},
		{Type: contract.ReservationSnapshot, Read: reservationSnapshots},
	}
}

func departureSnapshots(ctx context.Context, tx *sql.Tx, after string, limit int) ([]replay.Snapshot, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, product_id, travel_date, capacity, held, confirmed, closure, counts, version,
		COALESCE(changed_at, NOW(6)) FROM departures WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read departures: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var told []replay.Snapshot
	for rows.Next() {
		var at time.Time
		d, err := scanDeparture(withTime{rows, &at})
		if err != nil {
			return nil, err
		}
		s := d.Snapshot()
		told = append(told, replay.Snapshot{ID: string(s.ID), Version: s.Version, At: at, Data: func(m contract.Meta) any {
			return contract.DepartureState{Meta: m, Departure: usecase.Totals(d)}
		}})
	}
	return told, rows.Err()
}

// withTime scans a row that has a time behind what its reader knows of.
type withTime struct {
	scanner
	at *time.Time
}

func (w withTime) Scan(dest ...any) error { return w.scanner.Scan(append(dest, w.at)...) }

func reservationSnapshots(ctx context.Context, tx *sql.Tx, after string, limit int) ([]replay.Snapshot, error) {
	rows, err := tx.QueryContext(ctx, "SELECT document FROM reservations WHERE id > ? ORDER BY id LIMIT ?", after, limit)
	if err != nil {
		return nil, fmt.Errorf("read reservations: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var told []replay.Snapshot
	for rows.Next() {
		var raw []byte
		var s domain.Snapshot
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, fmt.Errorf("stored reservation: %w", err)
		}
		told = append(told, replay.Snapshot{ID: string(s.ID), Version: s.Version, At: s.ChangedAt(), Data: func(m contract.Meta) any {
			return contract.Reservation{Meta: m, ReservationState: usecase.State(domain.Restore(s)), History: usecase.History(s.History)}
		}})
	}
	return told, rows.Err()
}
