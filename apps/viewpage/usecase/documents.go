package usecase

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	writeTries    = 8                       // before an event is handed back to the broker
	writePatience = 1500 * time.Millisecond // below the 2 s that the sidecar gives a handler
)

// documents keeps the documents of one type. Within a replica each key has one writer at a time, and all
// changes that wait for a key meanwhile are written together: a departure that everybody reserves at once, or
// the index of a busy customer, costs one write for many events. Between replicas the ETag decides.
type documents[T any] struct {
	state State
	mu    sync.Mutex
	lanes map[string]*lane[T]
	wrote map[string]time.Time // when a key was written here last, of those written lately
}

const lately = 2000 // keys in wrote; forgetting them costs a conflict at most

// lane is the queue before one key.
type lane[T any] struct {
	waiting []change[T]
	last    *seen // as it was read just before; nil: still to be read
}

type change[T any] struct {
	apply func(*T) bool
	done  chan<- error
}

func newDocuments[T any](state State) *documents[T] {
	return &documents[T]{state: state, lanes: map[string]*lane[T]{}, wrote: map[string]time.Time{}}
}

// get reads a document; found is false for one that does not exist, which reads as the zero T.
func (d *documents[T]) get(ctx context.Context, key string) (doc T, found bool, err error) {
	doc, stored, err := d.read(ctx, key)
	return doc, stored.ETag != "", err
}

// getAll reads many documents in one call, in the order of the keys; nil for those that do not exist.
func (d *documents[T]) getAll(ctx context.Context, keys []string) ([]*T, error) {
	stored, err := d.state.GetAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	return decodeAll[T](stored)
}

func decodeAll[T any](stored []Document) ([]*T, error) {
	docs := make([]*T, len(stored))
	for i, one := range stored {
		if one.ETag == "" {
			continue
		}
		docs[i] = new(T)
		if err := json.Unmarshal(one.Data, docs[i]); err != nil {
			return nil, fmt.Errorf("document %s: %w", one.Key, err)
		}
	}
	return docs, nil
}

// update applies a change to a document, the zero T when it does not exist yet, and writes it unless the change
// returns false. The change is applied again when somebody else was faster, so it must only look at what it
// is given; it may run after update has returned an error.
func (d *documents[T]) update(ctx context.Context, key string, apply func(*T) bool) error {
	return d.updateFrom(ctx, key, nil, apply)
}

// seen is a document as it was read, not before the given time.
type seen struct {
	Document
	at time.Time
}

// updateFrom is update of a document that the caller has just read, by which one call of the store is saved, unless it was
// written here since. When somebody else has written it, the ETag says so.
func (d *documents[T]) updateFrom(ctx context.Context, key string, last *seen, apply func(*T) bool) error {
	done := make(chan error, 1)
	d.mu.Lock()
	l, busy := d.lanes[key]
	if !busy {
		if last != nil && !d.wrote[key].Before(last.at) {
			last = nil
		}
		l = &lane[T]{last: last}
		d.lanes[key] = l
	}
	l.waiting = append(l.waiting, change[T]{apply, done})
	d.mu.Unlock()
	if !busy {
		go d.work(context.WithoutCancel(ctx), key, l)
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// work writes what waits for a key until nothing does.
func (d *documents[T]) work(ctx context.Context, key string, l *lane[T]) {
	for {
		d.mu.Lock()
		batch := l.waiting
		l.waiting = nil
		if len(batch) == 0 {
			delete(d.lanes, key)
			if len(d.wrote) >= lately {
				clear(d.wrote)
			}
			d.wrote[key] = time.Now()
			d.mu.Unlock()
			return
		}
		d.mu.Unlock()
		err := d.write(ctx, key, l.last, batch)
		l.last = nil
		for _, c := range batch {
			c.done <- err
		}
	}
}

// write applies a batch to the newest state of a document and stores it, once.
func (d *documents[T]) write(ctx context.Context, key string, last *seen, batch []change[T]) error {
	ctx, cancel := context.WithTimeout(ctx, writePatience)
	defer cancel()
	for try := range writeTries {
		if err := pause(ctx, try); err != nil {
			return err
		}
		if last == nil {
			stored, err := d.state.Get(ctx, key)
			if err != nil {
				return err
			}
			last = &seen{Document: stored}
		}
		doc, err := decoded[T](last.Document)
		if err != nil {
			return err
		}
		changed := false
		for _, c := range batch {
			changed = c.apply(&doc) || changed
		}
		if !changed {
			return nil
		}
		if err := d.put(ctx, key, doc, last.ETag); !errors.Is(err, ErrConflict) {
			return err
		}
		last = nil
	}
	return fmt.Errorf("document %s: %w after %d tries", key, ErrConflict, writeTries)
}

func (d *documents[T]) read(ctx context.Context, key string) (doc T, stored Document, err error) {
	stored, err = d.state.Get(ctx, key)
	if err != nil {
		return doc, stored, err
	}
	doc, err = decoded[T](stored)
	return doc, stored, err
}

// decoded reads what is in a document, the zero T when it does not exist.
func decoded[T any](stored Document) (doc T, err error) {
	if stored.ETag == "" {
		return doc, nil
	}
	if err := json.Unmarshal(stored.Data, &doc); err != nil {
		return doc, fmt.Errorf("document %s: %w", stored.Key, err)
	}
	return doc, nil
}

func (d *documents[T]) put(ctx context.Context, key string, doc T, etag string) error {
	raw, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("document %s: %w", key, err)
	}
	return d.state.Put(ctx, Document{Key: key, Data: raw, ETag: etag})
}

// pause lets the others finish after a conflict: a random part of 2, 4, 8 … 64 ms.
func pause(ctx context.Context, try int) error {
	if try == 0 {
		return nil
	}
	t := time.NewTimer(rand.N(time.Millisecond << min(try, 6)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
