// Package deadletter keeps, in the service's own database, the events that the service could not handle.
package deadletter

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/web"
)

//go:embed migrations/*.sql
var files embed.FS

// Migrations creates the table of dead letters.
func Migrations() mysqldb.Migrations {
	sub, _ := fs.Sub(files, "migrations")
	return mysqldb.Migrations{Owner: "dead_letters", Files: sub}
}

// Keep stores a dead letter; one that is known already stays as it is.
func Keep(db *sql.DB) func(ctx context.Context, d web.DeadLetter) error {
	return func(ctx context.Context, d web.DeadLetter) error {
		_, err := db.ExecContext(ctx, `INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id`,
			d.ID, d.Topic, d.Type, d.Subject, d.Reason, d.At, string(d.Payload))
		if err != nil {
			return fmt.Errorf("keep dead letter: %w", err)
		}
		return nil
	}
}
