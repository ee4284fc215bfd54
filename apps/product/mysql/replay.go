package mysql

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/replay"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// Replayed is what this service tells when the view is made anew: every product.
func Replayed() replay.Kind {
	return replay.Kind{Type: contract.ProductSnapshot, Read: snapshots}
}

func snapshots(ctx context.Context, tx *sql.Tx, after string, limit int) ([]replay.Snapshot, error) {
	// Locked for the moment, so that a product and the time of its last event belong together.
	products, err := load(ctx, tx, "product_id > ? ORDER BY product_id LIMIT ? LOCK IN SHARE MODE", after, limit)
	if err != nil {
		return nil, err
	}
	told := make([]replay.Snapshot, 0, len(products))
	for _, p := range products {
		at, err := changedAt(ctx, tx, p)
		if err != nil {
			return nil, err
		}
		told = append(told, replay.Snapshot{ID: string(p.ID()), Version: p.Version(), At: at, Data: func(m contract.Meta) any {
			state := usecase.PublicState(p)
			state.Meta = m
			return state
		}})
	}
	return told, nil
}

// changedAt is when a product came to its version; for one from before the column, when it was registered.
func changedAt(ctx context.Context, tx *sql.Tx, p *domain.TourProduct) (at time.Time, err error) {
	err = tx.QueryRowContext(ctx, "SELECT COALESCE(changed_at, created_at) FROM products WHERE product_id = ?", p.ID()).Scan(&at)
	if err != nil {
		return at, fmt.Errorf("read the time of a product: %w", err)
	}
	return at, nil
}
