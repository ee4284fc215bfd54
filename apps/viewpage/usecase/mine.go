package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/viewpage/domain"
)

// reservation is the document of a reservation: its public state.
type reservation struct {
	contract.ReservationState
	At time.Time `json:"at"` // time of the event
}

// Trips is a page of a customer's reservations. AsOf is the time of the newest event in it, absent when there
// is none.
type Trips struct {
	Items []contract.ReservationState
	Next  *Cursor
	AsOf  time.Time
}

// Seen is a version of a reservation that a reader knows to exist.
type Seen struct {
	ReservationID string
	Version       int64
}

// Mine shows the reservations of one customer, newest first. With seen it waits a moment for that version to
// arrive, and then shows what there is.
func (s *Service) Mine(ctx context.Context, customer string, seen *Seen, behind *Cursor, limit int) (Trips, error) {
	if seen != nil {
		if err := s.await(ctx, customer, *seen); err != nil {
			return Trips{}, err
		}
	}
	k, err := s.plans.reading(ctx)
	if err != nil {
		return Trips{}, err
	}
	entries, next, err := s.indexes.read(ctx, k.reservationsOf(customer), behind, limit, all)
	if err != nil {
		return Trips{}, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = k.reservation(e.ID)
	}
	docs, err := s.reservations.getAll(ctx, names)
	if err != nil {
		return Trips{}, err
	}
	trips := Trips{Items: make([]contract.ReservationState, 0, len(docs)), Next: next}
	for _, doc := range docs {
		if doc == nil || doc.CustomerID != customer {
			continue
		}
		trips.Items = append(trips.Items, doc.ReservationState)
		trips.AsOf = later(trips.AsOf, doc.At)
	}
	return trips, nil
}

// await returns when the version is there, when the time for waiting is over, or at once when the reservation
// is somebody else's.
func (s *Service) await(ctx context.Context, customer string, seen Seen) error {
	over := time.NewTimer(s.cfg.Wait)
	defer over.Stop()
	again := time.NewTicker(25 * time.Millisecond)
	defer again.Stop()
	for {
		there, err := s.arrived(ctx, customer, seen)
		if err != nil || there {
			return err
		}
		select {
		case <-again.C:
		case <-over.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// arrived looks where readers look now, not where they did a second ago: the version may be in a generation that
// has just become the current one.
func (s *Service) arrived(ctx context.Context, customer string, seen Seen) (bool, error) {
	at, known := s.cfg.Now(), s.plans.known().Current
	docs, err := s.state.GetAll(ctx, []string{planKey, keys{known}.reservation(seen.ReservationID)})
	if err != nil {
		return false, err
	}
	p, err := s.plans.take(docs[0], at)
	if err != nil || p.Current != known {
		return false, err // looked for again in a moment, in the other generation
	}
	doc, err := decoded[reservation](docs[1])
	return docs[1].ETag != "" && (doc.CustomerID != customer || doc.Version >= seen.Version), err
}

func all(domain.Entry) bool { return true }
