package dbtest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"oneqtour/apps/internal/mysqldb"
)

// most rows that one statement may read of tables with Rows rows: a portion of a purge, never a table.
const most = Rows / 5

// Watch looks at statements where they reach the driver, so that none is left out.
type Watch struct {
	t       testing.TB
	looking atomic.Bool
	mu      sync.Mutex
	of      string          // what runs
	seen    map[string]bool // statements that were looked at
}

// OpenWatched is Open with a pool whose statements are looked at while Methods runs.
func OpenWatched(t testing.TB, migrations ...mysqldb.Migrations) (*sql.DB, *Watch) {
	t.Helper()
	_, dsn := OpenDSN(t, migrations...)
	connector, err := mysqldb.Connector(dsn)
	if err != nil {
		t.Fatal(err)
	}
	w := &Watch{t: t, seen: map[string]bool{}}
	db := sql.OpenDB(watchedConnector{connector, w})
	t.Cleanup(func() { _ = db.Close() })
	return db, w
}

// Methods calls each exported method of a repository and fails for a statement that scans a table or reads more rows
// of it than it may; it fails for a method that is not among the calls as well, so that no new one is left out.
func (w *Watch) Methods(of any, calls map[string]func() error) {
	w.t.Helper()
	for method := range reflect.TypeOf(of).Methods() {
		if calls[method.Name] == nil {
			w.t.Errorf("%T.%s: nobody looks at its statements", of, method.Name)
		}
	}
	for name, call := range calls {
		w.Of(name, call)
	}
}

// Of looks at what one call says to the database.
func (w *Watch) Of(name string, call func() error) {
	w.t.Helper()
	w.mu.Lock()
	w.of = name
	w.mu.Unlock()
	w.looking.Store(true)
	defer w.looking.Store(false)
	if err := call(); err != nil {
		w.t.Errorf("%s: %v", name, err)
	}
}

// Statements says how many different ones were looked at.
func (w *Watch) Statements() int { w.mu.Lock(); defer w.mu.Unlock(); return len(w.seen) }

// Analyze lets the optimizer know how full the tables are.
func (w *Watch) Analyze(db *sql.DB) {
	w.t.Helper()
	rows, err := db.Query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()")
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			w.t.Fatal(err)
		}
		names = append(names, name)
	}
	if _, err := db.Exec("ANALYZE TABLE " + strings.Join(names, ", ")); err != nil || rows.Err() != nil {
		w.t.Fatal(err, rows.Err())
	}
}

func (w *Watch) wants(query string) bool {
	if !w.looking.Load() {
		return false
	}
	verb, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	reads := verb == "SELECT" || verb == "UPDATE" || verb == "DELETE" || verb == "INSERT" && strings.Contains(query, "SELECT ")
	if reads {
		w.mu.Lock()
		w.seen[query] = true
		w.mu.Unlock()
	}
	return reads
}

func (w *Watch) fail(query, why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t.Errorf("%s: %s\n%s", w.of, why, query)
}

type watchedConnector struct {
	driver.Connector
	w *Watch
}

func (c watchedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return watchedConn{opened.(sqlConn), c.w}, nil
}

// sqlConn is what database/sql makes use of.
type sqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	driver.NamedValueChecker
}

type watchedConn struct {
	sqlConn
	w *Watch
}

func (c watchedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !c.w.wants(query) {
		return c.sqlConn.ExecContext(ctx, query, args)
	}
	defer c.look(ctx, query, args)()
	return c.sqlConn.ExecContext(ctx, query, args)
}

func (c watchedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if !c.w.wants(query) {
		return c.sqlConn.QueryContext(ctx, query, args)
	}
	done := c.look(ctx, query, args)
	rows, err := c.sqlConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return watchedRows{rows, done}, nil
}

type watchedRows struct {
	driver.Rows
	done func()
}

func (r watchedRows) Close() error {
	err := r.Rows.Close()
	r.done()
	return err
}

// look asks how the statement will be done; what it gives counts, when the statement is done, what it has read.
func (c watchedConn) look(ctx context.Context, query string, args []driver.NamedValue) func() {
	ctx = context.WithoutCancel(ctx)
	for _, step := range c.ask(ctx, "EXPLAIN "+query, args) {
		if table := step["table"]; step["type"] == "ALL" && table != "" && !strings.HasPrefix(table, "<") {
			c.w.fail(query, "a full scan of "+table)
		}
	}
	before := c.read(ctx)
	return func() {
		if n := c.read(ctx) - before; n > most {
			c.w.fail(query, fmt.Sprintf("%d rows read", n))
		}
	}
}

// read counts the rows that this connection has read by way of an index.
func (c watchedConn) read(ctx context.Context) (n int) {
	for _, row := range c.ask(ctx, `SHOW SESSION STATUS WHERE Variable_name IN
		('Handler_read_first', 'Handler_read_key', 'Handler_read_next', 'Handler_read_prev', 'Handler_read_rnd')`, nil) {
		var one int
		_, _ = fmt.Sscan(row["value"], &one)
		n += one
	}
	return n
}

// ask gives the rows of an answer as texts by column.
func (c watchedConn) ask(ctx context.Context, query string, args []driver.NamedValue) (all []map[string]string) {
	rows, err := c.sqlConn.QueryContext(ctx, query, args)
	if err != nil {
		c.w.fail(query, err.Error())
		return nil
	}
	defer func() { _ = rows.Close() }()
	columns := rows.Columns()
	values := make([]driver.Value, len(columns))
	for rows.Next(values) == nil {
		row := map[string]string{}
		for i, name := range columns {
			switch v := values[i].(type) {
			case nil:
			case []byte:
				row[strings.ToLower(name)] = string(v)
			default:
				row[strings.ToLower(name)] = fmt.Sprint(v)
			}
		}
		all = append(all, row)
	}
	return all
}
