package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"oneqtour/apps/viewpage/statestore"
	"oneqtour/apps/viewpage/usecase"
)

// Documents that are written by one call are each written as if alone: who comes too late is refused, the others are
// there, and all are read back by as few calls.
func TestDocumentsOfOneCallAreWrittenAsIfAlone(t *testing.T) {
	store := statestore.NewTogether(stack.store)
	const all = 60
	key := func(n int) string { return fmt.Sprintf("together:%s:%d", t.Name(), n) }
	stale := usecase.Document{Key: key(0), Data: []byte(`{"n":-1}`)}
	if err := store.Put(t.Context(), stale); err != nil {
		t.Fatal(err)
	}
	each := func(do func(n int) error) []error {
		errs := make([]error, all)
		var wg sync.WaitGroup
		for n := range all {
			wg.Go(func() { errs[n] = do(n) })
		}
		wg.Wait()
		return errs
	}
	mark := uuid.NewString()
	for n, err := range each(func(n int) error {
		return store.Put(t.Context(), usecase.Document{Key: key(n), Data: fmt.Appendf(nil, `{"n":%d,"mark":%q,"name":"여행"}`, n, mark)})
	}) {
		if n == 0 && !errors.Is(err, usecase.ErrConflict) {
			t.Errorf("who did not see the document that is there was told %v", err)
		}
		if n > 0 && err != nil && !errors.Is(err, usecase.ErrConflict) { // it met itself
			t.Error(n, err)
		}
	}
	docs := make([]usecase.Document, all)
	for n, err := range each(func(n int) (err error) { docs[n], err = store.Get(t.Context(), key(n)); return err }) {
		if err != nil {
			t.Fatal(n, err)
		}
	}
	for n, d := range docs[1:] {
		var is struct { // a store may put the members in another order
			N          int
			Mark, Name string
		}
		if err := json.Unmarshal(d.Data, &is); err != nil || d.Key != key(n+1) || is.N != n+1 || is.Mark != mark || is.Name != "여행" {
			t.Errorf("%s is %s (%v)", d.Key, d.Data, err)
		}
	}
	if docs[0].ETag == "" || string(docs[0].Data) != `{"n":-1}` {
		t.Errorf("%+v", docs[0])
	}
}
