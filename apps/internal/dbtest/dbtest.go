// Package dbtest gives a test a fresh database on the real server that `make test` starts.
package dbtest

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/google/uuid"

	"oneqtour/apps/internal/mysqldb"
)

// Rows is how many a table has in which a full scan shows.
const Rows = 20_000

// ID is the same id for the same number, and grows with it.
func ID(i int) string { return fmt.Sprintf("00000000-0000-7000-8000-%012d", i) }

// Fill inserts rows by SQL: insert ends with the columns, row gives the values of the i-th.
func Fill(t testing.TB, db *sql.DB, insert string, rows int, row func(i int) []any) {
	t.Helper()
	const portion = 500
	for begin := 0; begin < rows; begin += portion {
		var args []any
		n := min(portion, rows-begin)
		for i := range n {
			args = append(args, row(begin+i)...)
		}
		if _, err := db.Exec(insert+" VALUES "+mysqldb.Rows(n, len(args)/n), args...); err != nil {
			t.Fatalf("%s: %v", insert, err)
		}
	}
}

// Open is a database of the test's own, migrated and empty. It may have been another test's before.
func Open(t testing.TB, migrations ...mysqldb.Migrations) *sql.DB {
	t.Helper()
	if len(migrations) == 0 {
		db, _ := OpenDSN(t)
		return db
	}
	return reused(t, migrations)
}

// OpenDSN makes a new database, which is dropped at the end, and tells how to connect, for tests that start a program
// or fill tables.
func OpenDSN(t testing.TB, migrations ...mysqldb.Migrations) (*sql.DB, string) {
	t.Helper()
	cfg, root := server(t)
	name := "oneq_test_" + time.Now().Format("150405") + "_" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
	if _, err := root.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	cfg.DBName = name
	dsn := cfg.FormatDSN()
	db, err := mysqldb.Open(dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = db.Close()
		if _, err := root.Exec("DROP DATABASE " + name); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	if err := mysqldb.Migrate(t.Context(), db, migrations...); err != nil {
		t.Fatal(fmt.Errorf("migrate: %w", err))
	}
	return db, dsn
}

// server is how to reach the database server as its administrator, and a pool that is closed with the test.
func server(t testing.TB) (*mysql.Config, *sql.DB) {
	t.Helper()
	admin := os.Getenv("ONEQ_TEST_DSN_ADMIN")
	if admin == "" {
		t.Fatal("ONEQ_TEST_DSN_ADMIN is not set: run the tests by `make test`, or name a MySQL server as root:password@tcp(127.0.0.1:3306)/")
	}
	cfg, err := mysql.ParseDSN(admin)
	if err != nil {
		t.Fatalf("ONEQ_TEST_DSN_ADMIN: %v", err)
	}
	root, err := mysqldb.Open(cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return cfg, root
}
