package replay_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/replay"
)

var noon = time.Date(2026, 11, 22, 3, 0, 0, 123456000, time.UTC)

// numbered is a kind with aggregates from 1 to n. Reading fails every so many times, after the outbox was filled or
// before.
func numbered(kind string, n int, failing *atomic.Int64) replay.Kind {
	return replay.Kind{Type: kind, Read: func(_ context.Context, _ *sql.Tx, after string, limit int) ([]replay.Snapshot, error) {
		if failing.Add(1)%3 == 0 {
			return nil, errors.New("the database is away")
		}
		var found []replay.Snapshot
		for i := range n {
			if id := fmt.Sprintf("%s-%06d", kind, i+1); id > after && len(found) < limit {
				found = append(found, replay.Snapshot{ID: id, Version: 3, At: noon, Data: func(m contract.Meta) any { return contract.Replayed{Meta: m} }})
			}
		}
		return found, nil
	}}
}

func asked(t *testing.T, id string) contract.Event {
	t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: uuid.NewString(), Source: "viewpage", Type: contract.RebuildAsked, Subject: id, Time: noon},
		contract.Rebuild{RebuildID: id})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// told reads what is in the outbox: aggregates by number, and the end.
func told(t *testing.T, db *sql.DB, rebuildID string) (byNumber map[int64]string, end []int64) {
	t.Helper()
	rows, err := db.Query("SELECT event FROM outbox WHERE topic = ? ORDER BY id", contract.TopicReplay)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	byNumber = map[int64]string{}
	for rows.Next() {
		var raw []byte
		var e contract.Event
		if err := rows.Scan(&raw); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &e); err != nil {
			t.Fatal(err)
		}
		data, err := contract.Decode[contract.Replayed](e)
		if err != nil || data.Meta.Replay == nil || data.Meta.Replay.Owner != "product" || e.TraceParent == "" {
			t.Fatalf("%s: %v", raw, err)
		}
		if data.Meta.Replay.RebuildID != rebuildID {
			continue
		}
		n := data.Meta.Replay.Number
		switch {
		case e.Type == contract.ReplayEnded:
			end = append(end, n)
		case byNumber[n] != "" || !e.Time.Equal(noon) || data.Meta.Version != 3:
			t.Errorf("number %d is %s and %s", n, byNumber[n], raw)
		default:
			byNumber[n] = e.Subject
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return byNumber, end
}

// Two replicas, asked more than once, while portions fail, and one of the replicas ends on the way: every aggregate
// has one number, no number is missing, and the end comes once and says how many there are.
func TestI7_AReplayTellsEverythingOnceWhateverFails(t *testing.T) {
	db := dbtest.Open(t, replay.Migrations(), outbox.Migrations())
	var failing atomic.Int64
	kinds := []replay.Kind{numbered("a", 120, &failing), numbered("b", 0, &failing), numbered("c", 70, &failing)}
	first, second := replay.New(db, "product", func() {}, kinds...), replay.New(db, "product", func() {}, kinds...)
	older, id := uuid.Must(uuid.NewV7()).String(), uuid.Must(uuid.NewV7()).String()
	for _, e := range []contract.Event{asked(t, older), asked(t, id), asked(t, id)} {
		if err := first.Hear(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	dying, die := context.WithCancel(ctx)
	defer die()
	ended := make(chan error, 2)
	go func() { ended <- first.Run(dying) }()
	go func() { ended <- second.Run(ctx) }()
	for deadline := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		byNumber, end := told(t, db, id)
		if len(byNumber) >= 50 {
			die()
		}
		if len(end) > 0 {
			if len(byNumber) != 190 || len(end) != 1 || end[0] != 190 {
				t.Fatalf("%d aggregates, end %v", len(byNumber), end)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d aggregates after a minute", len(byNumber))
		}
	}
	if err := second.Hear(ctx, asked(t, id)); err != nil { // late, once more
		t.Fatal(err)
	}
	cancel()
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	byNumber, end := told(t, db, id)
	for n := int64(1); n <= 190; n++ {
		if seen[byNumber[n]] || byNumber[n] == "" {
			t.Errorf("%d: %q", n, byNumber[n])
		}
		seen[byNumber[n]] = true
	}
	if was, _ := told(t, db, older); len(end) != 1 || len(was) > 0 {
		t.Errorf("%d ends; %d told for a rebuild that was given up", len(end), len(was))
	}
}

// While the broker takes nothing, the outbox does not fill up behind live events.
func TestAReplayWaitsForACrowdedOutbox(t *testing.T) {
	db := dbtest.Open(t, replay.Migrations(), outbox.Migrations())
	var failing atomic.Int64
	teller := replay.New(db, "product", func() {}, numbered("a", 5000, &failing))
	if err := teller.Hear(t.Context(), asked(t, uuid.Must(uuid.NewV7()).String())); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- teller.Run(ctx) }()
	count := func() (n int) {
		if err := db.QueryRow("SELECT COUNT(*) FROM outbox").Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for count() <= 200 && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	calls := failing.Load()
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if n := count(); n <= 200 || n > 250 || failing.Load() > calls+1 {
		t.Errorf("%d rows", n)
	}
}

func TestARequestWithoutAnIDIsMalformed(t *testing.T) {
	teller := replay.New(nil, "product", func() {})
	if err := teller.Hear(t.Context(), asked(t, "' OR 1=1")); fault.CodeOf(err) != fault.Malformed {
		t.Errorf("%v", err)
	}
}
