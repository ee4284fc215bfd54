package dbtest

import (
	"database/sql"
	"flag"
	"fmt"
	"testing"
)

// FewChecks lets the property tests of a test check so many cases instead of a hundred, since each of them is many
// transactions; unless -rapid.checks says how many.
func FewChecks(t testing.TB, n int) {
	t.Helper()
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	if before != checks.DefValue {
		return
	}
	if err := checks.Value.Set(fmt.Sprint(n)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = checks.Value.Set(before) })
}

// Found is what a query finds, a line for each row.
func Found(t interface {
	Helper()
	Fatal(args ...any)
}, db *sql.DB, query string, args ...any,
) (lines string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			lines += fmt.Sprintf("%s=%q ", columns[i], v.String)
		}
		lines += "\n"
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}
