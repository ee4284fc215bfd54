package deadletter

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/web"
)

// keepSettled is how long operators can still see a letter that was replayed with success.
const keepSettled = 30 * 24 * time.Hour

// Settled are letters that were replayed with success long ago, with what was tried for them. One that was not stays.
func Settled() mysqldb.Waste {
	return mysqldb.Waste{Name: "dead_letters", Remove: func(ctx context.Context, tx *sql.Tx, limit int) (int, error) {
		letters, err := mysqldb.Found(ctx, tx, `SELECT letter FROM dead_letter_replays WHERE result = ? AND at < NOW(6) - INTERVAL ? SECOND
			ORDER BY at LIMIT ?`, web.ReplayDone, int(keepSettled.Seconds()), limit)
		if err != nil {
			return 0, fmt.Errorf("settled letters: %w", err)
		}
		if err := mysqldb.DeleteByKey(ctx, tx, "dead_letters", []string{"id"}, letters); err != nil {
			return 0, fmt.Errorf("remove settled letters: %w", err)
		}
		if err := mysqldb.DeleteByKey(ctx, tx, "dead_letter_replays", []string{"letter"}, letters); err != nil {
			return 0, fmt.Errorf("remove their replays: %w", err)
		}
		return len(letters), nil
	}}
}
