package mysqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"oneqtour/apps/internal/fault"
)

// unavailable makes a refusal, UNAVAILABLE, of an error by which the database says that it cannot do its work
// just now. It tells nothing about what the database has done: after a lost commit nobody knows.
func unavailable(err error) error {
	if err == nil || fault.CodeOf(err) != fault.Internal || !passing(err) {
		return err
	}
	return fault.New(fault.Unavailable).After(time.Second).Because(err)
}

func passing(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, mysql.ErrInvalidConn) || errors.Is(err, sql.ErrConnDone) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch e.Number {
	case 1040, 1203, 1226, // too many connections, of all or of this user
		1053, 1317, 1927, 1969, 3024, // it shuts down; statement or connection ended by an operator or a limit
		1290, 1792, 1836, // read-only
		1021, 1114, // disk or table full
		9001, 9002, 9003, 9004, 9005: // TiDB: a part of the cluster does not answer
		return true
	}
	return repeatable(err)
}

// conn is a connection of the driver whose errors are told apart where they come into the program, so that no
// repository has to. Statements that the driver prepares are left out: with InterpolateParams it makes none.
type conn struct{ driverConn }

// driverConn is what the driver's connections can do, and what database/sql makes use of.
type driverConn interface {
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

func (c conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	begun, err := c.driverConn.BeginTx(ctx, opts)
	if err != nil {
		return nil, unavailable(err)
	}
	return tx{begun}, nil
}

func (c conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	res, err := c.driverConn.ExecContext(ctx, query, args)
	return res, unavailable(err)
}

func (c conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	found, err := c.driverConn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, unavailable(err)
	}
	return rows{found}, nil
}

func (c conn) Ping(ctx context.Context) error { return unavailable(c.driverConn.Ping(ctx)) }

type tx struct{ driver.Tx }

func (t tx) Commit() error { return unavailable(t.Tx.Commit()) }

// rows: a lock that did not come is often told only when the first row is asked for.
type rows struct{ driver.Rows }

func (r rows) Next(into []driver.Value) error { return unavailable(r.Rows.Next(into)) }
