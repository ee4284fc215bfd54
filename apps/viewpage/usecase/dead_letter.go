package usecase

import (
	"context"
	"encoding/json"
	"errors"
	"time"

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
}

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
