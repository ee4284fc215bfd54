// Package statestore keeps the documents of the view in a Dapr state store.
package statestore

import (
	"context"
	"errors"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/viewpage/usecase"
)

// Store is the view's State over the sidecar.
type Store struct{ state *sidecar.State }

// New keeps documents in the given state store.
func New(state *sidecar.State) Store { return Store{state} }

// Get reads one document.
func (s Store) Get(ctx context.Context, key string) (usecase.Document, error) {
	d, err := s.state.Get(ctx, key)
	return usecase.Document(d), unavailable(err)
}

// GetAll reads many documents in one call.
func (s Store) GetAll(ctx context.Context, keys []string) ([]usecase.Document, error) {
	stored, err := s.state.GetAll(ctx, keys)
	if err != nil {
		return nil, unavailable(err)
	}
	docs := make([]usecase.Document, len(stored))
	for i, d := range stored {
		docs[i] = usecase.Document(d)
	}
	return docs, nil
}

// Put writes a document if it is still as it was read: first write wins.
func (s Store) Put(ctx context.Context, d usecase.Document) error {
	err := s.state.Put(ctx, sidecar.Document(d))
	if errors.Is(err, sidecar.ErrConflict) {
		return usecase.ErrConflict
	}
	return unavailable(err)
}

// Delete removes a document.
func (s Store) Delete(ctx context.Context, key string) error {
	return unavailable(s.state.Delete(ctx, key))
}

// unavailable: a store that does not answer is back soon.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Unavailable).Because(err).After(time.Second)
}
