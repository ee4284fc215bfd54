package mysqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"
)

//go:embed migrations/*.sql
var files embed.FS

// Database is a service's pool with its migrations. The service listens first and migrates then, so that its
// sidecar comes up; until it is migrated it is not ready.
type Database struct {
	*sql.DB
	probe      *sql.DB // for Ready alone: a busy pool is no reason to be taken for one that cannot write
	migrations []Migrations
	migrated   atomic.Bool
}

// Start opens the pool of a service.
func Start(dsn string, migrations ...Migrations) (*Database, error) {
	db, err := Open(dsn)
	if err != nil {
		return nil, err
	}
	probe, err := Open(dsn)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	probe.SetMaxOpenConns(2) // the sidecar's question, and one more while that one hangs
	sub, _ := fs.Sub(files, "migrations")
	readiness := Migrations{Owner: "readiness", Files: sub}
	return &Database{DB: db, probe: probe, migrations: append(slices.Clone(migrations), readiness)}, nil
}

// Close ends all connections.
func (d *Database) Close() error { return errors.Join(d.DB.Close(), d.probe.Close()) }

// Migrate waits for the database and brings its schema up to date.
func (d *Database) Migrate(ctx context.Context) error {
	if err := Migrate(ctx, d.DB, d.migrations...); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before the database came
		}
		return err
	}
	d.migrated.Store(true)
	return nil
}

// Ready says whether the service can write, by writing: a database that is read-only after a failover, full or
// locked still answers every ping. It waits no longer than ctx.
func (d *Database) Ready(ctx context.Context) error {
	if !d.migrated.Load() {
		return errors.New("database not migrated yet")
	}
	_, err := d.probe.ExecContext(ctx, "INSERT INTO readiness (id, at) VALUES (1, NOW(6)) ON DUPLICATE KEY UPDATE at = NOW(6)")
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
