package mysqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
)

func started(t *testing.T, dsn string) *mysqldb.Database {
	t.Helper()
	d, err := mysqldb.Start(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

// briefly is as long as /readyz waits.
func briefly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 800*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestReadyIsWhoCanWrite(t *testing.T) {
	admin, dsn := dbtest.OpenDSN(t)
	d := started(t, dsn)
	for range 2 {
		if err := d.Ready(briefly(t)); err != nil {
			t.Fatal(err)
		}
	}

	// As after a backup or FLUSH TABLES WITH READ LOCK: it answers, and no write ends.
	locker, err := admin.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = locker.Close() }()
	exec(t, locker, "LOCK TABLES readiness READ")
	if err := d.Ready(briefly(t)); fault.CodeOf(err) != fault.Unavailable || d.PingContext(t.Context()) != nil {
		t.Errorf("while no write is possible: %v", err)
	}
	exec(t, locker, "UNLOCK TABLES")
	if err := d.Ready(briefly(t)); err != nil {
		t.Errorf("when it is possible again: %v", err)
	}
}

func TestReadyDoesNotWaitForABusyPool(t *testing.T) {
	_, dsn := dbtest.OpenDSN(t)
	d := started(t, dsn)
	for range d.Stats().MaxOpenConnections {
		c, err := d.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	if err := d.Ready(briefly(t)); err != nil {
		t.Error(err)
	}
}

// A server that has become a replica takes connections and refuses writes.
func TestReadyIsNotWhoFindsTheDatabaseReadOnly(t *testing.T) {
	admin, dsn := dbtest.OpenDSN(t)
	started(t, dsn)
	d := started(t, dsn+readOnly(t, admin, dsn))
	err := d.Ready(briefly(t))
	if fault.CodeOf(err) != fault.Unavailable || d.PingContext(t.Context()) != nil {
		t.Errorf("%v", err)
	}
}

// readOnly is what to add to a DSN, so that its connections are read-only; MySQL and MariaDB call it differently.
func readOnly(t *testing.T, db *sql.DB, dsn string) string {
	t.Helper()
	name := "transaction_read_only"
	var is bool
	if db.QueryRow("SELECT @@"+name).Scan(&is) != nil {
		name = "tx_read_only"
	}
	if strings.Contains(dsn, "?") {
		return "&" + name + "=1"
	}
	return "?" + name + "=1"
}

func TestADatabaseThatCannotJustNowIsUnavailable(t *testing.T) {
	db, dsn := dbtest.OpenDSN(t)
	exec(t, db, "CREATE TABLE seats (id INT PRIMARY KEY, n INT NOT NULL)")
	exec(t, db, "INSERT INTO seats VALUES (1, 0)")
	ctx := t.Context()
	take := func(tx *sql.Tx) error {
		_, err := tx.Exec("UPDATE seats SET n = n + 1 WHERE id = 1")
		return err
	}
	check := func(name string, err error) {
		t.Helper()
		refusal, ok := errors.AsType[*fault.Error](err)
		if !ok || refusal.Code != fault.Unavailable || refusal.RetryAfter == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	holder, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := take(holder); err != nil {
		t.Fatal(err)
	}
	check("a lock that never comes", mysqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.Exec("SET SESSION innodb_lock_wait_timeout = 0"); err != nil {
			return err
		}
		return take(tx)
	}))
	check("a lock that is told with the first row", mysqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		if _, err := tx.Exec("SET SESSION innodb_lock_wait_timeout = 0"); err != nil {
			return err
		}
		var n int
		return tx.QueryRow("SELECT n FROM seats WHERE id = 1 FOR UPDATE").Scan(&n)
	}))
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	check("a deadline", mysqldb.InTx(short, db, take))
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}

	narrow := started(t, dsn)
	narrow.SetMaxOpenConns(1)
	all, err := narrow.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	short, cancel = context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	check("no connection left", mysqldb.InTx(short, narrow.DB, take))
	_ = all.Close()

	check("a connection that breaks", mysqldb.InTx(ctx, db, func(tx *sql.Tx) error {
		var id int64
		if err := tx.QueryRow("SELECT CONNECTION_ID()").Scan(&id); err != nil {
			return err
		}
		exec(t, db, "KILL CONNECTION ?", id)
		return take(tx)
	}))
	check("a read-only database", mysqldb.InTx(ctx, started(t, dsn+readOnly(t, db, dsn)).DB, take))

	// What is wrong with the statement stays our own fault.
	if _, err := db.Exec("UPDATE nothing SET n = 1"); err == nil || fault.CodeOf(err) != fault.Internal {
		t.Errorf("a statement that is wrong: %v", err)
	}
	var n int
	if err := db.QueryRow("SELECT n FROM seats").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d were taken (%v)", n, err)
	}
}

func exec(t *testing.T, db interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}, query string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}
