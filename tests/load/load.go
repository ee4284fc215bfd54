// Package load fills a running system through its public API: products by their MDs, reservations with their payments
// by many customers. What is there counts, so a fill that was cut short goes on where it ended.
package load

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

const (
	mostCustomers = 500    // each has a rate limit of his own at the gateway
	share         = 20     // reservations of a customer, unless there would be more customers than that
	atOnce        = 32     // reservations under way; two cores do no more with more
	mds           = 2      // that the development issuer knows
	mdsAtOnce     = 8      // products under way, of each MD
	capacity      = 10_000 // seats of a departure: nobody finds one sold out, however often it is filled
)

// Token gives a bearer token of a user such as md-1 or customer-7; it is asked again when one has grown too old.
type Token func(user string) (string, error)

// Fill is Filler.Fill for who needs no progress.
func Fill(ctx context.Context, front string, token Token, products, reservations int) error {
	return (&Filler{Front: front, Token: token}).Fill(ctx, products, reservations)
}

// Filler fills the system behind a gateway.
type Filler struct {
	Front string // http://127.0.0.1:8080
	Token Token

	products, reservations atomic.Int64 // that are there
}

// Done says how many products and reservations there are by now.
func (f *Filler) Done() (products, reservations int) {
	return int(f.products.Load()), int(f.reservations.Load())
}

// Fill brings the system to so many products of md-1 and md-2, and so many reservations of the customers from
// customer-1 on, evenly over products and customers.
func (f *Filler) Fill(ctx context.Context, products, reservations int) error {
	offers, err := f.offer(ctx, products)
	if err != nil {
		return fmt.Errorf("products: %w", err)
	}
	if len(offers) == 0 || reservations == 0 {
		return nil
	}
	customers := min(mostCustomers, (reservations+share-1)/share)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for c := range customers {
		first, behind := c*reservations/customers, (c+1)*reservations/customers
		group.Go(func() error {
			user := fmt.Sprint("customer-", c+1)
			if err := f.reserve(ctx, f.as(user), offers, first, behind-first); err != nil {
				return fmt.Errorf("reservations of %s: %w", user, err)
			}
			return nil
		})
	}
	return group.Wait()
}

// offer registers what is missing of the products, and gives all of them in an order that is always the same.
func (f *Filler) offer(ctx context.Context, products int) ([]product, error) {
	var mu sync.Mutex
	offers := make([][]product, mds)
	group, ctx := errgroup.WithContext(ctx)
	for md := range mds {
		many := (products + mds - 1 - md) / mds
		group.Go(func() error {
			who := f.as(fmt.Sprint("md-", md+1))
			have, err := who.products(ctx, many)
			if err != nil {
				return err
			}
			f.products.Add(int64(len(have)))
			registering, ctx := errgroup.WithContext(ctx)
			registering.SetLimit(mdsAtOnce)
			for i := len(have); i < many; i++ {
				registering.Go(func() error {
					one, err := who.register(ctx, i)
					if err != nil {
						return err
					}
					mu.Lock()
					defer mu.Unlock()
					have = append(have, one)
					f.products.Add(1)
					return nil
				})
			}
			err = registering.Wait()
			offers[md] = have
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return inOrder(offers), nil
}

// reserve makes what is missing of so many of a customer's: first, first+1, … of all.
func (f *Filler) reserve(ctx context.Context, who *caller, offers []product, first, many int) error {
	have, err := who.reservations(ctx, many)
	if err != nil {
		return err
	}
	f.reservations.Add(int64(have))
	for n := have; n < many; n++ {
		if err := who.reserve(ctx, offers[(first+n)%len(offers)], n); err != nil {
			return err
		}
		f.reservations.Add(1)
	}
	return nil
}
