package dbtest_test

import (
	"database/sql"
	"testing"
	"testing/fstest"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
)

var migrations = mysqldb.Migrations{Owner: "dbtest", Files: fstest.MapFS{
	"00001_things.sql": {Data: []byte("-- +goose Up\nCREATE TABLE IF NOT EXISTS things (id INT PRIMARY KEY, word VARCHAR(10) NOT NULL, INDEX (word));")},
}}

// Whatever a test has left in its database, the next one finds it as its migrations make it.
func TestTheNextTestFindsItsDatabaseAsNew(t *testing.T) {
	for _, left := range []string{
		"INSERT INTO things VALUES (1, 'left')",
		"RENAME TABLE things TO away",
		"DROP TABLE things",
		"CREATE TABLE more (id INT PRIMARY KEY)",
		"ALTER TABLE things DROP COLUMN word",
		"ALTER TABLE things DROP INDEX word",
		"ALTER TABLE things MODIFY word VARCHAR(5) NOT NULL",
		"DROP TABLE as_made",
	} {
		asNew(t, left)
		t.Run(left, func(t *testing.T) {
			if _, err := dbtest.Open(t, migrations).Exec(left); err != nil {
				t.Fatal(err)
			}
		})
	}
	asNew(t, "")
}

func asNew(t *testing.T, after string) {
	t.Helper()
	t.Run("as new", func(t *testing.T) {
		db := dbtest.Open(t, migrations)
		if got := dbtest.Found(t, db, "SELECT * FROM things"); got != "" {
			t.Errorf("before %q there was %s", after, got)
		}
		if _, err := db.Exec("INSERT INTO things VALUES (1, '0123456789')"); err != nil {
			t.Error(err)
		}
		if got := dbtest.Found(t, db, "SHOW INDEX FROM things WHERE key_name = 'word'"); got == "" {
			t.Error("the index is gone")
		}
		if got := dbtest.Found(t, db, "SHOW TABLES LIKE 'more'"); got != "" {
			t.Errorf("there is %s", got)
		}
	})
}

// Nobody shares a database with a test that is at work.
func TestTestsAtTheSameTimeHaveDatabasesOfTheirOwn(t *testing.T) {
	names := map[string]bool{}
	for range 3 {
		names[called(t, dbtest.Open(t, migrations))] = true
	}
	if len(names) != 3 {
		t.Errorf("%v", names)
	}
}

func called(t *testing.T, db *sql.DB) string {
	t.Helper()
	return dbtest.Found(t, db, "SELECT DATABASE() AS name")
}
