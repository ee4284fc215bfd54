// Package mysqldb opens a service's database, runs its transactions and brings its schema up to date. SQL
// stays within what MySQL 8, MariaDB 10.11 and TiDB share.
package mysqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-sql-driver/mysql"

	"oneqtour/apps/internal/fault"
)

// Open prepares a pool for a DSN such as user:password@tcp(127.0.0.1:3306)/oneq_product. It does not connect:
// a service starts while its database is away and says so on /readyz.
func Open(dsn string) (*sql.DB, error) {
	connector, err := Connector(dsn)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(48)
	db.SetMaxIdleConns(48)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// Connector makes the connections of a pool.
func Connector(dsn string) (driver.Connector, error) {
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		// Not wrapped: the driver's message may quote the password.
		return nil, errors.New("ONEQ_DATABASE_DSN is not of the form user:password@tcp(host:port)/database")
	}
	cfg.ParseTime, cfg.Loc = true, time.UTC
	cfg.InterpolateParams = true // one round trip a statement instead of two
	cfg.Collation = "utf8mb4_bin"
	cfg.Logger = &mysql.NopLogger{} // what it would print on its own is in the errors, too
	cfg.RejectReadOnly = true       // a connection to what has become a replica is given up, so that the next one finds the primary
	cfg.Timeout, cfg.ReadTimeout, cfg.WriteTimeout = 2*time.Second, 10*time.Second, 10*time.Second
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return session{connector}, nil
}

// session sets up each new connection. While the database is away, UNAVAILABLE is what a caller is told.
type session struct{ driver.Connector }

func (s session) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, fault.New(fault.Unavailable).After(time.Second).Because(err)
	}
	c, ok := opened.(driverConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("%T is no connection of the driver", opened), opened.Close())
	}
	for _, set := range []string{
		"SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
		// A statement that waits for a locked table outlives the client that gave it up: not for a day, as by default.
		"SET SESSION innodb_lock_wait_timeout = 3, lock_wait_timeout = 10, time_zone = '+00:00'",
	} {
		if _, err := c.ExecContext(ctx, set, nil); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", set, unavailable(err)), c.Close())
		}
	}
	return conn{c}, nil
}

// InTx runs fn in one transaction and repeats it, at most three times more, when the database gave it up for
// a deadlock or a lock that did not come within 3 s. The error of the commit is the error of InTx, also when
// nobody knows whether it was made. fn must do nothing but use tx: it may run several times. UNAVAILABLE: the
// database is away, too slow, read-only, or gave the transaction up each time.
func InTx(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := once(ctx, db, fn)
		if err == nil || attempt > 3 || !repeatable(err) {
			return timely(ctx, err)
		}
		select {
		case <-ctx.Done():
			return timely(ctx, err)
		case <-time.After(rand.N(time.Duration(attempt) * 10 * time.Millisecond)): // at random: two that met must not meet again
		}
	}
}

// timely: when the deadline ends a transaction, what fails is often only the statement after it.
func timely(ctx context.Context, err error) error {
	if errors.Is(err, sql.ErrTxDone) && ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", err, ctx.Err())
	}
	return unavailable(err)
}

func once(ctx context.Context, db *sql.DB, fn func(tx *sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err := fn(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

// Errors after which the database has undone the whole transaction, or the statement that we then undo.
func repeatable(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	if !ok {
		return false
	}
	switch e.Number {
	case 1213, // deadlock
		1205,       // lock wait timeout
		1020,       // MariaDB: record has changed since last read
		8002, 8022, // TiDB: commit failed, safe to repeat
		9007: // TiDB: write conflict
		return true
	}
	return false
}

// IsDuplicate says whether a unique key refused the row.
func IsDuplicate(err error) bool {
	e, ok := errors.AsType[*mysql.MySQLError](err)
	return ok && e.Number == 1062
}
