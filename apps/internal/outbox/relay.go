package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/mysqldb"
)

// relay sends one batch and says how many rows it had.
func (r *Relay) relay(ctx context.Context) (int, error) {
	claim := uuid.Must(uuid.NewV7()).String()
	res, err := r.db.ExecContext(ctx, `UPDATE outbox SET claim = ?, claimed_until = NOW(6) + INTERVAL ? SECOND
		WHERE claimed_until IS NULL OR claimed_until < NOW(6) ORDER BY id LIMIT ?`, claim, int(lease.Seconds()), batch)
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	cargoes, n, err := r.claimed(ctx, claim)
	for _, c := range cargoes {
		err = errors.Join(err, r.publish(ctx, c.topic, c.events))
	}
	if err != nil {
		r.release(context.WithoutCancel(ctx), claim)
	}
	return n, err
}

// load is what one call publishes.
type load struct {
	topic  string
	events []contract.Event
	size   int
}

// claimed reads the rows of a claim as loads of one topic each. A row that holds no event keeps its claim and is
// named in the error; the others go.
func (r *Relay) claimed(ctx context.Context, claim string) (cargoes []*load, n int, wrong error) {
	rows, err := r.db.QueryContext(ctx, "SELECT id, topic, event FROM outbox WHERE claim = ? ORDER BY id", claim)
	if err != nil {
		return nil, 0, fmt.Errorf("read claimed: %w", err)
	}
	defer func() { _ = rows.Close() }()
	open := map[string]*load{}
	for ; rows.Next(); n++ {
		var id, topic string
		var raw []byte
		if err := rows.Scan(&id, &topic, &raw); err != nil {
			return nil, 0, err
		}
		var e contract.Event
		if err := json.Unmarshal(raw, &e); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("outbox row %s: %w", id, err))
			continue
		}
		l := open[topic]
		if l == nil || l.size+len(raw) > cargo {
			l = &load{topic: topic}
			open[topic] = l
			cargoes = append(cargoes, l)
		}
		l.events, l.size = append(l.events, e), l.size+len(raw)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, err
	}
	return cargoes, n, wrong
}

// publish sends events of a topic together and, when that fails, what is left one by one, so that one that the
// broker will never take does not hold up the others.
func (r *Relay) publish(ctx context.Context, topic string, events []contract.Event) error {
	left, err := r.send(ctx, topic, events)
	if err == nil || len(left) == 0 || len(events) == 1 {
		return err
	}
	var first error
	failed := 0
	for _, e := range left {
		if _, err := r.send(ctx, topic, []contract.Event{e}); err != nil {
			failed++
			if first == nil {
				first = fmt.Errorf("event %s: %w", e.ID, err)
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if first != nil {
		return fmt.Errorf("%d of %d not published: %w", failed, len(events), first)
	}
	return nil
}

// send publishes in one call, removes what the broker has taken, and gives back what it has not.
func (r *Relay) send(ctx context.Context, topic string, events []contract.Event) (left []contract.Event, err error) {
	taken, err := r.pub.Publish(ctx, topic, events)
	if err != nil {
		err = fmt.Errorf("publish to %s: %w", topic, err)
	}
	if len(taken) == 0 {
		return events, err
	}
	gone := make(map[string]bool, len(taken))
	for _, id := range taken {
		gone[id] = true
	}
	for _, e := range events {
		if !gone[e.ID] {
			left = append(left, e)
		}
	}
	// Not the caller's context: what the broker has taken must go, also while we are told to stop.
	return left, errors.Join(err, r.remove(context.WithoutCancel(ctx), taken))
}

func (r *Relay) remove(ctx context.Context, ids []string) error {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	marks := mysqldb.Marks(len(ids))
	if _, err := r.db.ExecContext(ctx, "DELETE FROM outbox WHERE id IN ("+marks+")", args...); err != nil {
		return fmt.Errorf("remove published: %w", err)
	}
	return nil
}

// release lets go of the rows of a claim that could not be published, for after the others. When it fails, the
// lease does.
func (r *Relay) release(ctx context.Context, claim string) {
	_, err := r.db.ExecContext(ctx, "UPDATE outbox SET claimed_until = NOW(6) + INTERVAL ? SECOND WHERE claim = ?", aside, claim)
	if err != nil {
		zerolog.Ctx(ctx).Warn().Err(err).Msg("outbox: claim not released")
	}
}
