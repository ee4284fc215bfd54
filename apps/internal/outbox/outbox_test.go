package outbox_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
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
	addLarge(t, db, n, 0)
}

// addLarge adds events with so many bytes of data each.
func addLarge(t *testing.T, db *sql.DB, n, size int) {
	t.Helper()
	err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		var messages []outbox.Message
		for i := range n {
			e, err := contract.NewEvent(contract.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Subject: fmt.Sprint(i), Time: time.Now()}, map[string]string{"text": strings.Repeat("x", size)})
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
	runUntil(t, db, "SELECT COUNT(*) FROM outbox", relays...)
}

// runUntil lets relays work until a query counts nothing.
func runUntil(t *testing.T, db *sql.DB, query string, relays ...*outbox.Relay) {
	t.Helper()
	waiting := func() (n int) {
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
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
	for waiting() > 0 {
		select {
		case <-ctx.Done():
			t.Fatalf("%d events are still in the outbox", waiting())
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

// The sidecar takes messages of 4 MiB: a hundred large events must not become one that it will never take.
func TestLargeEventsTravelInSeveralLoads(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	largest := 0
	b.sends = func(events []contract.Event) ([]string, error) {
		size := 0
		for _, e := range events {
			size += len(e.Data)
		}
		largest = max(largest, size)
		return all(events)
	}
	addLarge(t, db, 60, 200_000)
	run(t, db, outbox.NewRelay(db, b))
	if events, deliveries := b.received(); events != 60 || deliveries != 60 || largest > 1<<20 {
		t.Errorf("%d events in %d deliveries, up to %d bytes at once", events, deliveries, largest)
	}
}

// Events that the broker will never take, and a row that is no event, more than a batch of them and all at the
// head of the outbox, hold up nobody.
func TestWhatCannotBePublishedHoldsUpNobody(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	add(t, db, 150)
	if _, err := db.Exec("UPDATE outbox SET partition_key = 'bad'"); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE outbox SET event = 'no event' ORDER BY id LIMIT 1"); err != nil {
		t.Fatal(err)
	}
	bad := map[string]bool{}
	rows, err := db.Query("SELECT id FROM outbox")
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		bad[id] = true
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		t.Fatal(err)
	}
	b.sends = func(events []contract.Event) (taken []string, err error) {
		for _, e := range events {
			if bad[e.ID] {
				return nil, errors.New("too large")
			}
		}
		return all(events)
	}
	add(t, db, 50)
	runUntil(t, db, "SELECT COUNT(*) FROM outbox WHERE partition_key <> 'bad'", outbox.NewRelay(db, b))
	if events, deliveries := b.received(); events != 50 || deliveries != 50 || left(t, db) != 150 {
		t.Errorf("%d good events in %d deliveries, %d left", events, deliveries, left(t, db))
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

// What waits is published when its time has come; what was replaced never is, and what was released at once. Of one that
// is leaving already both are told.
func TestWhatWaitsIsPublishedLateUnlessItIsReplaced(t *testing.T) {
	db := dbtest.Open(t, outbox.Migrations())
	b := newBroker()
	message := func(wait time.Duration) outbox.Message {
		e, err := contract.NewEvent(contract.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Subject: "s", Time: time.Now()}, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		return outbox.Message{Topic: "t", Event: e, Wait: wait}
	}
	late, gone, released, leaving := message(time.Hour), message(time.Hour), message(time.Hour), message(time.Hour)
	newer, newest := message(0), message(0)
	write := func(fn func(tx *sql.Tx) error) {
		t.Helper()
		if err := mysqldb.InTx(t.Context(), db, fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *sql.Tx) error {
		return outbox.Add(t.Context(), tx, []outbox.Message{late, gone, released, leaving})
	})
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := db.Exec(query, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec("UPDATE outbox SET claim = 'another relay' WHERE id = ?", leaving.Event.ID)
	write(func(tx *sql.Tx) error {
		return errors.Join(outbox.Replace(t.Context(), tx, gone.Event.ID, newer), outbox.Release(t.Context(), tx, released.Event.ID),
			outbox.Release(t.Context(), tx, leaving.Event.ID), outbox.Replace(t.Context(), tx, leaving.Event.ID, newest))
	})
	runUntil(t, db, "SELECT COUNT(*) FROM outbox WHERE claimed_until IS NULL OR claimed_until < NOW(6) + INTERVAL 30 MINUTE", outbox.NewRelay(db, b))
	if events, _ := b.received(); events != 3 || b.got["t "+newer.Event.ID]+b.got["t "+newest.Event.ID]+b.got["t "+released.Event.ID] != 3 {
		t.Errorf("at once: %v", b.got)
	}
	exec("UPDATE outbox SET claimed_until = NOW(6)") // the hour is over
	run(t, db, outbox.NewRelay(db, b))
	if events, deliveries := b.received(); events != 5 || deliveries != 5 || b.got["t "+gone.Event.ID] > 0 {
		t.Errorf("in the end: %v", b.got)
	}
}
