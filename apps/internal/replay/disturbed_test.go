package replay_test

import (
	"context"
	"database/sql"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/replay"
)

// tells says whether a rebuild is told to its end.
func tells(t *testing.T, db *sql.DB, teller *replay.Teller, id string) bool {
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- teller.Run(ctx) }()
	for ctx.Err() == nil {
		if _, end := told(t, db, id); len(end) > 0 {
			cancel()
			<-done
			return true
		}
		time.Sleep(50 * time.Millisecond)
	}
	<-done
	return false
}

func TestWhatWaitsToBeReplacedIsNoCrowd(t *testing.T) {
	db := dbtest.Open(t, replay.Migrations(), outbox.Migrations())
	err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
		var all []outbox.Message
		for range 201 {
			e, _ := contract.NewEvent(contract.Envelope{ID: uuid.Must(uuid.NewV7()).String(), Subject: "s", Time: time.Now()}, struct{}{})
			all = append(all, outbox.Message{Topic: "reservation", Event: e, Wait: time.Hour})
		}
		return outbox.Add(t.Context(), tx, all)
	})
	if err != nil {
		t.Fatal(err)
	}
	var failing atomic.Int64
	failing.Store(-1000)
	teller := replay.New(db, "product", func() {}, numbered("a", 0, &failing))
	id := uuid.Must(uuid.NewV7()).String()
	if err := teller.Hear(t.Context(), asked(t, id)); err != nil {
		t.Fatal(err)
	}
	if !tells(t, db, teller, id) {
		t.Error("201 events that only wait hold up a rebuild")
	}
}

func TestARebuildThatAClockAheadHasNamedIsNotTheLast(t *testing.T) {
	db := dbtest.Open(t, replay.Migrations(), outbox.Migrations())
	var failing atomic.Int64
	failing.Store(-1000000)
	teller := replay.New(db, "product", func() {}, numbered("a", 3, &failing))
	ahead := "ffffffff-0000-7000-8000-000000000000"
	if err := teller.Hear(t.Context(), asked(t, ahead)); err != nil {
		t.Fatal(err)
	}
	if !tells(t, db, teller, ahead) {
		t.Fatal("not told")
	}
	id := uuid.Must(uuid.NewV7()).String()
	if err := teller.Hear(t.Context(), asked(t, id)); err != nil {
		t.Fatal(err)
	}
	if !tells(t, db, teller, id) {
		t.Error("a rebuild with a smaller id is never told")
	}
}
