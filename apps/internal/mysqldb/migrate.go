package mysqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

// Migrations are the numbered .sql files of one owner. Each file holds one statement, since MySQL commits
// at every one that changes the schema, and can be run again after a crash (CREATE TABLE IF NOT EXISTS).
type Migrations struct {
	Owner string // names the table that remembers what has run: schema_<owner>
	Files fs.FS  // rooted at the folder of the files
}

// Migrate waits until the database answers, for as long as ctx lives, and runs what has not run yet. Replicas
// that start together take turns.
func Migrate(ctx context.Context, db *sql.DB, all ...Migrations) error {
	if err := await(ctx, db); err != nil {
		return err
	}
	lock, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	var got sql.NullInt64
	if err := lock.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT(DATABASE(), '.migrate'), 60)").Scan(&got); err != nil {
		return fmt.Errorf("lock for migration: %w", err)
	}
	if got.Int64 != 1 {
		return errors.New("another process has been migrating this database for more than 60 s")
	}
	defer func() {
		_, _ = lock.ExecContext(context.WithoutCancel(ctx), "SELECT RELEASE_LOCK(CONCAT(DATABASE(), '.migrate'))")
	}()
	for _, m := range all {
		if err := up(ctx, db, m); err != nil {
			return fmt.Errorf("migrate %s: %w", m.Owner, err)
		}
	}
	return nil
}

func up(ctx context.Context, db *sql.DB, m Migrations) error {
	store, err := database.NewStore(database.DialectMySQL, "schema_"+m.Owner)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider("", db, m.Files, goose.WithStore(store))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func await(ctx context.Context, db *sql.DB) error {
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(300 * time.Millisecond):
		}
	}
}
