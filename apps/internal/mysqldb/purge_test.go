package mysqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
)

// Of replicas that begin at once one does the work, the others leave it alone; who fails gives nothing up.
func TestOneReplicaPurgesAtATime(t *testing.T) {
	_, dsn := dbtest.OpenDSN(t)
	var left, atOnce, most atomic.Int64
	left.Store(2300)
	waste := mysqldb.Waste{Name: "thought", Remove: func(_ context.Context, _ *sql.Tx, limit int) (int, error) {
		most.Store(max(most.Load(), atOnce.Add(1)))
		defer atOnce.Add(-1)
		n := min(left.Load(), int64(limit))
		left.Add(-n)
		return int(n), nil
	}}
	var removed atomic.Int64
	var all sync.WaitGroup
	for range 4 {
		d := started(t, dsn)
		all.Go(func() {
			n, err := d.PurgeNow(t.Context(), waste)
			if err != nil {
				t.Error(err)
			}
			removed.Add(int64(n))
		})
	}
	all.Wait()
	if removed.Load() != 2300 || most.Load() != 1 {
		t.Errorf("%d rows, %d replicas at once", removed.Load(), most.Load())
	}
	d := started(t, dsn)
	if n, err := d.PurgeNow(t.Context(), waste); n != 0 || err != nil {
		t.Errorf("before it is due again: %d, %v", n, err)
	}

	boom := errors.New("boom")
	waste = mysqldb.Waste{Name: "broken", Remove: func(context.Context, *sql.Tx, int) (int, error) { return 0, boom }}
	if _, err := d.PurgeNow(t.Context(), waste); !errors.Is(err, boom) {
		t.Error(err)
	}
	exec(t, d, "UPDATE purges SET due_at = NOW(6) WHERE name = 'broken'") // its turn is over
	if _, err := d.PurgeNow(t.Context(), waste); !errors.Is(err, boom) {
		t.Errorf("after the turn of one that failed: %v", err)
	}
}
