package mysqldb

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/rs/zerolog"
)

// Waste is rows that nobody needs any longer.
type Waste struct {
	Name string // of the kind, at most 64 characters
	// Remove deletes at most limit of them, by an index, and says how many there were.
	Remove func(ctx context.Context, tx *sql.Tx, limit int) (int, error)
}

const (
	portion = 500                   // rows of one transaction, whose locks last for milliseconds
	breath  = 20 * time.Millisecond // between two: the purge takes its time, the others theirs
	turn    = time.Minute           // after which a replica that has died in the middle is replaced
	rest    = 10 * time.Minute      // between two purges of a kind, whichever replica does them
	glance  = time.Minute           // between two looks whether one is due
)

// Purge removes waste until the context ends, in portions, and each kind by one replica at a time.
func (d *Database) Purge(ctx context.Context, all ...Waste) error {
	for {
		for _, w := range all {
			if n, err := d.PurgeNow(ctx, w); err != nil && ctx.Err() == nil {
				zerolog.Ctx(ctx).Warn().Err(err).Str("waste", w.Name).Msg("not purged: will try again")
			} else if n > 0 {
				zerolog.Ctx(ctx).Info().Str("waste", w.Name).Int("rows", n).Msg("purged")
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(glance):
		}
	}
}

// PurgeNow removes all waste of a kind if it is this replica's turn, and says how many rows there were.
func (d *Database) PurgeNow(ctx context.Context, w Waste) (removed int, err error) {
	if mine, err := d.claim(ctx, w); err != nil || !mine {
		return 0, err
	}
	for {
		var n int
		err := InTx(ctx, d.DB, func(tx *sql.Tx) (err error) {
			n, err = w.Remove(ctx, tx, portion)
			return err
		})
		if err != nil {
			return removed, fmt.Errorf("purge %s: %w", w.Name, err)
		}
		removed += n
		if n < portion {
			return removed, d.next(ctx, w, rest)
		}
		if err := d.next(ctx, w, turn); err != nil {
			return removed, err
		}
		select {
		case <-ctx.Done():
			return removed, d.next(context.WithoutCancel(ctx), w, 0)
		case <-time.After(breath):
		}
	}
}

// claim takes the turn if nobody has it. Two that ask at once are told apart by the row.
func (d *Database) claim(ctx context.Context, w Waste) (mine bool, err error) {
	if _, err := d.ExecContext(ctx, "INSERT IGNORE INTO purges (name, due_at) VALUES (?, NOW(6))", w.Name); err != nil {
		return false, fmt.Errorf("purge %s: %w", w.Name, err)
	}
	res, err := d.ExecContext(ctx, "UPDATE purges SET due_at = NOW(6) + INTERVAL ? SECOND WHERE name = ? AND due_at <= NOW(6)",
		int(turn.Seconds()), w.Name)
	if err != nil {
		return false, fmt.Errorf("purge %s: %w", w.Name, err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func (d *Database) next(ctx context.Context, w Waste, after time.Duration) error {
	_, err := d.ExecContext(ctx, "UPDATE purges SET due_at = NOW(6) + INTERVAL ? SECOND WHERE name = ?", int(after.Seconds()), w.Name)
	if err != nil {
		return fmt.Errorf("purge %s: %w", w.Name, err)
	}
	return nil
}

// Found gives the keys that a query finds, without a lock.
func Found(ctx context.Context, tx *sql.Tx, query string, args ...any) (keys [][]any, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		texts, into := make([]string, len(columns)), make([]any, len(columns))
		for i := range texts {
			into[i] = &texts[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		for i, text := range texts {
			into[i] = text
		}
		keys = append(keys, into)
	}
	return keys, rows.Err()
}

// DeleteByKey deletes rows by their primary key, or its first columns, one by one, and so locks no others. A range would
// wait for whoever holds the first row behind it; of many keys at once the optimizer makes a scan when few rows stay.
func DeleteByKey(ctx context.Context, tx *sql.Tx, table string, columns []string, keys [][]any) error {
	query := "DELETE FROM " + table + " WHERE " + strings.Join(columns, " = ? AND ") + " = ?"
	for _, key := range keys {
		if _, err := tx.ExecContext(ctx, query, key...); err != nil {
			return err
		}
	}
	return nil
}
