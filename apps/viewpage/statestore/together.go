package statestore

import (
	"context"

	"oneqtour/apps/internal/batching"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/viewpage/usecase"
)

const (
	most  = 50 // reads or writes that one call makes for many events
	small = 5  // documents of a read that goes with others
)

// Together is the same store, asked for many documents by one call when many events want a few each at the same time: a
// call through the sidecar costs far more than a document in it.
type Together struct {
	Store
	reads *batching.Batcher[*read]
	puts  *batching.Batcher[usecase.Document]
}

// read is for somebody who waits for documents.
type read struct {
	keys []string
	docs []usecase.Document
}

// NewTogether makes one of a store.
func NewTogether(s Store) *Together {
	t := &Together{Store: s}
	t.reads = batching.New(most, t.readAll)
	t.puts = batching.New(most, t.putAll)
	return t
}

// Get reads one document, with others.
func (t *Together) Get(ctx context.Context, key string) (usecase.Document, error) {
	docs, err := t.GetAll(ctx, []string{key})
	if err != nil {
		return usecase.Document{}, err
	}
	return docs[0], nil
}

// GetAll reads a few documents, with others; many by a call of their own.
func (t *Together) GetAll(ctx context.Context, keys []string) ([]usecase.Document, error) {
	if len(keys) > small {
		return t.Store.GetAll(ctx, keys)
	}
	r := &read{keys: keys}
	if err := t.reads.Do(ctx, r); err != nil {
		return nil, err
	}
	return r.docs, nil
}

// readAll asks for a key once, however many want it.
func (t *Together) readAll(ctx context.Context, batch []*read) error {
	if len(batch) == 1 && len(batch[0].keys) == 1 {
		doc, err := t.Store.Get(ctx, batch[0].keys[0])
		batch[0].docs = []usecase.Document{doc}
		return err
	}
	var keys []string
	at := map[string]int{}
	for _, r := range batch {
		for _, key := range r.keys {
			if _, there := at[key]; !there {
				at[key] = len(keys)
				keys = append(keys, key)
			}
		}
	}
	docs, err := t.Store.GetAll(ctx, keys)
	if err != nil {
		return err
	}
	for _, r := range batch {
		r.docs = make([]usecase.Document, len(r.keys))
		for i, key := range r.keys {
			r.docs[i] = docs[at[key]]
		}
	}
	return nil
}

// Put writes one document, with others. A document may be written and yet reported as a conflict: when another one of
// the call was refused, and this one, tried alone, met itself.
func (t *Together) Put(ctx context.Context, d usecase.Document) error { return t.puts.Do(ctx, d) }

func (t *Together) putAll(ctx context.Context, batch []usecase.Document) error {
	if len(batch) == 1 {
		return t.Store.Put(ctx, batch[0])
	}
	docs := make([]sidecar.Document, len(batch))
	for i, d := range batch {
		docs[i] = sidecar.Document(d)
	}
	return unavailable(t.state.PutAll(ctx, docs))
}
