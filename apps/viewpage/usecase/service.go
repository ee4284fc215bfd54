// Package usecase copies what the owners of products and reservations have said into documents, and shows
// them. It counts nothing and owns nothing: every document can be made again from events.
package usecase

import (
	"context"
	"errors"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/viewpage/domain"
)

// ErrConflict is what a State returns when a document was written by somebody else since it was read.
var ErrConflict = errors.New("document changed meanwhile")

// Document is a stored JSON document. Without ETag it does not exist yet.
type Document struct {
	Key  string
	Data []byte
	ETag string
}

// State keeps documents.
type State interface {
	Get(ctx context.Context, key string) (Document, error)
	// GetAll reads in the order of the keys; absent documents have neither data nor ETag.
	GetAll(ctx context.Context, keys []string) ([]Document, error)
	// Put writes a document if it is still as it was read, or absent as it was: else ErrConflict.
	Put(ctx context.Context, d Document) error
	Delete(ctx context.Context, key string) error
}

// Settings of the service.
type Settings struct {
	Wait     time.Duration    // how long a reader may wait for a version
	PageSize int              // entries that one document of an index may hold
	TripPage int              // the same of a customer's index; 0: as many
	NewID    func() string    // UUIDv7: names of index pages, rebuilds, events
	Now      func() time.Time // of lag and of rebuilds; no document that readers see holds it
	App      string           // app id, the source of events
	Patience time.Duration    // for a rebuild of which nothing more is heard
}

// Publisher asks the owners to tell everything once more.
type Publisher interface {
	Publish(ctx context.Context, topic string, events []contract.Event) (taken []string, err error)
}

// Service is the view.
type Service struct {
	cfg          Settings
	state        State
	publisher    Publisher
	plans        *plans
	products     *documents[product]
	totals       *documents[productTotals]
	reservations *documents[reservation]
	indexes      *indexes
	trips        *indexes // of customers: the same, in smaller pages
	shelf        *indexes // of products: the same, for readers of the board
	names        *names
	progress     *documents[progress]
	lags         lags
}

// New makes the service.
func New(state State, publisher Publisher, cfg Settings) *Service {
	all := &indexes{
		pages:       newDocuments[domain.Page](state),
		directories: newDocuments[domain.Directory](state),
		pageSize:    cfg.PageSize,
		newID:       cfg.NewID,
	}
	trips := *all
	if cfg.TripPage > 0 {
		trips.pageSize = cfg.TripPage
	}
	shelf := *all
	shelf.recent = &recent{pages: map[string]glance{}}
	return &Service{
		cfg: cfg, state: state, publisher: publisher, plans: newPlans(state, cfg.Now),
		products:     newDocuments[product](state),
		totals:       newDocuments[productTotals](state),
		reservations: newDocuments[reservation](state),
		indexes:      all,
		trips:        &trips,
		shelf:        &shelf,
		names:        &names{indexes: all, noted: map[string]bool{}},
		progress:     newDocuments[progress](state),
	}
}

// Ready says whether the state store takes writes: one that only reads would let events fail one by one.
func (s *Service) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 700*time.Millisecond)
	defer cancel()
	key := readyKey
	have, err := s.state.Get(ctx, key)
	if err != nil {
		return err
	}
	err = s.state.Put(ctx, Document{Key: key, Data: []byte(`{"probe":"` + s.cfg.NewID() + `"}`), ETag: have.ETag})
	if !errors.Is(err, ErrConflict) {
		return err
	}
	// Another replica was faster, which is as good. Not every store tells a conflict from a refusal, but only
	// after a write the document is another one.
	now, readErr := s.state.Get(ctx, key)
	if readErr != nil || now.ETag == have.ETag {
		return errors.Join(err, readErr)
	}
	return nil
}
