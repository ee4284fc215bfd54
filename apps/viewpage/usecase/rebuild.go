package usecase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/viewpage/domain"
)

// owners are whose aggregates the view shows: a rebuild is complete when each has told all of them.
var owners = []string{"product", "reservation"}

// progress is what was heard of one owner for a rebuild.
type progress struct {
	domain.Heard
	Expected int64     `json:"expected"`
	Ended    bool      `json:"ended"` // Expected is known
	At       time.Time `json:"at"`    // of this machine's clock: when something new was heard
}

func (p *progress) complete() bool { return p.Ended && p.All(p.Expected) }

// Rebuilding is how far a rebuild has come. IDLE: there never was one.
type Rebuilding struct {
	RebuildID  string
	State      string
	Generation int // the one that is read
	Making     int // the one that is made; 0: none
	StartedAt  time.Time
	FinishedAt time.Time
	Reason     string
	Owners     []OwnerProgress
	Lag        Lag // of this replica
}

// OwnerProgress is what was heard of an owner, and what it has announced.
type OwnerProgress struct {
	Owner    string `json:"owner"`
	Heard    int64  `json:"heard"`
	Expected *int64 `json:"expected"` // null: it has not said yet
}

// StartRebuild begins to make the view anew beside the one that is read, unless that is done already.
func (s *Service) StartRebuild(ctx context.Context) (Rebuilding, error) {
	id, at := s.cfg.NewID(), s.cfg.Now().UTC()
	err := s.plans.update(ctx, func(p *plan) bool {
		if p.running() {
			return false
		}
		p.Highest++
		p.Rebuild = &rebuild{ID: id, Generation: p.Highest, State: RebuildRunning, StartedAt: at}
		return true
	})
	if err != nil {
		return Rebuilding{}, err
	}
	return s.Rebuilding(ctx)
}

// Rebuilding says how far the rebuild has come that runs, or what became of the last.
func (s *Service) Rebuilding(ctx context.Context) (Rebuilding, error) {
	p, err := s.plans.get(ctx)
	if err != nil {
		return Rebuilding{}, err
	}
	out := Rebuilding{State: "IDLE", Generation: p.Current, Lag: s.lags.over(s.cfg.Now())}
	r := p.Rebuild
	if r == nil {
		return out, nil
	}
	out.RebuildID, out.State, out.StartedAt, out.FinishedAt, out.Reason, out.Owners =
		r.ID, r.State, r.StartedAt, r.FinishedAt, r.Reason, r.Owners
	if !p.running() {
		return out, nil
	}
	out.Making = r.Generation
	heard, err := s.progressOf(ctx, r.ID)
	out.Owners = ownersOf(heard)
	return out, err
}

func (s *Service) progressOf(ctx context.Context, rebuildID string) (map[string]*progress, error) {
	names := make([]string, len(owners))
	for i, owner := range owners {
		names[i] = progressKey(rebuildID, owner)
	}
	docs, err := s.progress.getAll(ctx, names)
	if err != nil {
		return nil, err
	}
	heard := map[string]*progress{}
	for i, owner := range owners {
		if heard[owner] = docs[i]; docs[i] == nil {
			heard[owner] = &progress{}
		}
	}
	return heard, nil
}

func ownersOf(heard map[string]*progress) []OwnerProgress {
	var all []OwnerProgress
	for _, owner := range owners {
		if p := heard[owner]; p != nil {
			one := OwnerProgress{Owner: owner, Heard: p.Count()}
			if p.Ended {
				one.Expected = &p.Expected
			}
			all = append(all, one)
		}
	}
	return all
}

const (
	rebuildLook = time.Second      // between looks at the plan
	askAgain    = 10 * time.Second // an owner of which nothing was heard
)

// Rebuild asks the owners, switches to a generation that is complete, gives up one of which nothing more is heard,
// and removes what is no longer read, until the context ends. Every replica does, by the plan: one may die at any
// step, and all may do the same step at once.
func (s *Service) Rebuild(ctx context.Context) error {
	log := zerolog.Ctx(ctx)
	tick := time.NewTicker(rebuildLook)
	defer tick.Stop()
	var asked asking
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		p, err := s.plans.get(ctx)
		if err == nil && p.running() {
			asked, err = s.pursue(ctx, *p.Rebuild, asked)
		}
		if err == nil {
			err = s.retire(ctx, p)
		}
		if err != nil && ctx.Err() == nil {
			log.Warn().Err(err).Msg("rebuild: will try again")
		}
	}
}

// asking is when this replica last asked the owners, and for which rebuild.
type asking struct {
	id string
	at time.Time
}

// pursue brings a rebuild that runs to its end.
func (s *Service) pursue(ctx context.Context, r rebuild, asked asking) (asking, error) {
	heard, err := s.progressOf(ctx, r.ID)
	if err != nil {
		return asked, err
	}
	complete, begun, last := true, true, r.StartedAt
	for _, p := range heard {
		complete = complete && p.complete()
		begun = begun && (p.Ended || p.Count() > 0)
		if p.At.After(last) {
			last = p.At
		}
	}
	now := s.cfg.Now()
	switch {
	case complete:
		return asked, s.end(ctx, r, heard, "")
	case now.Sub(last) > s.cfg.Patience:
		return asked, s.end(ctx, r, heard, fmt.Sprintf("nothing more was heard for %s", s.cfg.Patience))
	case !begun && (asked.id != r.ID || now.Sub(asked.at) > askAgain):
		return asking{r.ID, now}, s.ask(ctx, r.ID)
	}
	return asked, nil
}

