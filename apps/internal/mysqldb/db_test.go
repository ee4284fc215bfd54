package mysqldb_test

import (
	"database/sql"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
)

func TestADeadlockIsRepeated(t *testing.T) {
	db := dbtest.Open(t)
	for _, q := range []string{"CREATE TABLE seats (id INT PRIMARY KEY, n INT NOT NULL)", "INSERT INTO seats VALUES (1, 0), (2, 0)"} {
		if _, err := db.Exec(q); err != nil {
			t.Fatal(err)
		}
	}
	const rounds = 10
	var attempts atomic.Int64
	for range rounds {
		var holdsFirst, done sync.WaitGroup
		holdsFirst.Add(2)
		for worker := range 2 {
			first, second := 1+worker, 2-worker // each locks what the other wants next
			met := false
			done.Go(func() {
				err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
					attempts.Add(1)
					if err := add(t, tx, first); err != nil {
						return err
					}
					if !met { // the first time, both hold one row before either asks for the other
						met = true
						holdsFirst.Done()
						holdsFirst.Wait()
					}
					return add(t, tx, second)
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		done.Wait()
	}
	if n := attempts.Load(); n < 3*rounds {
		t.Errorf("%d attempts in %d rounds: there was no deadlock", n, rounds)
	}
	var a, b int
	if err := db.QueryRow("SELECT (SELECT n FROM seats WHERE id = 1), (SELECT n FROM seats WHERE id = 2)").Scan(&a, &b); err != nil || a != 2*rounds || b != 2*rounds {
		t.Errorf("%d and %d (%v): a repeated transaction counted twice or not at all", a, b, err)
	}
}

func add(t *testing.T, tx *sql.Tx, id int) error {
	_, err := tx.ExecContext(t.Context(), "UPDATE seats SET n = n + 1 WHERE id = ?", id)
	return err
}

func TestEveryConnectionReadsCommitted(t *testing.T) {
	db := dbtest.Open(t)
	var level, zone string
	if err := db.QueryRow("SELECT @@tx_isolation, @@time_zone").Scan(&level, &zone); err != nil {
		if err := db.QueryRow("SELECT @@transaction_isolation, @@time_zone").Scan(&level, &zone); err != nil {
			t.Fatal(err)
		}
	}
	if level != "READ-COMMITTED" || zone != "+00:00" {
		t.Errorf("%s %s", level, zone)
	}
}

func TestABadDSNDoesNotShowItsPassword(t *testing.T) {
	_, err := mysqldb.Open("user:s3cret@tcp(127.0.0.1:3306") // no slash
	if err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Error(err)
	}
}
