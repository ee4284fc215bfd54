package usecase

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"
)

// planKey is the document that says which generation of keys is read, and which are written.
const planKey = "generation"

// States of a rebuild.
const (
	RebuildRunning = "RUNNING"
	RebuildDone    = "DONE"
	RebuildFailed  = "FAILED"
)

// plan is that document. Without one, generation 1 is read and written.
type plan struct {
	Current int      `json:"current"`           // the generation that is read
	Highest int      `json:"highest"`           // that was ever used: a number is never used again
	Rebuild *rebuild `json:"rebuild,omitempty"` // the one that runs, or the last
	Old     []old    `json:"old,omitempty"`     // generations whose documents are still to be removed
}

// rebuild makes a generation out of what the owners tell. Its times are of this machine's clock: no document that
// readers see holds them.
type rebuild struct {
	ID         string          `json:"id"` // UUIDv7
	Generation int             `json:"generation"`
	State      string          `json:"state"`
	StartedAt  time.Time       `json:"startedAt"`
	FinishedAt time.Time       `json:"finishedAt,omitzero"`
	Reason     string          `json:"reason,omitempty"` // of FAILED
	Owners     []OwnerProgress `json:"owners,omitempty"` // when it is over
}

// old is a generation that nobody shall read any more.
type old struct {
	Generation int       `json:"generation"`
	Since      time.Time `json:"since"`
	Written    bool      `json:"written,omitempty"` // still, for readers that have not noticed yet
	Dropping   time.Time `json:"dropping,omitzero"` // a replica is at it until then
}

func (p *plan) running() bool { return p.Rebuild != nil && p.Rebuild.State == RebuildRunning }

// runs says whether the rebuild of this id does.
func (p *plan) runs(id string) bool { return p.running() && p.Rebuild.ID == id }

// written are the generations into which live events go: also the one that is being made.
func (p *plan) written() []int {
	all := []int{p.Current}
	if p.running() {
		all = append(all, p.Rebuild.Generation)
	}
	for _, o := range p.Old {
		if o.Written {
			all = append(all, o.Generation)
		}
	}
	return all
}

func decodePlan(stored Document) (plan, error) {
	p := plan{}
	if stored.ETag != "" {
		if err := json.Unmarshal(stored.Data, &p); err != nil {
			return p, fmt.Errorf("document %s: %w", planKey, err)
		}
	}
	p.defaults()
	return p, nil
}

func (p *plan) defaults() {
	p.Current = max(p.Current, 1)
	p.Highest = max(p.Highest, p.Current)
}

// fresh is for how long readers go by what they know of the plan.
const fresh = time.Second

// plans is what a replica knows of the plan.
type plans struct {
	state State
	docs  *documents[plan]
	now   func() time.Time

	mu   sync.Mutex
	last plan
	read time.Time
}

func newPlans(state State, now func() time.Time) *plans {
	p := &plans{state: state, docs: newDocuments[plan](state), now: now}
	p.last.defaults()
	return p
}

// known is the plan as this replica saw it last, perhaps long ago.
func (p *plans) known() plan {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *plans) note(seen plan, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !at.Before(p.read) {
		p.last, p.read = seen, at
	}
}

// reading gives the keys to read by, which are at most a second old: a read costs the store nothing more.
func (p *plans) reading(ctx context.Context) (keys, error) {
	p.mu.Lock()
	last, recent := p.last, p.now().Sub(p.read) < fresh
	p.mu.Unlock()
	if recent {
		return keys{last.Current}, nil
	}
	now, err := p.get(ctx)
	return keys{now.Current}, err
}

// get reads the plan.
func (p *plans) get(ctx context.Context) (plan, error) {
	at := p.now()
	stored, err := p.state.Get(ctx, planKey)
	if err != nil {
		return plan{}, err
	}
	return p.take(stored, at)
}

// take is the plan in a document that was read at the given time, or later.
func (p *plans) take(stored Document, at time.Time) (plan, error) {
	seen, err := decodePlan(stored)
	if err == nil {
		p.note(seen, at)
	}
	return seen, err
}

// update changes the plan unless change says that there is nothing to do.
func (p *plans) update(ctx context.Context, change func(*plan) bool) error {
	return p.docs.update(ctx, planKey, func(doc *plan) bool {
		doc.defaults()
		return change(doc)
	})
}

// target is a generation that an event is written to, with its documents as they were read.
type target struct {
	keys keys
	docs []Document
	at   time.Time // not read before it
}

// targets reads the plan in the same call as the documents that an event changes: names are theirs.
// Never what this replica remembers of the plan: an owner that is asked to replay is asked after the new generation
// is in the plan. So an event that is read by a plan without it was committed before the owner began, and is in
// what the owner tells; any other is written to the new generation here.
func (s *Service) targets(ctx context.Context, names func(keys) []string) ([]target, error) {
	at, begun := s.cfg.Now(), time.Now()
	known := s.plans.known()
	guess := known.written()
	all := []string{planKey}
	for _, n := range guess {
		all = append(all, names(keys{n})...)
	}
	docs, err := s.state.GetAll(ctx, all)
	if err != nil {
		return nil, err
	}
	p, err := s.plans.take(docs[0], at)
	if err != nil {
		return nil, err
	}
	each := (len(docs) - 1) / len(guess)
	var targets []target
	for _, n := range p.written() {
		t := target{keys: keys{n}, at: begun}
		if i := slices.Index(guess, n); i >= 0 {
			t.docs = docs[1+i*each:][:each]
		} else if t.docs, err = s.state.GetAll(ctx, names(t.keys)); err != nil {
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}
