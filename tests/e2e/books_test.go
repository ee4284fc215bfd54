package e2e

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// booksDay is a day long ago, on which nobody but copies does anything.
const booksDay = "2026-03-02"

// ofTheBooks is whose reservations are taken out of the owners' books again: nobody else's view must know of them.
const ofTheBooks = "customer-1000"

// books are what reservation, payment and the provider have written of one reservation.
type books struct {
	rows  []bookRow
	lines []string // of the provider's journal
}

type bookRow struct {
	service, table string
	columns        []string
	values         []any
}

var booksTables = []struct{ service, table, where string }{
	{"reservation", "reservations", "id = ?"},
	{"payment", "refunds", "payment_id IN (SELECT payment_id FROM payments WHERE reservation_id = ?)"},
	{"payment", "payment_steps", "reservation_id = ?"},
	{"payment", "payments", "reservation_id = ?"},
}

// booksOf reads them.
func booksOf(t testing.TB, id string) (b books) {
	t.Helper()
	for _, x := range booksTables {
		found, err := sys.Database(t, x.service).Query("SELECT * FROM "+x.table+" WHERE "+x.where, id)
		if err != nil {
			t.Fatal(err)
		}
		b.rows = append(b.rows, scanned(t, found, x.service, x.table)...)
	}
	for _, line := range journal(t) {
		if strings.Contains(line, id) {
			b.lines = append(b.lines, line)
		}
	}
	return b
}

func scanned(t testing.TB, found *sql.Rows, service, table string) (all []bookRow) {
	t.Helper()
	defer func() { _ = found.Close() }()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for found.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := found.Scan(into...); err != nil {
			t.Fatal(err)
		}
		all = append(all, bookRow{service, table, columns, values})
	}
	return all
}

var (
	names = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9A-F]{32}`) // ours; the provider's
	hours = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:`)                                                   // of an instant
	noon  = booksDay + "T03:"                                                                                // in Seoul
)

// longAgo are the same books on the day of the books, of nobody who has a list of reservations. What a worker of a
// service would still do with them is left out.
func (b books) longAgo() (c books) {
	text := func(s string) string {
		return strings.ReplaceAll(hours.ReplaceAllString(s, noon), `"`+ofTheBooks+`"`, `"nobody"`)
	}
	for _, row := range b.rows {
		values := slices.Clone(row.values)
		for i, v := range values {
			switch v := v.(type) {
			case []byte:
				values[i] = text(string(v))
			case time.Time:
				values[i] = text(v.Format("2006-01-02 15:04:05.000000"))
			}
			switch row.columns[i] {
			case "step_id", "next_attempt_at":
				values[i] = nil
			case "customer_id":
				values[i] = "nobody"
			}
		}
		c.rows = append(c.rows, bookRow{row.service, row.table, row.columns, values})
	}
	for _, line := range b.lines {
		c.lines = append(c.lines, text(line))
	}
	return c
}

// copies are the same books of so many other reservations.
func (b books) copies(n int) (all []books) {
	known := map[string]bool{}
	note := func(s string) {
		for _, name := range names.FindAllString(s, -1) {
			known[name] = true
		}
	}
	for _, row := range b.rows {
		for _, v := range row.values {
			if s, ok := v.(string); ok {
				note(s)
			}
		}
	}
	for _, line := range b.lines {
		note(line)
	}
	for range n {
		var pairs []string
		for name := range known {
			other := newID()
			if !strings.Contains(name, "-") {
				other = strings.ToUpper(strings.ReplaceAll(other, "-", ""))
			}
			pairs = append(pairs, name, other)
		}
		all = append(all, b.renamed(strings.NewReplacer(pairs...)))
	}
	return all
}

func (b books) renamed(by *strings.Replacer) (c books) {
	for _, row := range b.rows {
		values := slices.Clone(row.values)
		for i, v := range values {
			if s, ok := v.(string); ok {
				values[i] = by.Replace(s)
			}
		}
		c.rows = append(c.rows, bookRow{row.service, row.table, row.columns, values})
	}
	for _, line := range b.lines {
		c.lines = append(c.lines, by.Replace(line))
	}
	return c
}

