// Package batching does together what comes at the same time: while one batch is at work, whatever comes waits, and is
// the next batch. Under load many events cost one transaction; without it nothing waits for anything.
package batching

import (
	"context"
	"sync"
	"time"
)

// patience is how long a batch may take before its members are tried alone: less than the sidecar waits for a handler.
const patience = time.Second

// Batcher works at values of one kind, a batch at a time.
type Batcher[T any] struct {
	work    func(ctx context.Context, batch []T) error
	most    int
	mu      sync.Mutex
	waiting []member[T]
	busy    bool
}

type member[T any] struct {
	value T
	done  chan<- error
}

// New makes one that hands at most so many values to work, in the order in which they came. work must bear that what it
// was given before comes again.
func New[T any](most int, work func(ctx context.Context, batch []T) error) *Batcher[T] {
	return &Batcher[T]{work: work, most: most}
}

// Do has a value worked at, and says what came of it. When a batch fails, each of its members is tried alone: one that
// cannot be done, or that waits for a lock, must not hold up the others. A value whose caller no longer waits is worked
// at all the same.
func (b *Batcher[T]) Do(ctx context.Context, value T) error {
	done := make(chan error, 1)
	b.mu.Lock()
	b.waiting = append(b.waiting, member[T]{value, done})
	start := !b.busy
	b.busy = true
	b.mu.Unlock()
	if start {
		go b.run(context.WithoutCancel(ctx))
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run works until nothing waits.
func (b *Batcher[T]) run(ctx context.Context) {
	for batch := b.next(); len(batch) > 0; batch = b.next() {
		err := b.try(ctx, batch)
		if err != nil && len(batch) > 1 {
			for _, one := range batch {
				go func() { one.done <- b.try(ctx, []member[T]{one}) }()
			}
			continue
		}
		for _, one := range batch {
			one.done <- err
		}
	}
}

func (b *Batcher[T]) next() []member[T] {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), b.most)
	batch := b.waiting[:n:n]
	b.waiting = b.waiting[n:]
	b.busy = n > 0
	return batch
}

func (b *Batcher[T]) try(ctx context.Context, batch []member[T]) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	values := make([]T, len(batch))
	for i, one := range batch {
		values[i] = one.value
	}
	return b.work(ctx, values)
}