// ask has the owners tell everything. They answer a rebuild once, however often they are asked.
func (s *Service) ask(ctx context.Context, rebuildID string) error {
	e, err := contract.NewEvent(contract.Envelope{
		ID: s.cfg.NewID(), Source: s.cfg.App, Type: contract.RebuildAsked, Subject: rebuildID, Time: s.cfg.Now(),
		TraceParent: telemetry.Trace(ctx),
	}, contract.Rebuild{
		Meta:      contract.Meta{Version: 1, CorrelationID: rebuildID, CausationID: rebuildID, Actor: s.cfg.App},
		RebuildID: rebuildID,
	})
	if err != nil {
		return err
	}
	_, err = s.publisher.Publish(ctx, contract.TopicRebuild, []contract.Event{e})
	return err
}

// end makes the new generation the one that is read, or gives it up for a reason.
func (s *Service) end(ctx context.Context, r rebuild, heard map[string]*progress, reason string) error {
	at, ended := s.cfg.Now().UTC(), false
	err := s.plans.update(ctx, func(p *plan) bool {
		if ended = p.runs(r.ID); !ended {
			return false
		}
		p.Rebuild.FinishedAt, p.Rebuild.Reason, p.Rebuild.Owners = at, reason, ownersOf(heard)
		if reason != "" {
			p.Rebuild.State = RebuildFailed
			p.Old = append(p.Old, old{Generation: r.Generation, Since: at})
			return true
		}
		p.Rebuild.State = RebuildDone
		p.Old = append(p.Old, old{Generation: p.Current, Since: at, Written: true})
		p.Current = r.Generation
		return true
	})
	if err == nil && ended {
		zerolog.Ctx(ctx).Info().Str("rebuild", r.ID).Int("generation", r.Generation).Str("reason", reason).Msg("rebuild has ended")
	}
	return err
}

var errNoMark = errors.New("no rebuild, owner or number")

// HearReplay copies what an owner tells for the rebuild that runs into the generation that is made, and there alone.
// It is counted after it is written. A reservation's event comes without the counts of its departure, which are told
// by themselves. fault.Malformed: the event names nothing that could be copied.
func (s *Service) HearReplay(ctx context.Context, e contract.Event) error {
	about, err := contract.Decode[contract.Replayed](e)
	if err != nil {
		return err
	}
	mark := about.Meta.Replay
	if mark == nil || !isID(mark.RebuildID) || mark.Owner != e.Source || mark.Number < 0 || mark.Number == 0 && e.Type != contract.ReplayEnded {
		return malformed(e, errNoMark)
	}
	p, err := s.plans.get(ctx)
	if err != nil || !p.runs(mark.RebuildID) {
		return err // the rebuild is over: what it has told is told
	}
	if err := s.copySnapshot(ctx, keys{p.Rebuild.Generation}, e); err != nil {
		return err
	}
	at := s.cfg.Now().UTC()
	return s.progress.update(ctx, progressKey(mark.RebuildID, mark.Owner), func(doc *progress) bool {
		if e.Type == contract.ReplayEnded {
			if doc.Ended {
				return false
			}
			doc.Expected, doc.Ended, doc.At = mark.Number, true, at
			return true
		}
		isNew := doc.Add(mark.Number)
		if isNew {
			doc.At = at
		}
		return isNew
	})
}

// copySnapshot writes one aggregate into one generation.
func (s *Service) copySnapshot(ctx context.Context, k keys, e contract.Event) error {
	switch e.Type {
	case contract.ProductSnapshot:
		p, err := readProductEvent(e)
		if err != nil {
			return err
		}
		last, err := s.state.Get(ctx, k.product(p.ProductID))
		if err != nil {
			return err
		}
		return s.copyProduct(ctx, k, last, productFrom(p, e.Time))
	case contract.DepartureSnapshot:
		d, err := contract.Decode[contract.DepartureState](e)
		if err != nil {
			return err
		}
		if !countable(d.Departure) {
			return unreadable(e)
		}
		return s.copyTotals(ctx, k.totals(d.Departure.ProductID), nil, d.Departure, e.Time)
	case contract.ReservationSnapshot:
		r, err := contract.Decode[contract.Reservation](e)
		if err != nil {
			return err
		}
		if !isID(r.ReservationID) || r.CustomerID == "" || r.Version < 1 {
			return unreadable(e)
		}
		begun := time.Now()
		docs, err := s.state.GetAll(ctx, []string{k.reservation(r.ReservationID), pageKey(k.reservationsOf(r.CustomerID), newest)})
		if err != nil {
			return err
		}
		doc := reservation{ReservationState: r.ReservationState, At: instant(e.Time)}
		if err := s.listReservation(ctx, k, docs[0], &seen{docs[1], begun}, doc); err != nil {
			return err
		}
		return s.copyReservation(ctx, docs[0], doc)
	}
	return nil
}
