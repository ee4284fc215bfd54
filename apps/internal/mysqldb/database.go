package mysqldb

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
)

// Database is a service's pool with its migrations. The service listens first and migrates then, so that its
// sidecar comes up; until it is migrated it is not ready.
type Database struct {
	*sql.DB
	migrations []Migrations
	migrated   atomic.Bool
}

// Start opens the pool of a service.
func Start(dsn string, migrations ...Migrations) (*Database, error) {
	db, err := Open(dsn)
	if err != nil {
		return nil, err
	}
	return &Database{DB: db, migrations: migrations}, nil
}

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

// Ready says whether the service can write.
func (d *Database) Ready(ctx context.Context) error {
	if !d.migrated.Load() {
		return errors.New("database not migrated yet")
	}
	return d.PingContext(ctx)
}
