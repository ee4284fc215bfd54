package web

import (
	"context"
	"errors"
	"time"

	"github.com/rs/zerolog"
)

// givenUp is the reason of a letter that the sidecar has given up: every delivery has failed while the service was
// healthy. Nothing is known to be wrong with the event; the service may have been too busy for it.
const givenUp = "handler failed while its service was healthy"

const (
	retryEvery  = 5 * time.Second
	retryWithin = 10 * time.Second // for one letter
	retryBatch  = 50               // letters read at once
)

// retryPauses are waited out before each attempt that a service makes by itself, from the letter or the attempt
// before on. A sidecar gives up within seconds, so that one event cannot hold up the others; whatever made the
// service too busy may take minutes. After the last one it is an operator's matter.
var retryPauses = []time.Duration{10 * time.Second, time.Minute, 10 * time.Minute}

// retryAge is how old letters may be that are tried again without an operator: what failed before a long outage is
// looked at by somebody first.
const retryAge = time.Hour

var errNotDue = errors.New("not due")

// due says whether the service should try the letter again by itself at the instant.
func (d DeadLetter) due(at time.Time) bool {
	if d.Reason != givenUp || d.Settled() || d.running(at) {
		return false
	}
	tried, last := 0, d.At
	for _, r := range d.Replays {
		if r.By == d.App {
			tried++
		}
		last = r.At
	}
	return tried < len(retryPauses) && !at.Before(last.Add(retryPauses[tried]))
}

// Retry gives every event that was given up a few more chances, minutes apart, until the context ends. What stays
// unhandled is left to the operators.
func (s Subscriptions) Retry(ctx context.Context) error {
	log := zerolog.Ctx(ctx)
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if err := s.retryDue(ctx, now()); err != nil && ctx.Err() == nil {
			log.Warn().Err(err).Msg("dead letters cannot be read now")
		}
	}
}

// retryDue tries the letters that are due at the instant.
func (s Subscriptions) retryDue(ctx context.Context, at time.Time) error {
	q := LetterQuery{Since: at.Add(-retryAge), Limit: retryBatch}
	for {
		letters, err := s.Letters.List(ctx, q)
		if err != nil {
			return err
		}
		for _, d := range letters {
			if d.due(at) {
				s.retry(ctx, d.ID)
			}
		}
		if len(letters) < q.Limit {
			return nil
		}
		last := letters[len(letters)-1].Mark()
		q.Behind = &last
	}
}

// retry has its result in the letter and in the log. Another replica may have been first.
func (s Subscriptions) retry(ctx context.Context, id string) {
	ctx, cancel := context.WithTimeout(ctx, retryWithin)
	defer cancel()
	at := now()
	_, _ = s.replay(ctx, id, Replay{At: at, By: s.App}, func(d DeadLetter) error {
		if !d.due(at) {
			return errNotDue
		}
		return nil
	})
}
