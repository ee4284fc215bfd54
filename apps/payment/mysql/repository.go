// Package mysql keeps payments and their refunds, and writes their events into the outbox of the same
// transaction.
package mysql

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/usecase"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the tables of payment.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "payment", Files: sub}
}

// Repository keeps payments.
type Repository struct {
	db    *sql.DB
	lease time.Duration
	told  func()
}

// NewRepository makes a repository. lease is how long a claimed payment belongs to its worker; told is called when
// events were stored.
func NewRepository(db *sql.DB, lease time.Duration, told func()) *Repository {
	return &Repository{db: db, lease: lease, told: told}
}

func (r *Repository) inTx(ctx context.Context, fn func(tx *sql.Tx) ([]contract.Event, error)) error {
	told := false
	err := mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		events, err := fn(tx)
		if err != nil {
			return err
		}
		told = len(events) > 0
		return outbox.Add(ctx, tx, messages(events))
	})
	if told { // also when nobody knows whether it was committed
		r.told()
	}
	return err
}

// Add stores a new payment; domain.ErrExists when there is one of this reservation and purpose,
// domain.ErrNotStored when it certainly is not stored. Any other error leaves it open whether it is.
func (r *Repository) Add(ctx context.Context, p *domain.Payment, events []contract.Event) error {
	var err error
	if s := p.Snapshot(); len(events) == 0 {
		err = r.insertAlone(ctx, s)
	} else {
		err = r.inTx(ctx, func(tx *sql.Tx) ([]contract.Event, error) {
			if err := insert(ctx, tx, s); err != nil {
				return nil, err
			}
			return events, addSteps(ctx, tx, p)
		})
	}
	switch {
	case mysqldb.IsDuplicate(err):
		return domain.ErrExists
	case err != nil:
		return fmt.Errorf("add payment: %w", err)
	}
	return nil
}

// insertAlone needs no transaction: one statement is one, in one round trip. The connection is taken first,
// since what fails before there is one has certainly stored nothing.
func (r *Repository) insertAlone(ctx context.Context, s domain.Snapshot) error {
	conn, err := r.db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", domain.ErrNotStored, err)
	}
	defer func() { _ = conn.Close() }()
	if err = insert(ctx, conn, s); mysqldb.Undone(err) {
		return fmt.Errorf("%w: %w", domain.ErrNotStored, err)
	}
	return err
}

// Get reads a payment; domain.ErrNotFound.
func (r *Repository) Get(ctx context.Context, id domain.PaymentID) (*domain.Payment, error) {
	return restored(read(ctx, r.db, "payment_id = ?", id))
}

// Find reads the payment of a reservation and purpose; domain.ErrNotFound.
func (r *Repository) Find(ctx context.Context, reservation domain.ReservationID, p domain.Purpose) (*domain.Payment, error) {
	return restored(read(ctx, r.db, "reservation_id = ? AND purpose = ?", reservation, p))
}

func restored(s domain.Snapshot, err error) (*domain.Payment, error) {
	if err != nil {
		return nil, err
	}
	return domain.Restore(s), nil
}

// errMoved says that a payment is no longer as its holder knows it.
var errMoved = errors.New("the payment was changed meanwhile")

// Change changes a payment that the caller holds, without reading it again; when somebody else has changed
// it, as Update does. It gives the payment as it is stored now.
func (r *Repository) Change(ctx context.Context, held *domain.Payment, change usecase.Change) (*domain.Payment, error) {
	before := held.Snapshot()
	p := domain.Restore(before)
	events, err := change(p)
	if err != nil {
		return nil, err
	}
	err = r.inTx(ctx, func(tx *sql.Tx) ([]contract.Event, error) { return events, write(ctx, tx, before, p) })
	if errors.Is(err, errMoved) {
		return r.Update(ctx, before.ID, change)
	}
	if err != nil {
		return nil, fmt.Errorf("change payment: %w", err)
	}
	return p, nil
}

// Update locks a payment and changes it. It gives the payment as it is stored now; domain.ErrNotFound.
func (r *Repository) Update(ctx context.Context, id domain.PaymentID, change usecase.Change) (*domain.Payment, error) {
	var p *domain.Payment
	err := r.inTx(ctx, func(tx *sql.Tx) ([]contract.Event, error) {
		before, err := read(ctx, tx, "payment_id = ? FOR UPDATE", id)
		if err != nil {
			return nil, err
		}
		p = domain.Restore(before)
		events, err := change(p)
		if err != nil {
			return nil, err
		}
		return events, write(ctx, tx, before, p)
	})
	if err != nil {
		return nil, fmt.Errorf("update payment: %w", err)
	}
	return p, nil
}

// write stores what has changed, on top of the version that was read.
func write(ctx context.Context, tx *sql.Tx, before domain.Snapshot, p *domain.Payment) error {
	after := p.Snapshot()
	switch {
	case p.Forgotten():
		if err := remove(ctx, tx, before); err != nil {
			return err
		}
	case !reflect.DeepEqual(before, after):
		if err := update(ctx, tx, before.Version, after); err != nil {
			return err
		}
		if err := writeRefunds(ctx, tx, before, after); err != nil {
			return err
		}
	}
	return addSteps(ctx, tx, p)
}

func messages(events []contract.Event) []outbox.Message {
	m := make([]outbox.Message, len(events))
	for i, e := range events {
		m[i] = outbox.Message{Topic: contract.TopicPayment, Event: e}
	}
	return m
}

// Claim leases at most limit payments that are due at now. The lease runs by the clock of the database, so
// that replicas do not take the same ones.
func (r *Repository) Claim(ctx context.Context, now time.Time, limit int) ([]domain.PaymentID, error) {
	rows, err := r.db.QueryContext(ctx, `SELECT payment_id FROM payments WHERE next_attempt_at <= ?
		AND (claimed_until IS NULL OR claimed_until < NOW(6)) ORDER BY next_attempt_at LIMIT ?`, now, limit)
	if err != nil {
		return nil, fmt.Errorf("due payments: %w", err)
	}
	due, err := ids(rows)
	if err != nil {
		return nil, fmt.Errorf("due payments: %w", err)
	}
	var claimed []domain.PaymentID
	for _, id := range due {
		res, err := r.db.ExecContext(ctx, `UPDATE payments SET claimed_until = NOW(6) + INTERVAL ? MICROSECOND
			WHERE payment_id = ? AND next_attempt_at <= ? AND (claimed_until IS NULL OR claimed_until < NOW(6))`,
			r.lease.Microseconds(), id, now)
		if err != nil {
			return claimed, fmt.Errorf("claim payment: %w", err)
		}
		if n, err := res.RowsAffected(); err == nil && n == 1 {
			claimed = append(claimed, id)
		}
	}
	return claimed, nil
}

func ids(rows *sql.Rows) ([]domain.PaymentID, error) {
	defer func() { _ = rows.Close() }()
	var all []domain.PaymentID
	for rows.Next() {
		var id domain.PaymentID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

// Hurry makes a payment due at a time, unless it is approved or was never requested.
func (r *Repository) Hurry(ctx context.Context, reservation domain.ReservationID, p domain.Purpose, at time.Time) (bool, error) {
	res, err := r.db.ExecContext(ctx, `UPDATE payments SET next_attempt_at = ? WHERE reservation_id = ? AND purpose = ?
		AND status <> ? AND requested_at IS NOT NULL`, at, reservation, p, domain.Approved)
	if err != nil {
		return false, fmt.Errorf("hurry payment: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
