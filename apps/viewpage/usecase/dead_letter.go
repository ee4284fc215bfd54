package usecase

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/viewpage/domain"
)

// DeadLetter is an event that could not be copied, as it is kept.
type DeadLetter struct {
	ID      string          `json:"id"` // {app}:{event id}
	App     string          `json:"app"`
	Topic   string          `json:"topic"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Reason  string          `json:"reason"`
	At      time.Time       `json:"at"`
	Payload json.RawMessage `json:"payload"`
	Replays []Replay        `json:"replays,omitempty"` // oldest first
}

// Replay is an attempt to have the event of a letter copied after all.
type Replay struct {
	At      time.Time `json:"at"`
	By      string    `json:"by"`
	Result  string    `json:"result"`
	Settled bool      `json:"settled,omitempty"` // it was copied: the letter is listed no longer
}

func (d *DeadLetter) settled() bool { return len(d.Replays) > 0 && d.Replays[len(d.Replays)-1].Settled }

// KeepDeadLetter stores a dead letter and lists it; one that is known already stays as it is.
func (s *Service) KeepDeadLetter(ctx context.Context, d DeadLetter) error {
	key := deadLetterKey(d.App, d.ID)
	if stored, err := s.state.Get(ctx, key); err != nil || stored.ETag != "" {
		return err
	}
	d.At = instant(d.At)
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	// Listed by its key. A list may name a letter twice, when storing it failed in between, but misses none.
	if err := s.indexes.put(ctx, deadLetters, domain.Entry{Position: position(d.At, key)}); err != nil {
		return err
	}
	err = s.state.Put(ctx, Document{Key: key, Data: raw})
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// LetterQuery is a page of dead letters.
type LetterQuery struct {
	Behind *domain.Position // nil: the first page
	Since  time.Time        // none that are older
	Limit  int
	All    bool // also the settled ones
}

// DeadLetters lists letters, the newest first.
func (s *Service) DeadLetters(ctx context.Context, q LetterQuery) ([]DeadLetter, error) {
	var at *Cursor
	if q.Behind != nil {
		at = &Cursor{Page: newest, Position: *q.Behind}
	}
	for letters := []DeadLetter{}; ; {
		entries, next, err := s.indexes.read(ctx, deadLetters, at, q.Limit-len(letters), func(domain.Entry) bool { return true })
		if err != nil {
			return nil, err
		}
		keys := make([]string, len(entries))
		for i, e := range entries {
			keys[i] = e.ID
		}
		stored, err := newDocuments[DeadLetter](s.state).getAll(ctx, keys)
		if err != nil {
			return nil, err
		}
		for i, d := range stored {
			if entries[i].At < q.Since.UnixMicro() {
				return letters, nil
			}
			// An entry of another time is of an attempt to store the letter that came no further.
			if d != nil && d.At.UnixMicro() == entries[i].At && (q.All || !d.settled()) {
				letters = append(letters, *d)
			}
		}
		if next == nil || len(letters) == q.Limit {
			return letters, nil
		}
		at = next
	}
}

// DeadLetter finds a letter; NOT_FOUND: there is none of this id.
func (s *Service) DeadLetter(ctx context.Context, app, id string) (DeadLetter, error) {
	d, found, err := newDocuments[DeadLetter](s.state).get(ctx, deadLetterKey(app, id))
	if err == nil && !found {
		err = fault.New(fault.NotFound)
	}
	return d, err
}

// BeginReplay notes an attempt in a letter, unless it is settled or may not begin, and gives the letter
// as it was before. NOT_FOUND: there is none of this id.
func (s *Service) BeginReplay(ctx context.Context, app, id string, r Replay, may func(DeadLetter) error) (DeadLetter, error) {
	var before DeadLetter
	var refused error
	err := newDocuments[DeadLetter](s.state).update(ctx, deadLetterKey(app, id), func(d *DeadLetter) bool {
		before, refused = *d, nil
		switch {
		case d.ID == "":
			refused = fault.New(fault.NotFound)
		case !d.settled():
			refused = may(before)
		}
		if refused != nil || d.settled() {
			return false
		}
		d.Replays = append(slices.Clone(d.Replays), r)
		return true
	})
	return before, errors.Join(refused, err)
}

// NoteReplay gives an attempt that was begun its result.
func (s *Service) NoteReplay(ctx context.Context, app, id string, r Replay) error {
	return newDocuments[DeadLetter](s.state).update(ctx, deadLetterKey(app, id), func(d *DeadLetter) bool {
		for i, begun := range d.Replays {
			if begun.At.Equal(r.At) && begun.By == r.By {
				d.Replays[i] = r
				return true
			}
		}
		return false
	})
}
