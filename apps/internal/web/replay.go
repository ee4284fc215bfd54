package web

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/fault"
)

// DeadLetters is where a service keeps its dead letters.
type DeadLetters interface {
	// Keep stores a letter; one that is known already stays as it is.
	Keep(ctx context.Context, d DeadLetter) error
	// List gives letters, the newest first; fewer than the limit only when there are no more.
	List(ctx context.Context, q LetterQuery) ([]DeadLetter, error)
	// Find gives a letter; NOT_FOUND: there is none of this id.
	Find(ctx context.Context, id string) (DeadLetter, error)
	// Begin notes an attempt, before the handler runs, unless the letter may not be tried, and gives the letter as it
	// was before. A letter that is settled is given as it is. Of attempts at the same moment, each may sees the one
	// before. NOT_FOUND: there is none of this id.
	Begin(ctx context.Context, id string, r Replay, may func(DeadLetter) error) (DeadLetter, error)
	// Replayed gives an attempt that was begun its result. With ReplayDone the letter is settled: kept, and listed no
	// longer.
	Replayed(ctx context.Context, id string, r Replay) error
}

// Replay is an attempt to have the event of a letter handled after all.
type Replay struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`     // subject of the operator, or the app that tried by itself
	Result string    `json:"result"` // ReplayDone, or why not; up to 255 bytes
}

// Results of a replay that are no refusal: it was begun, and nobody knows yet what came of it; the handler has taken it.
const (
	ReplayStarted = "STARTED"
	ReplayDone    = "DONE"
)

// replayEnds is when a replay without a result is no longer waited for: longer than any request may take.
const replayEnds = time.Minute

// running says whether an attempt that was begun has not ended at the instant. One whose service died counts for a
// minute.
func (d DeadLetter) running(at time.Time) bool {
	return slices.ContainsFunc(d.Replays, func(r Replay) bool {
		return r.Result == ReplayStarted && r.At.After(at.Add(-replayEnds))
	})
}

// Settled says whether a replay has succeeded.
func (d DeadLetter) Settled() bool {
	return len(d.Replays) > 0 && d.Replays[len(d.Replays)-1].Result == ReplayDone
}

// LetterQuery is a page of letters.
type LetterQuery struct {
	Behind *LetterMark // where the page before has ended; nil: the first page
	Since  time.Time   // none that are older
	Limit  int
	All    bool // also the settled ones
}

// LetterMark is the place of a letter in every list of letters, newest first: by time, then by id. All services
// have the same order and the same cursor, so that their lists can be merged.
type LetterMark struct {
	At time.Time `json:"at"`
	ID string    `json:"id"`
}

// Mark is where the letter stands.
func (d DeadLetter) Mark() LetterMark { return LetterMark{d.At, d.ID} }

// Compare orders marks as lists do: negative when m stands before o.
func (m LetterMark) Compare(o LetterMark) int {
	if c := o.At.Compare(m.At); c != 0 {
		return c
	}
	return strings.Compare(o.ID, m.ID)
}

// TakesLetters are the query members that LettersPage reads.
var TakesLetters = Takes("limit", "cursor", "all")

// LettersPage reads limit, cursor and all from the query of a list of letters.
func LettersPage(c *fiber.Ctx) (LetterQuery, error) {
	limit, err := Limit(c)
	if err != nil {
		return LetterQuery{}, err
	}
	all, _, err := Boolean(c, "all")
	if err != nil {
		return LetterQuery{}, err
	}
	q := LetterQuery{Limit: limit, All: all}
	at, behind, err := Cursor[LetterMark](c)
	if err != nil || behind && (at.At.IsZero() || at.ID == "") {
		return q, BadCursor()
	}
	if behind {
		q.Behind = &at
	}
	return q, nil
}

const listed = 2 << 20 // bytes of payloads on a page, which ends early rather than having more

// listLetters answers GET /dead-letters?limit=&cursor=&all=.
func (s Subscriptions) listLetters(c *fiber.Ctx) error {
	q, err := LettersPage(c)
	if err != nil {
		return err
	}
	wanted := q.Limit
	q.Limit++ // one more tells whether there is a next page
	letters, err := s.Letters.List(c.UserContext(), q)
	if err != nil {
		return err
	}
	page := List[DeadLetter]{Items: []DeadLetter{}}
	size := 0
	for _, d := range letters {
		size += len(d.Payload)
		if n := len(page.Items); n == wanted || n > 0 && size > listed {
			page.NextCursor = Next(page.Items[n-1].Mark())
			break
		}
		page.Items = append(page.Items, d)
	}
	return c.JSON(page)
}

// replayLetter answers POST /dead-letters/{id}/replay. 409: the handler still fails, or another replay runs; 422: it
// cannot read the event, or nobody hears it.
func (s Subscriptions) replayLetter(c *fiber.Ctx) error {
	id, err := url.PathUnescape(c.Params("id"))
	if err != nil {
		return fault.New(fault.NotFound)
	}
	at := now()
	d, err := s.replay(c.UserContext(), id, Replay{At: at, By: Caller(c).Subject}, func(d DeadLetter) error {
		if d.running(at) {
			return fault.New(fault.IdempotencyInProgress)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.JSON(d)
}

// replay hands the event of a letter to the handler of its topic once more, and gives the letter when that has
// worked, now or before. Who tries it is noted before, what became of it after.
func (s Subscriptions) replay(ctx context.Context, id string, r Replay, may func(DeadLetter) error) (DeadLetter, error) {
	r.Result = ReplayStarted
	d, err := s.Letters.Begin(ctx, id, r, may)
	if err != nil || d.Settled() { // settled: also when it was an answer that was lost
		return d, err
	}
	refusal := s.again(ctx, d)
	r.Result = ReplayDone
	if refusal != nil {
		r.Result = cut(refusal.Error(), maxReason)
	}
	zerolog.Ctx(ctx).Warn().Str("letter", d.ID).Str("by", r.By).Str("result", r.Result).Msg("dead letter replayed")
	// Noted also when the handler has taken all the time there was.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.Letters.Replayed(noting, d.ID, r); err != nil {
		return d, err
	}
	d.Replays = append(d.Replays, r)
	return d, refusal
}

// again hands the event of a letter to its handler, which may panic: that ends a request, but it would end the
// service where nobody has asked.
func (s Subscriptions) again(ctx context.Context, d DeadLetter) (err error) {
	defer func() {
		if r := recover(); r != nil {
			zerolog.Ctx(ctx).Error().Interface("panic", r).Stack().Str("letter", d.ID).Msg("panic in a handler")
			err = fault.New(fault.ReplayFailed).Because(fmt.Errorf("panic: %v", r))
		}
	}()
	e, err := readEvent(d.Payload)
	if err != nil {
		return fault.New(fault.NotReplayable).Because(err)
	}
	hear, heard := s.Topics[d.Topic]
	if !heard {
		return fault.New(fault.NotReplayable).Because(fmt.Errorf("nobody hears the topic %q", d.Topic))
	}
	err = hear(about(ctx, e), e)
	switch {
	case err == nil:
		return nil
	case fault.CodeOf(err) == fault.Malformed:
		return fault.New(fault.NotReplayable).Because(err)
	default:
		return fault.New(fault.ReplayFailed).Because(err)
	}
}
