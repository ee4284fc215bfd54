package usecase

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
)

func newView(state State) *Service {
	return viewAt(state, time.Now)
}

func viewAt(state State, now func() time.Time) *Service {
	return New(state, deaf{}, Settings{
		Wait: 2 * time.Second, PageSize: 4, TripPage: 3, // small, so that indexes have many pages
		NewID: uuid.NewString, Now: now, App: "viewpage", Patience: time.Minute,
	})
}

func hear(ctx context.Context, s *Service, e contract.Event) error {
	if e.Source == "product" {
		return s.HearProduct(ctx, e)
	}
	return s.HearReservation(ctx, e)
}

type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func hearAll(t fataler, s *Service, events []contract.Event) {
	t.Helper()
	for _, e := range events {
		if err := untilHeard(context.Background(), s, e); err != nil {
			t.Fatalf("%s: %v", e.Type, err)
		}
	}
}

// untilHeard delivers an event again, as the broker does, while nobody else is to blame.
func untilHeard(ctx context.Context, s *Service, e contract.Event) (err error) {
	for range 20 {
		if err = hear(ctx, s, e); !errors.Is(err, ErrConflict) && !errors.Is(err, errLost) {
			return err
		}
	}
	return err
}

// everything reads all that the view can show, page by page.
func everything(t fataler, s *Service, customers, mds []string) map[string]any {
	t.Helper()
	out := map[string]any{}
	for _, kind := range []string{"", "DOMESTIC", "OVERSEAS"} {
		var items []BoardItem
		for behind := (*Cursor)(nil); ; {
			b, err := s.Board(context.Background(), kind, behind, 3)
			if err != nil {
				t.Fatal(err)
			}
			if items = append(items, b.Items...); b.Next == nil {
				break
			}
			behind = b.Next
		}
		out["board "+kind] = items
	}
	for _, md := range mds {
		b, err := s.BoardOf(context.Background(), md, nil, 100)
		if err != nil {
			t.Fatal(err)
		}
		out["md "+md] = b.Items
	}
	for _, customer := range customers {
		trips, err := s.Mine(context.Background(), customer, nil, nil, 100)
		if err != nil {
			t.Fatal(err)
		}
		out["mine "+customer] = trips.Items
	}
	return out
}

var (
	customers = []string{"customer-1", "Customer-1", "홍길동||x"}
	mds       = []string{"md-1", "md-2"}
)

// drawHistory makes up what the owners did.
func drawHistory(t *rapid.T) *history {
	h := newHistory()
	lives := [][]string{
		{contract.StatusPending, contract.StatusConfirmed},
		{contract.StatusPending, contract.StatusRejected},
		{contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled},
		{contract.StatusPending, contract.StatusConfirmed, contract.StatusCompleted},
		{contract.StatusPending},
	}
	kinds := []string{"DOMESTIC", "OVERSEAS"}
	h.register(mds[0], kinds[0], 2)
	for range rapid.IntRange(1, 30).Draw(t, "deeds") {
		product := rapid.IntRange(0, len(h.products)-1).Draw(t, "product")
		switch rapid.IntRange(0, 4).Draw(t, "deed") {
		case 0:
			h.register(rapid.SampledFrom(mds).Draw(t, "md"), rapid.SampledFrom(kinds).Draw(t, "kind"), 2)
		case 1:
			h.revise(product, func(p *contract.Product) { p.Price += 1000; p.Kind = rapid.SampledFrom(kinds).Draw(t, "kind") })
		case 2:
			h.revise(product, func(p *contract.Product) { p.Status = contract.ProductIsWithdrawn })
		default:
			h.reserve(rapid.SampledFrom(customers).Draw(t, "customer"), product, rapid.IntRange(0, 1).Draw(t, "departure"),
				rapid.SampledFrom(lives).Draw(t, "life")...)
		}
	}
	return h
}

