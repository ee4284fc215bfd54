package usecase

import (
	"context"
	"time"

	"oneqtour/apps/reservation/domain"
)

// present is the answer that a reservation's present state gives to the request that made it.
func present(r *domain.Reservation) Answer {
	state := State(r)
	a := Answer{Status: StatusCreated, Reservation: &state}
	switch r.Status() {
	case domain.Pending:
		a.Status = StatusAccepted
	case domain.Rejected:
		a.Status, a.DeclineCode = StatusDeclined, r.Snapshot().DeclineCode
	}
	return a
}

// twin answers a request whose key was taken while it began. The one that took it may have forgotten it again.
func (s *Service) twin(ctx context.Context, key Key) (Answer, error) {
	answer, known, err := s.replay(ctx, key)
	if err == nil && !known {
		err = errInProgress.After(time.Second)
	}
	return answer, err
}

// replay finds what the key was answered before. known is false for a key that is new.
func (s *Service) replay(ctx context.Context, key Key) (answer Answer, known bool, err error) {
	stored, known, err := s.keys.Lookup(ctx, key)
	if err != nil || !known {
		return Answer{}, false, err
	}
	if stored.BodyHash != key.BodyHash {
		return Answer{}, true, errKeyReused
	}
	if stored.Answer != nil {
		stored.Answer.Replayed = true
		return *stored.Answer, true, stored.Answer.Err()
	}
	r, err := s.reservations.Find(ctx, stored.Reservation)
	if err != nil {
		return Answer{}, true, err
	}
	if s.now().Sub(r.AskedAt()) < s.limits.KeyInFlight {
		return Answer{}, true, errInProgress.After(time.Second)
	}
	answer = present(r)
	answer.Replayed = true
	return answer, true, answer.Err()
}
