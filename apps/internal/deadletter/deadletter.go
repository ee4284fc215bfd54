// Package deadletter keeps, in the service's own database, the events that the service could not handle.
package deadletter

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"oneqtour/apps/internal/fault"
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

// Letters keeps dead letters in a database.
type Letters struct{ db *sql.DB }

// New keeps dead letters in the service's database.
func New(db *sql.DB) Letters { return Letters{db} }

// Keep stores a letter; one that is known already stays as it is.
func (l Letters) Keep(ctx context.Context, d web.DeadLetter) error {
	_, err := l.db.ExecContext(ctx, `INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON DUPLICATE KEY UPDATE id = id`,
		d.ID, d.Topic, d.Type, d.Subject, d.Reason, d.At, string(d.Payload))
	if err != nil {
		return fmt.Errorf("keep dead letter: %w", err)
	}
	return nil
}

const columns = "SELECT l.id, l.topic, l.type, l.subject, l.reason, l.at, l.payload FROM dead_letters l "

// List gives letters, the newest first.
func (l Letters) List(ctx context.Context, q web.LetterQuery) ([]web.DeadLetter, error) {
	behind := web.LetterMark{At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if q.Behind != nil {
		behind = *q.Behind
	}
	which, args := "WHERE ", []any{}
	if !q.All {
		// A join: a subquery may be worked out for all letters before the first one is read.
		which = "LEFT JOIN dead_letter_replays r ON r.letter = l.id AND r.result = ? WHERE r.letter IS NULL AND "
		args = append(args, web.ReplayDone)
	}
	return read(ctx, l.db, columns+which+"l.at >= ? AND (l.at < ? OR l.at = ? AND l.id < ?) ORDER BY l.at DESC, l.id DESC LIMIT ?",
		append(args, q.Since, behind.At, behind.At, behind.ID, q.Limit)...)
}

// Find gives a letter; NOT_FOUND: there is none of this id.
func (l Letters) Find(ctx context.Context, id string) (web.DeadLetter, error) {
	return one(ctx, l.db, columns+"WHERE id = ?", id)
}

// conn is a pool or a transaction.
type conn interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func one(ctx context.Context, c conn, query, id string) (web.DeadLetter, error) {
	found, err := read(ctx, c, query, id)
	if err != nil {
		return web.DeadLetter{}, err
	}
	if len(found) == 0 {
		return web.DeadLetter{}, fault.New(fault.NotFound)
	}
	return found[0], nil
}

func read(ctx context.Context, c conn, query string, args ...any) ([]web.DeadLetter, error) {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var letters []web.DeadLetter
	for rows.Next() {
		var d web.DeadLetter
		var payload []byte
		if err := rows.Scan(&d.ID, &d.Topic, &d.Type, &d.Subject, &d.Reason, &d.At, &payload); err != nil {
			return nil, err
		}
		d.App, _, _ = strings.Cut(d.ID, ":")
		d.Payload = payload
		letters = append(letters, d)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	_ = rows.Close() // a transaction has one connection
	return letters, addReplays(ctx, c, letters)
}

func addReplays(ctx context.Context, c conn, letters []web.DeadLetter) error {
	if len(letters) == 0 {
		return nil
	}
	ids, place := make([]any, len(letters)), map[string]int{}
	for i, d := range letters {
		ids[i], place[d.ID] = d.ID, i
		letters[i].Replays = []web.Replay{}
	}
	marks := mysqldb.Marks(len(ids))
	rows, err := c.QueryContext(ctx, "SELECT letter, at, actor, result FROM dead_letter_replays WHERE letter IN ("+marks+") ORDER BY at", ids...)
	if err != nil {
		return fmt.Errorf("read replays: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var letter string
		var r web.Replay
		if err := rows.Scan(&letter, &r.At, &r.By, &r.Result); err != nil {
			return err
		}
		d := &letters[place[letter]]
		d.Replays = append(d.Replays, r)
	}
	return rows.Err()
}

// Begin notes an attempt unless the letter is settled or may not be tried: the row of the letter is locked
// meanwhile, so that of two at the same moment one is first.
func (l Letters) Begin(ctx context.Context, id string, r web.Replay, may func(web.DeadLetter) error) (found web.DeadLetter, err error) {
	err = mysqldb.InTx(ctx, l.db, func(tx *sql.Tx) error {
		if found, err = one(ctx, tx, columns+"WHERE id = ? FOR UPDATE", id); err != nil || found.Settled() {
			return err
		}
		if err := may(found); err != nil {
			return err
		}
		return note(ctx, tx, id, r)
	})
	return found, err
}

// Replayed gives an attempt its result.
func (l Letters) Replayed(ctx context.Context, id string, r web.Replay) error {
	return note(ctx, l.db, id, r)
}

func note(ctx context.Context, c conn, id string, r web.Replay) error {
	_, err := c.ExecContext(ctx, `INSERT INTO dead_letter_replays (letter, at, actor, result) VALUES (?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE result = VALUES(result)`, id, r.At, r.By, r.Result)
	if err != nil {
		return fmt.Errorf("note a replay: %w", err)
	}
	return nil
}
