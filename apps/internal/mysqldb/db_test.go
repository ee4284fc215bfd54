package mysqldb_test

import (
	"database/sql"
	"strings"
	"sync"
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
	var wg sync.WaitGroup
	for worker := range 2 {
		first, second := 1+worker, 2-worker // each locks what the other wants next
		wg.Go(func() {
			for range 50 {
				err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) error {
					for _, id := range []int{first, second} {
						if _, err := tx.Exec("UPDATE seats SET n = n + 1 WHERE id = ?", id); err != nil {
							return err
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	var a, b int
	if err := db.QueryRow("SELECT (SELECT n FROM seats WHERE id = 1), (SELECT n FROM seats WHERE id = 2)").Scan(&a, &b); err != nil || a != 100 || b != 100 {
		t.Errorf("%d and %d (%v): a repeated transaction counted twice or not at all", a, b, err)
	}
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
