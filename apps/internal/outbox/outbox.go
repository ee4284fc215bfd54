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
	// Wait is how long it stays in the outbox before it is published, by the database's clock, for what is probably
	// replaced by then.
	Wait time.Duration
}

// text is the event as its row keeps it.
func (m Message) text() (string, error) {
	raw, err := json.Marshal(m.Event)
	if err != nil {
		return "", fmt.Errorf("outbox: marshal %s: %w", m.Event.Type, err)
	}
	return string(raw), nil
}

// Add writes messages in the caller's transaction.
func Add(ctx context.Context, tx *sql.Tx, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	args := make([]any, 0, 5*len(messages))
	for _, m := range messages {
		text, err := m.text()
		if err != nil {
			return err
		}
		var wait any // NULL: none
		if m.Wait > 0 {
			wait = m.Wait.Microseconds()
		}
		args = append(args, m.Event.ID, m.Topic, m.Event.Subject, text, wait)
	}
	row := ", (?, ?, ?, ?, NOW(6) + INTERVAL ? MICROSECOND)"
	_, err := tx.ExecContext(ctx, "INSERT INTO outbox (id, topic, partition_key, event, claimed_until) VALUES "+
		strings.Repeat(row, len(messages))[2:], args...)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// Replace writes a message in the place of one that waits, which it overtakes: it says the same and more. If that one
// is leaving, or has left, there are two; whoever hears the older one hears the newer one as well.
func Replace(ctx context.Context, tx *sql.Tx, id string, by Message) error {
	text, err := by.text()
	if err != nil {
		return err
	}
	res, err := tx.ExecContext(ctx, "UPDATE outbox SET id = ?, topic = ?, partition_key = ?, event = ?, claimed_until = NULL WHERE id = ? AND claim IS NULL",
		by.Event.ID, by.Topic, by.Event.Subject, text, id)
	if err != nil {
		return fmt.Errorf("outbox: replace: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return Add(ctx, tx, []Message{by})
}

// Release ends the wait of a message.
func Release(ctx context.Context, tx *sql.Tx, id string) error {
	if _, err := tx.ExecContext(ctx, "UPDATE outbox SET claimed_until = NULL WHERE id = ? AND claim IS NULL", id); err != nil {
		return fmt.Errorf("outbox: release: %w", err)
	}
	return nil
}

// Publisher sends messages of one topic and says which of them the broker has taken.
type Publisher interface {
	Publish(ctx context.Context, topic string, events []contract.Event) (taken []string, err error)
}

const (
	batch    = 100             // rows claimed at once
	cargo    = 1 << 20         // bytes of events in one call; the sidecar takes 4 MiB
	aside    = 2               // seconds until a row that could not be published is claimed again, behind the others
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
