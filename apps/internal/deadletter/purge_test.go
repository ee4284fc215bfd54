package deadletter_test

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/web"
)

// pile makes old letters, the first of which are settled, and then young settled ones.
func pile(t *testing.T, db *sql.DB, settled, open, young int) {
	t.Helper()
	now := time.Now().UTC()
	at := func(i int) time.Time {
		if i >= settled+open {
			return now.Add(-time.Hour)
		}
		return now.AddDate(0, 0, -60).Add(time.Duration(i) * time.Second)
	}
	dbtest.Fill(t, db, "INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload)", settled+open+young, func(i int) []any {
		return []any{"store:" + dbtest.ID(i), "product", "t", "s", "r", at(i), "{}"}
	})
	dbtest.Fill(t, db, "INSERT INTO dead_letter_replays (letter, at, actor, result)", settled+open+young, func(i int) []any {
		result := web.ReplayDone
		if i >= settled && i < settled+open {
			result = "INTERNAL"
		}
		return []any{"store:" + dbtest.ID(i), at(i), "operator-1", result}
	})
}

func TestLettersThatWereSettledLongAgoGo(t *testing.T) {
	db, dsn := dbtest.OpenDSN(t, deadletter.Migrations())
	const settled, open, young = 5_000, 300, 100
	pile(t, db, settled, open, young)
	removed := dbtest.PurgeUnderWrites(t, dsn, deadletter.Settled(), "UPDATE dead_letters SET reason = UUID() WHERE id = ?",
		func(i int) any { return "store:" + dbtest.ID(settled+open+i) })
	var letters, replays int
	if err := db.QueryRow("SELECT (SELECT COUNT(*) FROM dead_letters), (SELECT COUNT(*) FROM dead_letter_replays)").Scan(&letters, &replays); err != nil {
		t.Fatal(err)
	}
	if removed != settled || letters != open+young || replays != open+young {
		t.Errorf("%d went; %d letters and %d replays stay, want %d", removed, letters, replays, open+young)
	}
}

func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, deadletter.Migrations())
	pile(t, db, dbtest.Rows/2, dbtest.Rows/2-1000, 1000)
	watch.Analyze(db)
	letters, ctx := deadletter.New(db), t.Context()
	id := "store:" + dbtest.ID(dbtest.Rows/2+7)
	replay := web.Replay{At: time.Now().UTC(), By: "operator-1", Result: "INTERNAL"}
	watch.Methods(letters, map[string]func() error{
		"Keep": func() error {
			return letters.Keep(ctx, web.DeadLetter{ID: "store:x", At: time.Now(), Payload: []byte("{}")})
		},
		"List": func() error {
			list, err := letters.List(ctx, web.LetterQuery{Limit: 101})
			if err != nil || len(list) != 101 {
				return fmt.Errorf("%d letters, %w", len(list), err)
			}
			mark := list[100].Mark()
			_, err = letters.List(ctx, web.LetterQuery{Limit: 101, Behind: &mark, All: true})
			return err
		},
		"Find": func() error { _, err := letters.Find(ctx, id); return err },
		"Begin": func() error {
			_, err := letters.Begin(ctx, id, replay, func(web.DeadLetter) error { return nil })
			return err
		},
		"Replayed": func() error { return letters.Replayed(ctx, id, replay) },
	})
	watch.Of("Settled", func() error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		_, err = deadletter.Settled().Remove(ctx, tx, 500)
		return err
	})
}
