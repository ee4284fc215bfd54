package dbtest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/mysqldb"
)

// Databases that are used again: most tests take longer to migrate one than for all that they do with it. Each is named
// by the migrations that made it and by a number. Whoever uses one holds its name locked at the server, across packages
// and runs, and makes it as new before: it removes all rows. When the tables are not those that the migrations left,
// because a test has changed them or died while it made them, it makes the database anew.

// made is the table that says what the tables were like after the migrations.
const made = "as_made"

func reused(t testing.TB, migrations []mysqldb.Migrations) *sql.DB {
	t.Helper()
	cfg, root := server(t)
	held, err := root.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.DBName = vacant(t, held, named(t, migrations))
	db, err := mysqldb.Open(cfg.FormatDSN())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = db.Close()
		_ = held.Close()
	})
	if !emptied(t.Context(), held, cfg.DBName) {
		anew(t, held, cfg.DBName, db, migrations)
	}
	return db
}

// named is what databases of such migrations are called.
func named(t testing.TB, migrations []mysqldb.Migrations) string {
	t.Helper()
	all := sha256.New()
	for _, m := range migrations {
		_, _ = fmt.Fprintf(all, "%s\n", m.Owner)
		if err := fs.WalkDir(m.Files, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := fs.ReadFile(m.Files, path)
			_, _ = fmt.Fprintf(all, "%s %d\n%s", path, len(text), text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("oneq_test_%x", all.Sum(nil)[:6])
}

// vacant locks the first name that nobody has. The lock ends with the connection, also when the test is killed.
func vacant(t testing.TB, held *sql.Conn, prefix string) string {
	t.Helper()
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s_%d", prefix, n)
		var got sql.NullInt64
		if err := held.QueryRowContext(t.Context(), "SELECT GET_LOCK(?, 0)", name).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if got.Int64 == 1 {
			return name
		}
	}
}

// emptied removes all rows, and says whether the database is then as its migrations left it.
func emptied(ctx context.Context, held *sql.Conn, name string) bool {
	var before string
	if err := held.QueryRowContext(ctx, "SELECT tables FROM "+name+"."+made).Scan(&before); err != nil {
		return false
	}
	now, tables, err := tablesOf(ctx, held, name)
	if err != nil || now != before {
		return false
	}
	tx, err := held.BeginTx(ctx, nil)
	if err != nil {
		return false
	}
	defer func() { _ = tx.Rollback() }()
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+name+"."+table); err != nil {
			return false
		}
	}
	return tx.Commit() == nil
}

// anew makes the database again from its migrations.
func anew(t testing.TB, held *sql.Conn, name string, db *sql.DB, migrations []mysqldb.Migrations) {
	t.Helper()
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := held.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("DROP DATABASE IF EXISTS " + name)
	exec("CREATE DATABASE " + name)
	if err := mysqldb.Migrate(t.Context(), db, migrations...); err != nil {
		t.Fatal(fmt.Errorf("migrate: %w", err))
	}
	now, tables, err := tablesOf(t.Context(), held, name)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		var rows bool
		if err := held.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT * FROM "+name+"."+table+")").Scan(&rows); err != nil || rows {
			t.Fatalf("the migrations leave rows in %s, which no test but the first would find: %v", table, err)
		}
	}
	exec("CREATE TABLE " + name + "." + made + " (tables CHAR(64) NOT NULL)")
	exec("INSERT INTO "+name+"."+made+" VALUES (?)", now)
}

// tablesOf tells what the tables are like, in a word, and which of them tests write into.
func tablesOf(ctx context.Context, held *sql.Conn, name string) (word string, tables []string, err error) {
	all := sha256.New()
	for _, query := range []string{
		`SELECT table_name, CONCAT_WS(' ', column_name, column_type, is_nullable, column_default, collation_name, extra, generation_expression)
			FROM information_schema.columns WHERE table_schema = ? ORDER BY table_name, ordinal_position`,
		`SELECT table_name, CONCAT_WS(' ', index_name, non_unique, seq_in_index, column_name)
			FROM information_schema.statistics WHERE table_schema = ? ORDER BY table_name, index_name, seq_in_index`,
	} {
		rows, err := held.QueryContext(ctx, query, name)
		if err != nil {
			return "", nil, err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var table, about string
			if err := rows.Scan(&table, &about); err != nil {
				return "", nil, err
			}
			if table == made {
				continue
			}
			_, _ = fmt.Fprintln(all, table, about)
			if !strings.HasPrefix(table, "schema_") && !slices.Contains(tables, table) { // those say what has run
				tables = append(tables, table)
			}
		}
		if err := rows.Err(); err != nil {
			return "", nil, err
		}
	}
	return fmt.Sprintf("%x", all.Sum(nil)), tables, nil
}
