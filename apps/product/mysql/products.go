// Package mysql stores products, the events that tell of them, and the inboxes of the MDs.
package mysql

import (
	"context"
	"database/sql"
	"fmt"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// Products implements usecase.Products.
type Products struct{ db *sql.DB }

// NewProducts makes a repository.
func NewProducts(db *sql.DB) *Products { return &Products{db} }

// Add stores a new product with its event.
func (r *Products) Add(ctx context.Context, p *domain.TourProduct, said contract.Event) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		if err := insertProduct(ctx, tx, p.Snapshot(), said.Time); err != nil {
			return err
		}
		return say(ctx, tx, said)
	})
}

// Update locks the product, lets change work on it, and stores it with its event.
func (r *Products) Update(ctx context.Context, id domain.ProductID, change usecase.Change) error {
	return mysqldb.InTx(ctx, r.db, func(tx *sql.Tx) error {
		product, err := one(ctx, tx, id, " FOR UPDATE")
		if err != nil {
			return err
		}
		said, err := change(product)
		if err != nil || said == nil {
			return err
		}
		if err := updateProduct(ctx, tx, product.Snapshot(), said.Time); err != nil {
			return err
		}
		return say(ctx, tx, *said)
	})
}

// Find reads a product. fault.NotFound.
func (r *Products) Find(ctx context.Context, id domain.ProductID) (*domain.TourProduct, error) {
	return one(ctx, r.db, id, "")
}

// ListOf reads the products of an MD, the newest first: ids are UUIDv7 and grow with time.
func (r *Products) ListOf(ctx context.Context, md domain.MDID, before domain.ProductID, limit int) ([]*domain.TourProduct, error) {
	where, args := "md_id = ?", []any{md}
	if before != "" {
		where, args = where+" AND product_id < ?", append(args, before)
	}
	return load(ctx, r.db, where+" ORDER BY product_id DESC LIMIT ?", append(args, limit)...)
}

func say(ctx context.Context, tx *sql.Tx, e contract.Event) error {
	return outbox.Add(ctx, tx, []outbox.Message{{Topic: contract.TopicProduct, Event: e}})
}

// querier is a pool or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func one(ctx context.Context, q querier, id domain.ProductID, lock string) (*domain.TourProduct, error) {
	products, err := load(ctx, q, "product_id = ?"+lock, id)
	if err != nil {
		return nil, err
	}
	if len(products) == 0 {
		return nil, fault.New(fault.NotFound)
	}
	return products[0], nil
}

// load reads products and their departures: two queries, however many there are.
func load(ctx context.Context, q querier, where string, args ...any) ([]*domain.TourProduct, error) {
	snapshots, err := scanProducts(ctx, q, where, args...)
	if err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	if err := addDepartures(ctx, q, snapshots); err != nil {
		return nil, fmt.Errorf("read departures: %w", err)
	}
	products := make([]*domain.TourProduct, 0, len(snapshots))
	for _, s := range snapshots {
		products = append(products, domain.Restore(*s))
	}
	return products, nil
}
