package outbox_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/outbox"
)

// A broker that was away for long leaves many rows; publishing a batch of them must not cost more than the batch.
func TestEveryStatementHasItsIndex(t *testing.T) {
	db, watch := dbtest.OpenWatched(t, outbox.Migrations())
	dbtest.Fill(t, db, "INSERT INTO outbox (id, topic, partition_key, event)", dbtest.Rows, func(i int) []any {
		return []any{dbtest.ID(i), "product", "k", fmt.Sprintf(`{"specversion":"1.0","id":%q,"type":"t","subject":"s","data":{}}`, dbtest.ID(i))}
	})
	watch.Analyze(db)
	b := newBroker()
	watch.Of("Run", func() error {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- outbox.NewRelay(db, b).Run(ctx) }()
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if events, _ := b.received(); events >= 500 {
				break
			}
		}
		stop()
		return <-ended
	})
	if events, _ := b.received(); events < 500 || watch.Statements() < 3 {
		t.Errorf("%d events, %d statements", events, watch.Statements())
	}
}