// order is the id at the provider.
func (b books) order() string {
	for _, row := range b.rows {
		if row.table == "payments" {
			return fmt.Sprint(row.values[slices.Index(row.columns, "reservation_id")], "-PRICE")
		}
	}
	return ""
}

// store writes copies into the databases and the provider's journal, and takes them out again when the test ends.
func store(t testing.TB, all []books) {
	t.Helper()
	t.Cleanup(func() {
		statement(t, sys.Database(t, "reservation"), "DELETE FROM reservations WHERE customer_id = 'nobody'")
		statement(t, sys.Database(t, "payment"), "DELETE refunds FROM refunds JOIN payments USING (payment_id) WHERE payments.requested_at < '2026-03-03'")
		statement(t, sys.Database(t, "payment"), "DELETE FROM payment_steps WHERE at < '2026-03-03'")
		statement(t, sys.Database(t, "payment"), "DELETE FROM payments WHERE requested_at < '2026-03-03'")
		rewrite(t, func(lines []string) []string {
			return slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, noon) })
		})
	})
	of := map[[2]string][]bookRow{}
	var lines []string
	for _, b := range all {
		for _, row := range b.rows {
			of[[2]string{row.service, row.table}] = append(of[[2]string{row.service, row.table}], row)
		}
		lines = append(lines, b.lines...)
	}
	for at, rows := range of {
		for some := range slices.Chunk(rows, 500) {
			row := "(?" + strings.Repeat(",?", len(some[0].columns)-1) + ")"
			var values []any
			for _, r := range some {
				values = append(values, r.values...)
			}
			_, err := sys.Database(t, at[0]).Exec("INSERT INTO "+at[1]+" ("+strings.Join(some[0].columns, ",")+") VALUES "+
				row+strings.Repeat(","+row, len(some)-1), values...)
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	rewrite(t, func(there []string) []string { return append(there, lines...) })
}

// forget takes a reservation out of all books.
func forget(t testing.TB, id string) {
	t.Helper()
	for _, x := range booksTables {
		if _, err := sys.Database(t, x.service).Exec("DELETE FROM "+x.table+" WHERE "+x.where, id); err != nil {
			t.Fatal(err)
		}
	}
	rewrite(t, func(lines []string) []string {
		return slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(line, id) })
	})
}

func journalFile() string { return filepath.Join(sys.Dir, "data", "paymentsim.jsonl") }

// journal is the provider's, line by line.
func journal(t testing.TB) []string {
	t.Helper()
	raw, err := os.ReadFile(journalFile())
	if err != nil {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(raw)))
}

// rewrite changes the provider's journal while the provider is down.
func rewrite(t testing.TB, change func([]string) []string) {
	t.Helper()
	sys.Killed(t, "paymentsim") // told to end, it would wait for payment's connections
	if err := os.WriteFile(journalFile(), []byte(strings.Join(change(journal(t)), "")), 0o600); err != nil {
		t.Error(err)
	}
	sys.Server(t, "start", "paymentsim")
}

// chargedAfterAll lets the provider charge for a reservation whose card it has declined, and tell of it.
func chargedAfterAll(t testing.TB, id string, amount int64) {
	t.Helper()
	provider := sys.As(t, "").At(sys.URL(8099)).With("Idempotency-Key", newID()).
		With("Authorization", basic(sys.Env(t, "payment", "ONEQ_PROVIDER_SECRET_KEY")))
	provider.Do("POST", "/v1/payments/confirm", object{"paymentKey": "tok_ok", "orderId": id + "-PRICE", "amount": amount}).Is(t, 200)
	sys.As(t, "").Do("POST", "/webhooks/payment", object{"orderId": id + "-PRICE"}).Is(t, 200)
	stack.Eventually(t, 20*time.Second, "the money is back, and payment knows it", func() error {
		var done int
		err := sys.Database(t, "payment").QueryRow(`SELECT COUNT(*) FROM refunds r JOIN payments p USING (payment_id)
			WHERE p.reservation_id = ? AND p.status = 'DECLINED' AND r.status = 'DONE'`, id).Scan(&done)
		if err != nil {
			return err
		}
		if charged, returned := money(t, id); done != 1 || charged != amount || returned != amount {
			return fmt.Errorf("charged %d, returned %d, %d refunds", charged, returned, done)
		}
		return nil
	})
}
