package usecase

import (
	"context"
	"sync"

	"oneqtour/apps/viewpage/domain"
)

// manyNames is how many names a replica remembers to have noted: some MB.
const manyNames = 20_000

// names notes which customers and MDs have an index, in an index of its own, so that a generation can be removed
// whole: a state store lists no keys.
type names struct {
	indexes *indexes
	mu      sync.Mutex
	noted   map[string]bool
}

// note is called before the first entry of an index is written, and remembers what it has noted already.
func (n *names) note(ctx context.Context, k keys, name string) error {
	key := k.of(name)
	n.mu.Lock()
	done := n.noted[key]
	n.mu.Unlock()
	if done {
		return nil
	}
	if err := n.indexes.put(ctx, k.names(), domain.Entry{Position: domain.Position{ID: name}}); err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.noted) >= manyNames {
		clear(n.noted)
	}
	n.noted[key] = true
	return nil
}