// TestI5_AnyOrderOfEventsMakesTheSameDocuments: shuffled, doubled and delayed deliveries, with conflicts and
// lost answers, end in the documents of a delivery in order.
func TestI5_AnyOrderOfEventsMakesTheSameDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistory(t)
		inOrder, shuffled := newMemory(), newMemory()
		hearAll(t, newView(inOrder), h.events)

		shuffled.conflicts = rapid.IntRange(2, 20).Draw(t, "conflicts")
		shuffled.loseAnswers(rapid.IntRange(2, 20).Draw(t, "one lost in"), rapid.Uint64().Draw(t, "seed"))
		numbers := make([]int, 2*len(h.events)) // each event twice
		for i := range numbers {
			numbers[i] = i % len(h.events)
		}
		var deliveries []contract.Event
		for _, i := range rapid.Permutation(numbers).Draw(t, "deliveries") {
			deliveries = append(deliveries, h.events[i])
		}
		split := rapid.IntRange(0, len(deliveries)).Draw(t, "handover") // to another replica
		hearAll(t, newView(shuffled), deliveries[:split])
		late := newView(shuffled)
		hearAll(t, late, deliveries[split:])

		if want, got := inOrder.dump(), shuffled.dump(); !maps.Equal(want, got) {
			t.Fatalf("documents differ:\n%v\n%v", want, got)
		}
		want, _ := json.MarshalIndent(everything(t, newView(inOrder), customers, mds), "", " ")
		got, _ := json.MarshalIndent(everything(t, late, customers, mds), "", " ")
		if string(want) != string(got) {
			t.Fatalf("the view differs:\n%s\n%s", want, got)
		}
		for _, p := range h.products {
			if doc := documentOf[product](t, shuffled, keys{1}.product(p.ProductID)); doc.Version != p.Version {
				t.Fatalf("product at version %d, want %d", doc.Version, p.Version)
			}
		}
	})
}

func documentOf[T any](t fataler, m *memory, key string) (doc T) {
	t.Helper()
	if err := json.Unmarshal(m.docs[key].Data, &doc); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return doc
}

func longHistory() *history {
	h := newHistory()
	for n := range 12 {
		h.register(mds[n%2], []string{"DOMESTIC", "OVERSEAS"}[n%2], 1)
	}
	for n := range 150 {
		h.reserve(customers[n%3], n%12, 0, contract.StatusPending, contract.StatusConfirmed)
	}
	return h
}

