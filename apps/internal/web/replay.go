package web

import (
	"context"
	"fmt"
	"net/url"
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
	// Replayed notes an attempt. With the result ReplayDone the letter is settled: kept, and listed no longer.
	Replayed(ctx context.Context, id string, r Replay) error
}

// Replay is an operator's attempt to have the event of a letter handled after all.
type Replay struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`     // subject of the operator
	Result string    `json:"result"` // ReplayDone, or why not; up to 255 bytes
}

// ReplayDone is the result of a replay that the handler has taken.
const ReplayDone = "DONE"

// Settled says whether a replay has succeeded.
func (d DeadLetter) Settled() bool {
	return len(d.Replays) > 0 && d.Replays[len(d.Replays)-1].Result == ReplayDone
}

// LetterQuery is a page of letters.
type LetterQuery struct {
	Behind *LetterMark // where the page before has ended; nil: the first page
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

// LettersPage reads limit, cursor and all from the query of a list of letters.
func LettersPage(c *fiber.Ctx) (LetterQuery, error) {
	limit, err := Limit(c)
	if err != nil {
		return LetterQuery{}, err
	}
	q := LetterQuery{Limit: limit, All: c.Query("all") == "true"}
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

// replay answers POST /dead-letters/{id}/replay: the event goes to the handler of its topic once more, and what
// became of it is noted. 409: the handler still fails; 422: it cannot read the event, or nobody hears it.
func (s Subscriptions) replay(c *fiber.Ctx) error {
	id, err := url.PathUnescape(c.Params("id"))
	if err != nil {
		return fault.New(fault.NotFound)
	}
	ctx := c.UserContext()
	d, err := s.Letters.Find(ctx, id)
	if err != nil {
		return err
	}
	if d.Settled() {
		return c.JSON(d) // also when it was an answer that was lost
	}
	refusal := s.again(ctx, d)
	r := Replay{At: now(), By: Caller(c).Subject, Result: ReplayDone}
	if refusal != nil {
		r.Result = cut(refusal.Error(), maxReason)
	}
	zerolog.Ctx(ctx).Warn().Str("letter", d.ID).Str("by", r.By).Str("result", r.Result).Msg("dead letter replayed")
	// Noted also when the handler has taken all the time there was.
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := s.Letters.Replayed(noting, d.ID, r); err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	d.Replays = append(d.Replays, r)
	return c.JSON(d)
}

// again hands the event of a letter to its handler.
func (s Subscriptions) again(ctx context.Context, d DeadLetter) error {
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
