package sidecar

import (
	"context"
	"errors"
	"fmt"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// ErrConflict says that a document was written by somebody else since it was read.
var ErrConflict = errors.New("state: document changed meanwhile")

// Document is a stored JSON document with its version tag. An empty ETag says that there is none yet.
type Document struct {
	Key  string
	Data []byte
	ETag string
}

// State is one Dapr state store.
type State struct {
	client *Client
	store  string
}

// State of the named component.
func (c *Client) State(store string) *State { return &State{client: c, store: store} }

// SQL stores keep bytes of another type as base64.
var asJSON = map[string]string{"contentType": "application/json"}

// Get reads one document; an absent one has neither data nor ETag.
func (s *State) Get(ctx context.Context, key string) (Document, error) {
	item, err := s.client.sdk.GetState(ctx, s.store, key, nil)
	if err != nil {
		return Document{}, fmt.Errorf("state get %s: %w", key, err)
	}
	return Document{Key: key, Data: item.Value, ETag: item.Etag}, nil
}

// GetAll reads many documents in one call, in the order of the keys; absent ones have neither data nor ETag.
func (s *State) GetAll(ctx context.Context, keys []string) ([]Document, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	items, err := s.client.sdk.GetBulkState(ctx, s.store, keys, nil, 100)
	if err != nil {
		return nil, fmt.Errorf("state get %d keys: %w", len(keys), err)
	}
	byKey := make(map[string]*dapr.BulkStateItem, len(items))
	for _, item := range items {
		if item.Error != "" {
			return nil, fmt.Errorf("state get %s: %s", item.Key, item.Error)
		}
		byKey[item.Key] = item
	}
	docs := make([]Document, len(keys))
	for i, key := range keys {
		docs[i].Key = key
		if item := byKey[key]; item != nil {
			docs[i].Data, docs[i].ETag = item.Value, item.Etag
		}
	}
	return docs, nil
}

// Put writes a document if it is still as it was read (first write wins); a document without ETag is created.
// ErrConflict: read again. Not every store can tell the conflict of a creation from a failure, so a failed
// creation is a conflict when the document turns out to exist.
func (s *State) Put(ctx context.Context, d Document) error {
	// Never without the option: the SDK's default is last-write, for which Redis ignores the ETag.
	err := s.client.sdk.SaveStateWithETag(ctx, s.store, d.Key, d.Data, d.ETag, asJSON,
		dapr.WithConcurrency(dapr.StateConcurrencyFirstWrite))
	if err == nil {
		return nil
	}
	if status.Code(err) == codes.Aborted {
		return ErrConflict
	}
	if d.ETag == "" {
		if now, readErr := s.Get(ctx, d.Key); readErr == nil && now.ETag != "" {
			return ErrConflict
		}
	}
	return fmt.Errorf("state put %s: %w", d.Key, err)
}

// Delete removes a document whatever its version.
func (s *State) Delete(ctx context.Context, key string) error {
	if err := s.client.sdk.DeleteState(ctx, s.store, key, nil); err != nil {
		return fmt.Errorf("state delete %s: %w", key, err)
	}
	return nil
}
