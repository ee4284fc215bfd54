// Package replay tells the present state of everything that a service owns once more, when the view is made anew.
// That it was asked, and how far it has come, are in the service's own database; each portion moves the cursor in
// the transaction that puts its events into the outbox. A crash repeats nothing and leaves nothing out.
package replay

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/telemetry"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the table of what was asked for.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "replay", Files: sub}
}

// Kind is one kind of aggregates of a service.
type Kind struct {
	Type string // of the events
	// Read gives the next ones behind an id, in the order of their ids; none: there are no more. What was committed
	// before the call must be in it.
	Read func(ctx context.Context, tx *sql.Tx, after string, limit int) ([]Snapshot, error)
}

// Snapshot is the present state of one aggregate.
type Snapshot struct {
	ID      string
	Version int64
	At      time.Time                    // of the event that told this version
	Data    func(meta contract.Meta) any // of the event
}

// Teller answers rebuilds.
type Teller struct {
	db     *sql.DB
	app    string // app id
	kinds  []Kind
	stored func()
	wake   chan struct{}
}

// New makes a teller; stored is called after events were put into the outbox.
func New(db *sql.DB, app string, stored func(), kinds ...Kind) *Teller {
	return &Teller{db: db, app: app, kinds: kinds, stored: stored, wake: make(chan struct{}, 1)}
}

// Hear takes note of a rebuild. Asked again, it changes nothing.
func (t *Teller) Hear(ctx context.Context, e contract.Event) error {
	if e.Type != contract.RebuildAsked {
		return nil
	}
	asked, err := contract.Decode[contract.Rebuild](e)
	if err != nil {
		return err
	}
	if len(asked.RebuildID) != 36 || uuid.Validate(asked.RebuildID) != nil {
		return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: no id of a rebuild", e.Type, e.ID))
	}
	if _, err := t.db.ExecContext(ctx, "INSERT IGNORE INTO replays (rebuild_id) VALUES (?)", asked.RebuildID); err != nil {
		return fmt.Errorf("note a rebuild: %w", err)
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
	return nil
}

const (
	portion = 50                    // aggregates told in one transaction
	breath  = 50 * time.Millisecond // between portions: live events pass, and the view keeps up
	crowded = 200                   // rows in the outbox, above which nothing is added: the broker is away or busy
	idle    = 2 * time.Second       // between looks when nobody has asked: finds what another replica left behind
)

// Run tells what was asked for until the context ends. A portion that has begun is finished.
func (t *Teller) Run(ctx context.Context) error {
	log := zerolog.Ctx(ctx)
	for pause := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		case <-time.After(pause):
		}
		more, err := t.step(context.WithoutCancel(ctx))
		switch {
		case err != nil:
			log.Warn().Err(err).Msg("replay: will try again")
			pause = idle
		case more:
			pause = breath
		default:
			pause = idle
		}
	}
}

// state is a row of the table.
type state struct {
	id    string
	kind  int
	until string
	told  int64
}

// step tells one portion and says whether there may be more. The row's lock keeps replicas apart; it goes with the
// transaction, whatever becomes of the replica.
func (t *Teller) step(ctx context.Context) (more bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if full, err := t.full(ctx); err != nil || full {
		return full, err
	}
	err = mysqldb.InTx(ctx, t.db, func(tx *sql.Tx) error {
		var s state
		// The newest alone: the view has given up what it asked for before.
		err := tx.QueryRowContext(ctx, `SELECT rebuild_id, kind, told_until, told FROM replays
			WHERE rebuild_id = (SELECT rebuild_id FROM replays ORDER BY asked_at DESC, rebuild_id DESC LIMIT 1) AND ended = 0 FOR UPDATE`).Scan(&s.id, &s.kind, &s.until, &s.told)
		more = err == nil
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a rebuild: %w", err)
		}
		return t.tell(ctx, tx, s)
	})
	if err == nil && more {
		t.stored()
	}
	return more, err
}

func (t *Teller) full(ctx context.Context) (bool, error) {
	var rows int
	// Not those that wait for what may replace them: they say nothing of the broker.
	err := t.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM outbox
		WHERE claim IS NOT NULL OR claimed_until IS NULL OR claimed_until < NOW(6) LIMIT ?) AS waiting`, crowded+1).Scan(&rows)
	return rows > crowded, err
}

// tell puts the next portion into the outbox, or the end, and moves the cursor.
func (t *Teller) tell(ctx context.Context, tx *sql.Tx, s state) error {
	if s.kind >= len(t.kinds) {
		end := Snapshot{ID: s.id, At: time.Now(), Data: func(m contract.Meta) any { return contract.Replayed{Meta: m} }}
		message, err := t.message(contract.ReplayEnded, end, s)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE replays SET ended = 1 WHERE rebuild_id = ?", s.id); err != nil {
			return fmt.Errorf("end a replay: %w", err)
		}
		return outbox.Add(ctx, tx, []outbox.Message{message})
	}
	kind := t.kinds[s.kind]
	found, err := kind.Read(ctx, tx, s.until, portion)
	if err != nil {
		return fmt.Errorf("replay %s: %w", kind.Type, err)
	}
	messages := make([]outbox.Message, 0, len(found))
	for _, one := range found {
		s.told++
		s.until = one.ID
		message, err := t.message(kind.Type, one, s)
		if err != nil {
			return err
		}
		messages = append(messages, message)
	}
	if len(found) == 0 {
		s.kind, s.until = s.kind+1, ""
	}
	if err := outbox.Add(ctx, tx, messages); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "UPDATE replays SET kind = ?, told_until = ?, told = ? WHERE rebuild_id = ?",
		s.kind, s.until, s.told, s.id); err != nil {
		return fmt.Errorf("move the cursor of a replay: %w", err)
	}
	return nil
}

func (t *Teller) message(kind string, one Snapshot, s state) (outbox.Message, error) {
	e, err := contract.NewEvent(contract.Envelope{
		ID: uuid.Must(uuid.NewV7()).String(), Source: t.app, Type: kind, Subject: one.ID, Time: one.At,
		TraceParent: telemetry.Trace(context.Background()),
	}, one.Data(contract.Meta{
		Version: one.Version, CorrelationID: s.id, CausationID: s.id, Actor: t.app,
		Replay: &contract.ReplayMark{RebuildID: s.id, Owner: t.app, Number: s.told},
	}))
	return outbox.Message{Topic: contract.TopicReplay, Event: e}, err
}