// TestI6_ReplicasAtWorkTogetherLoseNothing: every event twice, three replicas, all at once.
func TestI6_ReplicasAtWorkTogetherLoseNothing(t *testing.T) {
	h := longHistory()
	inOrder, together := newMemory(), newMemory()
	hearAll(t, newView(inOrder), h.events)

	together.conflicts = 50
	together.loseAnswers(30, 1)
	work := make(chan contract.Event)
	var wg sync.WaitGroup
	for range 3 {
		replica := newView(together)
		for range 8 {
			wg.Go(func() {
				for e := range work {
					if err := untilHeard(t.Context(), replica, e); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	for _, e := range append(slices.Clone(h.events), h.events...) {
		work <- e
	}
	close(work)
	wg.Wait()
	if want, got := inOrder.dump(), together.dump(); !maps.Equal(want, got) {
		t.Fatal("documents differ")
	}
	want, _ := json.Marshal(everything(t, newView(inOrder), customers, mds))
	got, _ := json.Marshal(everything(t, newView(together), customers, mds))
	if string(want) != string(got) {
		t.Fatalf("the view differs:\n%s\n%s", want, got)
	}
}

func TestWhatWaitsForADocumentIsWrittenTogether(t *testing.T) {
	m := newMemory()
	s := New(slow{m}, deaf{}, Settings{PageSize: 200, NewID: uuid.NewString, Now: time.Now})
	h := newHistory()
	h.register(mds[0], "DOMESTIC", 1)
	for range 200 {
		h.reserve(customers[0], 0, 0, contract.StatusPending)
	}
	var wg sync.WaitGroup
	for _, e := range h.events[1:] {
		wg.Go(func() {
			if err := hear(t.Context(), s, e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	doc := documentOf[productTotals](t, m, keys{1}.totals(h.products[0].ProductID))
	got := doc.Departures[h.products[0].Departures[0].DepartureID]
	if got.Reservations[contract.StatusPending] != 200 || got.Version != 201 {
		t.Fatalf("totals %+v", got)
	}
	// 200 reservations have a document each; the totals and the index are shared.
	if m.writes > 200+50 {
		t.Errorf("%d writes for 200 events", m.writes)
	}
	if m.attempts != m.writes {
		t.Errorf("nobody else writes, and %d writes came too late", m.attempts-m.writes)
	}
}

// Pages of products may be a moment old, but never older than what this replica has written itself.
func TestTheBoardReadsThePagesOfProductsOnceAMoment(t *testing.T) {
	m := &counting{memory: newMemory(), gets: map[string]int{}}
	s, other := newView(m), newView(m)
	h := newHistory()
	shown := func() int {
		t.Helper()
		b, err := s.Board(t.Context(), "", nil, 100)
		if err != nil {
			t.Fatal(err)
		}
		return len(b.Items)
	}
	h.register(mds[0], "DOMESTIC", 1)
	hearAll(t, s, h.events)
	for range 20 {
		if n := shown(); n != 1 {
			t.Fatalf("%d products", n)
		}
	}
	if n := m.gets[pageKey(keys{1}.allProducts(), newest)]; n > 10 { // one and more to write it
		t.Errorf("its page was read %d times", n)
	}
	h.register(mds[0], "DOMESTIC", 1)
	hearAll(t, s, h.events[1:])
	if n := shown(); n != 2 {
		t.Errorf("%d products after the second was written here", n)
	}
	h.register(mds[0], "DOMESTIC", 1)
	hearAll(t, other, h.events[2:])
	for end := time.Now().Add(5 * time.Second); shown() != 3 && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
	}
	if n := shown(); n != 3 {
		t.Errorf("%d products after the third was written elsewhere", n)
	}
}

// counting counts what is read.
type counting struct {
	*memory
	gets map[string]int
}

func (c *counting) Get(ctx context.Context, key string) (Document, error) {
	c.gets[key]++
	return c.memory.Get(ctx, key)
}

// slow is a store that takes its time, as one behind a network does.
type slow struct{ *memory }

func (s slow) Get(ctx context.Context, key string) (Document, error) {
	time.Sleep(2 * time.Millisecond)
	return s.memory.Get(ctx, key)
}

func (s slow) GetAll(ctx context.Context, keys []string) ([]Document, error) {
	defer time.Sleep(2 * time.Millisecond) // old when it arrives
	return s.memory.GetAll(ctx, keys)
}

func TestALateEventMovesNoVersionBack(t *testing.T) {
	m := newMemory()
	s := newView(m)
	h := newHistory()
	p := h.register(mds[0], "OVERSEAS", 1)
	h.revise(p, func(p *contract.Product) { p.Status = contract.ProductIsWithdrawn })
	slices.Reverse(h.events)
	hearAll(t, s, h.events)
	b, err := s.Board(t.Context(), "", nil, 10)
	if err != nil || len(b.Items) != 1 {
		t.Fatalf("board %+v, %v", b, err)
	}
	if got := b.Items[0]; got.Version != 2 || got.Status != contract.ProductIsWithdrawn {
		t.Errorf("a discontinued product stays on the board with its status, got %+v", got)
	}
}

func TestAnEventWithoutIdOrVersionIsMalformed(t *testing.T) {
	s := newView(newMemory())
	h := newHistory()
	h.tell("product", contract.ProductRevised, "x", contract.Product{ProductID: "../x", MDID: "md-1", Version: 1})
	h.tell("product", contract.ProductRevised, "x", contract.Product{ProductID: h.id(), MDID: "md-1"})
	h.tell("product", contract.ProductRevised, "x", "text")
	h.tell("reservation", contract.ReservationPending, "x", contract.Reservation{})
	h.tell("reservation", contract.DepartureChanged, "x", contract.DepartureState{})
	for i, e := range h.events {
		if err := hear(t.Context(), s, e); fault.CodeOf(err) != fault.Malformed {
			t.Errorf("event %d: %v", i, err)
		}
	}
	h.events = nil
	h.tell("product", "oneqtour.product.painted.v1", "x", "text")
	h.tell("product", "oneqtour.product.revised.v2", "x", "text")
	h.tell("reservation", "oneqtour.reservation.reminded.v1", "x", "text")
	h.tell("reservation", "oneqtour.reservation.departure-changed.v2", "x", "text")
	for _, e := range h.events {
		if err := hear(t.Context(), s, e); err != nil {
			t.Errorf("%s, an unknown type, is none of our business: %v", e.Type, err)
		}
	}
}

func TestAStoreThatFailsIsToldToTheBroker(t *testing.T) {
	m := newMemory()
	s := newView(m)
	h := newHistory()
	h.register(mds[0], "OVERSEAS", 1)
	m.failing = errors.New("down")
	for _, e := range h.events {
		if err := hear(t.Context(), s, e); !errors.Is(err, m.failing) {
			t.Errorf("%s: %v", e.Type, err)
		}
	}
	if s.Ready(t.Context()) == nil {
		t.Error("ready without a store")
	}
}

func TestReadyIsWhoCanWrite(t *testing.T) {
	m := newMemory()
	s := newView(m)
	for range 3 {
		if err := s.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// The other replica's probe comes between our two steps.
	other := newView(m)
	if err := newView(between{m, func() error { return other.Ready(t.Context()) }}).Ready(t.Context()); err != nil {
		t.Errorf("beside another replica: %v", err)
	}
	// A store that reads, and calls every refused write a conflict.
	m.conflicts = 1
	if s.Ready(t.Context()) == nil {
		t.Error("ready without being able to write")
	}
}

// between does something after each read.
type between struct {
	*memory
	then func() error
}

func (b between) Get(ctx context.Context, key string) (Document, error) {
	d, err := b.memory.Get(ctx, key)
	return d, errors.Join(err, b.then())
}

func TestADeadLetterIsKeptOnce(t *testing.T) {
	m := newMemory()
	s := newView(m)
	id := "viewpage:" + uuid.NewString()
	for range 2 {
		d := DeadLetter{ID: id, App: "viewpage", Reason: "r", At: time.Now(), Payload: json.RawMessage(`{"a":1}`)}
		if err := s.KeepDeadLetter(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	if got := documentOf[DeadLetter](t, m, id); string(got.Payload) != `{"a":1}` {
		t.Errorf("kept %+v", got)
	}
	if err := s.KeepDeadLetter(t.Context(), DeadLetter{ID: "viewpage:odd||id", App: "viewpage", At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	entries, _, err := s.indexes.read(t.Context(), deadLetters, nil, 10, all)
	if err != nil || len(entries) != 2 {
		t.Fatalf("listed %v, %v", entries, err)
	}
}

// A service that tries by itself looks at what is young, and of two replicas one is refused.
func TestYoungDeadLettersAreListedAndAnAttemptMayBeRefused(t *testing.T) {
	s, now := newView(newMemory()), time.Now()
	var ids []string
	for _, ago := range []time.Duration{2 * time.Hour, 30 * time.Minute, time.Minute} {
		ids = append(ids, "viewpage:"+uuid.NewString())
		if err := s.KeepDeadLetter(t.Context(), DeadLetter{ID: ids[len(ids)-1], App: "viewpage", At: now.Add(-ago)}); err != nil {
			t.Fatal(err)
		}
	}
	young, err := s.DeadLetters(t.Context(), LetterQuery{Since: now.Add(-time.Hour), Limit: 10})
	if err != nil || len(young) != 2 || young[0].ID != ids[2] || young[1].ID != ids[1] {
		t.Errorf("%+v, %v", young, err)
	}
	refusal := errors.New("not now")
	if _, err := s.BeginReplay(t.Context(), "viewpage", ids[2], Replay{At: now, By: "viewpage"}, func(DeadLetter) error { return refusal }); !errors.Is(err, refusal) {
		t.Errorf("%v", err)
	}
	if d, err := s.DeadLetter(t.Context(), "viewpage", ids[2]); err != nil || len(d.Replays) > 0 {
		t.Errorf("a refused attempt is noted: %+v, %v", d, err)
	}
}
