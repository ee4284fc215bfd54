package deadletter

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/web"
)

// keepSettled is how long operators can still see a letter that was replayed with success.
const keepSettled = 30 * 24 * time.Hour

// Settled are letters that were replayed with success long ago, with what was tried for them. One that was not stays.
func Settled() mysqldb.Waste {
	return mysqldb.Waste{Name: "dead_letters", Remove: func(ctx context.Context, tx *sql.Tx, limit int) (int, error) {
		ids, err := settled(ctx, tx, limit)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		marks := strings.TrimSuffix(strings.Repeat("?,", len(ids)), ",")
		for _, query := range []string{"DELETE FROM dead_letters WHERE id IN (", "DELETE FROM dead_letter_replays WHERE letter IN ("} {
			if _, err := tx.ExecContext(ctx, query+marks+")", ids...); err != nil {
				return 0, fmt.Errorf("remove settled letters: %w", err)
			}
		}
		return len(ids), nil
	}}
}

func settled(ctx context.Context, tx *sql.Tx, limit int) (ids []any, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT letter FROM dead_letter_replays WHERE result = ? AND at < NOW(6) - INTERVAL ? SECOND
		ORDER BY at LIMIT ?`, web.ReplayDone, int(keepSettled.Seconds()), limit)
	if err != nil {
		return nil, fmt.Errorf("settled letters: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
