package dbtest

import (
	"context"
	"database/sql"
	"sync"
	"testing"

	"oneqtour/apps/internal/mysqldb"
)

// PurgeUnderWrites removes waste while a transaction holds a young row from before until after, and a writer goes on
// with others. The writer waits for no lock at all, and the purge does not wait for the one that is held. lock is a
// statement that locks and changes the young row of a number below 100, by a single argument. It gives what was removed.
func PurgeUnderWrites(t testing.TB, dsn string, waste mysqldb.Waste, lock string, row func(i int) any) int {
	t.Helper()
	if testing.Short() {
		t.Skip("a matter of a minute on a busy machine; make test has it")
	}
	d, err := mysqldb.Start(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	holder, err := d.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = holder.Rollback() }()
	if _, err := holder.Exec(lock, row(0)); err != nil {
		t.Fatal(err)
	}

	purging, done := context.WithCancel(t.Context())
	defer done()
	var writer sync.WaitGroup
	writes := 0
	writer.Go(func() {
		for i := 1; purging.Err() == nil; i = i%99 + 1 {
			err := once(d.DB, lock, row(i))
			if err != nil {
				t.Errorf("a write beside the purge: %v", err)
				return
			}
			writes++
		}
	})
	removed, err := d.PurgeNow(t.Context(), waste)
	done()
	writer.Wait()
	if err != nil {
		t.Errorf("the purge: %v", err)
	}
	if writes == 0 {
		t.Error("nothing was written meanwhile")
	}
	t.Logf("%d rows removed beside %d writes", removed, writes)
	return removed
}

// once writes without waiting for any lock.
func once(db *sql.DB, lock string, row any) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("SET SESSION innodb_lock_wait_timeout = 0"); err != nil {
		return err
	}
	if _, err := tx.Exec(lock, row); err != nil {
		return err
	}
	return tx.Commit()
}
