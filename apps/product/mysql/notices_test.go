package mysql

import (
	"database/sql"
	"strings"
	"testing"

	"oneqtour/apps/product/usecase"
)

// plan is how the database reads a query: the index that it uses, and what it does beside.
func plan(t *testing.T, db *sql.DB, query string, args ...any) (index, extra string) {
	t.Helper()
	rows, err := db.Query("EXPLAIN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil || !rows.Next() {
		t.Fatal("no plan", err)
	}
	values, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	if err := rows.Scan(into...); err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		switch name {
		case "key":
			index = values[i].String
		case "Extra":
			extra = values[i].String
		}
	}
	return index, extra
}

// Of an MD with years of acknowledged notices, the few others are found without reading the rest.
func TestNoticesAreReadInTheOrderOfAnIndex(t *testing.T) {
	db := open(t)
	inbox := NewInbox(db)
	const all, waiting = 5000, 10
	if _, err := db.Exec(`INSERT INTO notices (md_id, seq, reservation_id, version, product_id, status, at, acknowledged_at)
		WITH RECURSIVE digits AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM digits WHERE n < 99)
		SELECT CONCAT('md-', n DIV ?), 1 + n MOD ?, UUID(), 2, UUID(), 'CONFIRMED', NOW(6), IF(n MOD ? = 7, NULL, NOW(6))
		FROM (SELECT low.n + 100 * high.n AS n FROM digits low JOIN digits high) numbers`, all, all, all/waiting); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ANALYZE TABLE notices"); err != nil {
		t.Fatal(err)
	}
	yes, no := true, false
	for _, c := range []struct {
		acknowledged *bool
		index        string
		found        int
	}{{nil, "PRIMARY", all}, {&no, "by_acknowledgement", waiting}, {&yes, "", all - waiting}} {
		page := usecase.NoticePage{Acknowledged: c.acknowledged, Limit: all}
		notices, err := inbox.Notices(t.Context(), "md-1", page)
		if err != nil || len(notices) != c.found {
			t.Errorf("%d notices, want %d: %v", len(notices), c.found, err)
		}
		page.Limit = 21
		query, args := noticesQuery("md-1", page)
		if index, extra := plan(t, db, query, args...); index != c.index && c.index != "" || strings.Contains(extra, "filesort") {
			t.Errorf("%+v: by %q, %s", page, index, extra)
		}
	}
}
