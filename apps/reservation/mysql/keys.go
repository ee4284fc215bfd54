package mysql

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// Lookup implements usecase.Keys.
func (r *Repository) Lookup(ctx context.Context, k usecase.Key) (usecase.Stored, bool, error) {
	var stored usecase.Stored
	var hash []byte
	var answer sql.NullString
	err := r.db.QueryRowContext(ctx, `SELECT body_hash, reservation_id, answer FROM idempotency_keys
		WHERE subject = ? AND operation = ? AND idem_key = ?`, k.Subject, k.Operation, k.Value).Scan(&hash, &stored.Reservation, &answer)
	if errors.Is(err, sql.ErrNoRows) {
		return usecase.Stored{}, false, nil
	}
	if err != nil {
		return usecase.Stored{}, false, fmt.Errorf("read idempotency key: %w", err)
	}
	copy(stored.BodyHash[:], hash)
	if answer.Valid {
		if err := json.Unmarshal([]byte(answer.String), &stored.Answer); err != nil {
			return usecase.Stored{}, false, fmt.Errorf("stored answer: %w", err)
		}
	}
	return stored, true, nil
}

// OldKeys are idempotency keys of an age at which nobody repeats a request any longer.
func OldKeys(keep time.Duration) mysqldb.Waste {
	return mysqldb.Waste{Name: "idempotency_keys", Remove: func(ctx context.Context, tx *sql.Tx, limit int) (int, error) {
		old, err := mysqldb.Found(ctx, tx, `SELECT subject, operation, idem_key FROM idempotency_keys
			WHERE created_at < NOW(6) - INTERVAL ? SECOND ORDER BY created_at LIMIT ?`, int(keep.Seconds()), limit)
		if err != nil {
			return 0, err
		}
		return len(old), mysqldb.DeleteByKey(ctx, tx, "idempotency_keys", []string{"subject", "operation", "idem_key"}, old)
	}}
}

// saveKeys writes what a change means for the key that made the reservation, and for a further one.
func saveKeys(ctx context.Context, tx *sql.Tx, id domain.ReservationID, c usecase.Change) error {
	if c.Forget {
		if _, err := tx.ExecContext(ctx, "DELETE FROM idempotency_keys WHERE reservation_id = ? AND operation = ?", id, usecase.OperationReserve); err != nil {
			return fmt.Errorf("forget idempotency key: %w", err)
		}
	}
	if c.Answer != nil {
		if _, err := tx.ExecContext(ctx, "UPDATE idempotency_keys SET answer = ? WHERE reservation_id = ? AND operation = ?",
			toJSON(c.Answer), id, usecase.OperationReserve); err != nil {
			return fmt.Errorf("store answer: %w", err)
		}
	}
	if c.Ended != nil {
		if _, err := tx.ExecContext(ctx, `UPDATE idempotency_keys SET answer = ? WHERE reservation_id = ? AND operation = ?
			AND JSON_EXTRACT(answer, '$.status') = ?`, toJSON(c.Ended), id, usecase.OperationCancel(id), usecase.StatusAccepted); err != nil {
			return fmt.Errorf("store answer: %w", err)
		}
	}
	if c.NewKey != nil {
		return insertKey(ctx, tx, c.NewKey.Key, id, &c.NewKey.Answer)
	}
	return nil
}

// Due implements usecase.Agenda. It looks without locking and claims by primary key: claiming by a range of the
// index would lock what reserving is about to change, and both would wait for each other.
func (r *Repository) Due(ctx context.Context, c usecase.Claim) ([]usecase.DueReservation, error) {
	// By name: whatever the statistics say, what is due is read along the index, and never every trip to come.
	which := "FORCE INDEX (agenda) WHERE status <> 'PENDING'"
	if c.Pending {
		which = "FORCE INDEX (agenda_by_status) WHERE status = 'PENDING'"
	}
	due, err := r.dueNow(ctx, which+" AND next_attempt_at <= NOW(6) ORDER BY next_attempt_at LIMIT ?", c.Limit)
	if err != nil || len(due) == 0 {
		return nil, err
	}
	claim := uuid.Must(uuid.NewV7()).String()
	args := []any{claim, int(c.Lease.Seconds())}
	for _, d := range due {
		args = append(args, d.ID)
	}
	marks := mysqldb.Marks(len(due))
	_, err = r.db.ExecContext(ctx, `UPDATE reservations SET claim = ?, next_attempt_at = NOW(6) + INTERVAL ? SECOND
		WHERE id IN (`+marks+`) AND next_attempt_at <= NOW(6)`, args...)
	if err != nil {
		return nil, fmt.Errorf("claim agenda: %w", err)
	}
	return r.dueNow(ctx, "WHERE claim = ?", claim)
}

func (r *Repository) dueNow(ctx context.Context, which string, arg any) ([]usecase.DueReservation, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT id, attempts FROM reservations "+which, arg)
	if err != nil {
		return nil, fmt.Errorf("read agenda: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var due []usecase.DueReservation
	for rows.Next() {
		var d usecase.DueReservation
		if err := rows.Scan(&d.ID, &d.Attempts); err != nil {
			return nil, err
		}
		due = append(due, d)
	}
	return due, rows.Err()
}

// Soon implements usecase.Agenda. It touches only what is waited for: the request that made a reservation may
// be about to settle it, and then finds nothing to wake.
func (r *Repository) Soon(ctx context.Context, id domain.ReservationID) error {
	_, err := r.db.ExecContext(ctx, "UPDATE reservations SET next_attempt_at = NOW(6) WHERE id = ? AND status = ? AND attempts > 0", id, domain.Pending)
	if err != nil {
		return fmt.Errorf("wake reservation: %w", err)
	}
	return nil
}
