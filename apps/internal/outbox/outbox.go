// Package outbox makes "state changed and event sent" one thing: events are rows of the transaction that
// changed the state, and a relay publishes them afterwards. A crash repeats an event, never loses one.
package outbox

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/mysqldb"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the table of the outbox.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "outbox", Files: sub}
}

// Message is an event on its way to a topic.
type Message struct {
	Topic string
	Event contract.Event
}

// Add writes messages in the caller's transaction.
func Add(ctx context.Context, tx *sql.Tx, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	args := make([]any, 0, 4*len(messages))
	for _, m := range messages {
		raw, err := json.Marshal(m.Event)
		if err != nil {
			return fmt.Errorf("outbox: marshal %s: %w", m.Event.Type, err)
		}
		args = append(args, m.Event.ID, m.Topic, m.Event.Subject, string(raw))
	}
	rows := strings.TrimSuffix(strings.Repeat("(?,?,?,?),", len(messages)), ",")
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (id, topic, partition_key, event) VALUES "+rows, args...)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// Publisher sends messages of one topic and says which of them the broker has taken.
type Publisher interface {
	Publish(ctx context.Context, topic string, events []contract.Event) (taken []string, err error)
}

const (
	batch    = 100
	lease    = 5 * time.Second // by the database's clock; a relay that died gives its rows back after it
	farewell = 2 * time.Second // for the last batch of a relay that was told to stop
	idle     = time.Second     // between looks when nobody calls: finds what another replica left behind
)

// Relay publishes what is in the outbox. Several replicas may run one each; they promise no order.
type Relay struct {
	db   *sql.DB
	pub  Publisher
	wake chan struct{}
}

// NewRelay makes a relay.
func NewRelay(db *sql.DB, pub Publisher) *Relay {
	return &Relay{db: db, pub: pub, wake: make(chan struct{}, 1)}
}

// Wake tells the relay that a transaction with messages was committed.
func (r *Relay) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run publishes until the context ends, and then once more, so that an orderly stop keeps nobody waiting for
// the next start. It outlives outages of database and broker.
func (r *Relay) Run(ctx context.Context) error {
	log := zerolog.Ctx(ctx)
	for pause := time.Duration(0); ; {
		select {
		case <-ctx.Done():
			if _, err := r.pass(ctx, farewell); err != nil {
				log.Warn().Err(err).Msg("outbox: the rest leaves with the next start")
			}
			return nil
		case <-r.wake:
		case <-time.After(pause):
		}
		n, err := r.pass(ctx, lease)
		switch {
		case err != nil:
			log.Warn().Err(err).Msg("outbox: will try again")
			pause = 500 * time.Millisecond
		case n == batch:
			pause = 0
		default:
			pause = idle
		}
	}
}

// pass is never cut off by a stop: rows that it has claimed would wait until the lease is over.
func (r *Relay) pass(ctx context.Context, limit time.Duration) (int, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	return r.relay(ctx)
}

// relay sends one batch and says how many rows it had.
func (r *Relay) relay(ctx context.Context) (int, error) {
	claim := uuid.Must(uuid.NewV7()).String()
	res, err := r.db.ExecContext(ctx, `UPDATE outbox SET claim = ?, claimed_until = NOW(6) + INTERVAL ? SECOND
		WHERE claimed_until IS NULL OR claimed_until < NOW(6) ORDER BY id LIMIT ?`, claim, int(lease.Seconds()), batch)
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	byTopic, n, err := r.claimed(ctx, claim)
	if err != nil {
		return 0, err
	}
	for topic, events := range byTopic {
		taken, err := r.pub.Publish(ctx, topic, events)
		if len(taken) > 0 {
			// Not the caller's context: what the broker has taken must go, also while we are told to stop.
			if err := r.remove(context.WithoutCancel(ctx), taken); err != nil {
				return n, err
			}
		}
		if err != nil {
			r.release(context.WithoutCancel(ctx), claim)
			return n, fmt.Errorf("publish to %s: %w", topic, err)
		}
	}
	return n, nil
}

func (r *Relay) claimed(ctx context.Context, claim string) (map[string][]contract.Event, int, error) {
	rows, err := r.db.QueryContext(ctx, "SELECT topic, event FROM outbox WHERE claim = ? ORDER BY id", claim)
	if err != nil {
		return nil, 0, fmt.Errorf("read claimed: %w", err)
	}
	defer func() { _ = rows.Close() }()
	byTopic, n := map[string][]contract.Event{}, 0
	for rows.Next() {
		var topic string
		var raw []byte
		if err := rows.Scan(&topic, &raw); err != nil {
			return nil, 0, err
		}
		var e contract.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			return nil, 0, fmt.Errorf("outbox row: %w", err)
		}
		byTopic[topic] = append(byTopic[topic], e)
		n++
	}
	return byTopic, n, rows.Err()
}

func (r *Relay) remove(ctx context.Context, ids []string) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")
	if _, err := r.db.ExecContext(ctx, "DELETE FROM outbox WHERE id IN ("+marks+")", args...); err != nil {
		return fmt.Errorf("remove published: %w", err)
	}
	return nil
}

// release gives unpublished rows back at once. When it fails, the lease does.
func (r *Relay) release(ctx context.Context, claim string) {
	if _, err := r.db.ExecContext(ctx, "UPDATE outbox SET claimed_until = NULL WHERE claim = ?", claim); err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("outbox: claim not released")
	}
}
