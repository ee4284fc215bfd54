package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
)

// broker is a publisher that a test can break.
type broker struct {
	mu    sync.Mutex
	got   map[string]int
	sends func(events []contract.Event) (taken []string, err error)
}

func (b *broker) Publish(_ context.Context, topic string, events []contract.Event) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken, err := b.sends(events)
	for _, id := range taken {
		b.got[topic+" "+id]++
	}
	return taken, err
}

func (b *broker) received() (events, deliveries int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.got {
		deliveries += n
	}
	return len(b.got), deliveries
}

func all(events []contract.Event) (taken []string, err error) {
	for _, e := range events {
		taken = append(taken, e.ID)
	}
	return taken, nil
}

func newBroker() *broker { return &broker{got: map[string]int{}, sends: all} }

func add(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		var messages []outbox.Message
		for i := range n {
			e, err := contract.NewEvent(contract.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Subject: fmt.Sprint(i), Time: time.Now()}, struct{}{})
			if err != nil {
				return err
			}
			messages = append(messages, outbox.Message{Topic: []string{"product", "reservation"}[i%2], Event: e})
		}
		return outbox.Add(t.Context(), tx, messages)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func left(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT COUNT(*) FROM outbox").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// run lets relays work until the outbox is empty.
func run(t *testing.T, db *sql.DB, relays ...*outbox.Relay) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for _, r := range relays {
		wg.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	for left(t, db) > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("%d events are still in the outbox", left(t, db))
		case <-time.After(10 * time.Millisecond):
		}
	}
	cancel()
	wg.Wait()
}

func TestThreeRelaysPublishEachEventOnce(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	add(t, db, 1000)
	run(t, db, outbox.NewRelay(db, b), outbox.NewRelay(db, b), outbox.NewRelay(db, b))
	if events, deliveries := b.received(); events != 1000 || deliveries != 1000 {
		t.Errorf("%d events in %d deliveries", events, deliveries)
	}
}

// The broker is away, then takes only every other event: nothing is lost, and what it took is not repeated.
func TestABrokerThatFailsLosesNothing(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	calls := 0
	b.sends = func(events []contract.Event) ([]string, error) {
		calls++
		if calls == 1 {
			return nil, errors.New("broker is away")
		}
		taken, _ := all(events)
		if len(taken) < 4 {
			return taken, nil
		}
		return taken[:len(taken)/2], errors.New("some were refused")
	}
	add(t, db, 50)
	run(t, db, outbox.NewRelay(db, b))
	if events, deliveries := b.received(); events != 50 || deliveries != 50 {
		t.Errorf("%d events in %d deliveries", events, deliveries)
	}
}

// A relay that dies between claiming and publishing gives its rows back by its lease.
func TestTheRowsOfADeadRelayComeBack(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	add(t, db, 10)
	if _, err := db.Exec("UPDATE outbox SET claim = 'dead', claimed_until = NOW(6) + INTERVAL 1 SECOND"); err != nil {
		t.Fatal(err)
	}
	run(t, db, outbox.NewRelay(db, b))
	if events, _ := b.received(); events != 10 {
		t.Errorf("%d events", events)
	}
}

func TestDefect5_ARolledBackTransactionAnnouncesNothing(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	boom := errors.New("boom")
	err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		e, _ := contract.NewEvent(contract.Envelope{ID: uuid.NewString(), Subject: "s", Time: time.Now()}, struct{}{})
		return errors.Join(outbox.Add(t.Context(), tx, []outbox.Message{{Topic: "product", Event: e}}), boom)
	})
	if !errors.Is(err, boom) || left(t, db) != 0 {
		t.Errorf("%v, %d events", err, left(t, db))
	}
}
