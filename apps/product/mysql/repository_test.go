package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

var now = time.Date(2026, 11, 22, 1, 2, 3, 456789000, time.UTC)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func open(t *testing.T) *sql.DB { return dbtest.Open(t, Migrations(), outbox.Migrations()) }

func aProduct(t *testing.T, md domain.MDID) *domain.TourProduct {
	t.Helper()
	p, err := domain.Register(domain.ProductID(newID()), md, domain.Draft{
		Details: domain.Details{
			Kind: terms.Overseas, Name: domain.Text{Ko: strings.Repeat("😀", 200)}, Description: domain.Text{Ko: strings.Repeat("한", 4000)},
			Country: "JP", Price: 800_000, Savings: &domain.SavingsOffer{BaseRate: 300, TermMonths: 12},
			Policy: domain.Policy{Type: terms.Special, Tiers: []terms.Tier{{Rate: 5000}}, Consent: &domain.Text{Ko: strings.Repeat("<", 4000)}},
		},
		Departures: []domain.DepartureDraft{{Date: "2027-03-14", Capacity: 20, MinParticipants: 8}, {Date: "2027-01-14", Capacity: 10, MinParticipants: 1}},
	}, domain.Occasion{At: now, NewID: newID})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func event(p *domain.TourProduct) contract.Event {
	return contract.Event{ID: newID(), Type: contract.ProductRevised, Subject: string(p.ID()), Time: now}
}

func outboxRows(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT COUNT(*) FROM outbox").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestI1_AProductComesBackAsItWas(t *testing.T) {
	db := open(t)
	r, p := NewProducts(db), aProduct(t, "md-1")
	if err := r.Add(t.Context(), p, event(p)); err != nil {
		t.Fatal(err)
	}
	if _, err := p.CloseDeparture(p.Snapshot().Departures[1].ID, domain.ForceMajeure, "태풍", now); err != nil {
		t.Fatal(err)
	}
	err := r.Update(t.Context(), p.ID(), func(stored *domain.TourProduct) (*contract.Event, error) {
		_, err := stored.CloseDeparture(stored.Snapshot().Departures[1].ID, domain.ForceMajeure, "태풍", now)
		e := event(stored)
		return &e, err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Find(t.Context(), p.ID())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Snapshot(), p.Snapshot()) {
		t.Errorf("got  %+v\nwant %+v", got.Snapshot(), p.Snapshot())
	}
	if n := outboxRows(t, db); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	if _, err := r.Find(t.Context(), domain.ProductID(newID())); !errors.Is(err, fault.New(fault.NotFound)) {
		t.Errorf("an unknown product: %v", err)
	}
}

func TestI1_AFailedChangeLeavesNothingBehind(t *testing.T) {
	db := open(t)
	r, p := NewProducts(db), aProduct(t, "md-1")
	if err := r.Add(t.Context(), p, event(p)); err != nil {
		t.Fatal(err)
	}
	said := event(p)
	discontinue := func(e contract.Event, err error) error {
		return r.Update(t.Context(), p.ID(), func(p *domain.TourProduct) (*contract.Event, error) {
			p.Discontinue()
			return &e, err
		})
	}
	refusal := errors.New("refused")
	if err := discontinue(said, refusal); !errors.Is(err, refusal) {
		t.Errorf("got %v", err)
	}
	// The event is the last thing written: when it cannot be, the product must not have changed either.
	said.Subject = strings.Repeat("x", 100)
	if err := discontinue(said, nil); err == nil {
		t.Error("an event that does not fit was stored")
	}
	got, err := r.Find(t.Context(), p.ID())
	if err != nil || got.Version() != 1 || outboxRows(t, db) != 1 {
		t.Errorf("version %d, %d events, %v", got.Version(), outboxRows(t, db), err)
	}
}

func TestA3_AFailedCommitIsNoSuccess(t *testing.T) {
	db := open(t)
	r, p := NewProducts(db), aProduct(t, "md-1")
	if err := r.Add(t.Context(), p, event(p)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := r.Update(ctx, p.ID(), func(p *domain.TourProduct) (*contract.Event, error) {
		p.Discontinue()
		cancel() // the connection is given up before the commit
		e := event(p)
		return &e, nil
	})
	if err == nil {
		t.Error("the commit failed and Update says that it did not")
	}
	if got, err := r.Find(t.Context(), p.ID()); err != nil || got.Version() != 1 {
		t.Errorf("version %d, %v", got.Version(), err)
	}
}

func TestF3_OfTwentyRevisionsOfOneVersionOneWins(t *testing.T) {
	db := open(t)
	r, p := NewProducts(db), aProduct(t, "md-1")
	if err := r.Add(t.Context(), p, event(p)); err != nil {
		t.Fatal(err)
	}
	var won, stale sync.Map
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := r.Update(t.Context(), p.ID(), func(p *domain.TourProduct) (*contract.Event, error) {
				s := p.Snapshot()
				d := domain.Draft{Details: s.Details}
				for _, dep := range s.Departures {
					d.Departures = append(d.Departures, domain.DepartureDraft(dep))
				}
				e := event(p)
				return &e, p.Revise(d, 1, domain.Occasion{At: now, NewID: newID})
			})
			switch {
			case err == nil:
				won.Store(i, true)
			case errors.Is(err, fault.New(fault.Stale)):
				stale.Store(i, true)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if size(&won) != 1 || size(&stale) != 19 {
		t.Errorf("%d won, %d stale", size(&won), size(&stale))
	}
	if n := outboxRows(t, db); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestF1_AnMDListsOnlyItsOwnTheNewestFirst(t *testing.T) {
	r := NewProducts(open(t))
	var want []domain.ProductID
	for range 5 {
		for _, md := range []domain.MDID{"md-1", "md-2"} {
			p := aProduct(t, md)
			if err := r.Add(t.Context(), p, event(p)); err != nil {
				t.Fatal(err)
			}
			if md == "md-1" {
				want = append([]domain.ProductID{p.ID()}, want...)
			}
		}
	}
	var got []domain.ProductID
	for before := domain.ProductID(""); ; {
		page, err := r.ListOf(t.Context(), "md-1", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			got = append(got, p.ID())
			if len(p.Snapshot().Departures) != 2 {
				t.Errorf("%d departures", len(p.Snapshot().Departures))
			}
		}
		before = got[len(got)-1]
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// news is what the event of the reservation's version says: the history up to it.
func news(md domain.MDID, reservation string, version int) domain.ReservationNews {
	states := []string{"PENDING", "CONFIRMED", "CANCEL_REQUESTED", "CANCELLED"}[:version]
	n := domain.ReservationNews{ReservationID: reservation, MD: md, ProductID: domain.ProductID(newID()), DepartureID: "d-1",
		Version: int64(version), Status: states[version-1]}
	from := ""
	for i, to := range states {
		n.History = append(n.History, domain.HistoryRow{Version: int64(i + 1), From: from, To: to, At: now.Add(time.Duration(i) * time.Minute)})
		from = to
	}
	return n
}

// A crash between a change of the schema and the note that it was made runs the file again.
func TestEachMigrationCanRunAgain(t *testing.T) {
	db := open(t)
	if _, err := db.ExecContext(t.Context(), "DELETE FROM schema_product WHERE version_id > 0"); err != nil {
		t.Fatal(err)
	}
	if err := mysqldb.Migrate(t.Context(), db, Migrations()); err != nil {
		t.Error(err)
	}
}

// Two MDs, each event delivered twice and in disorder by sixteen workers: every row of every history is
// there once, and the numbers of an inbox have no gap.
func TestN5_NoticesAreCompleteAndWithoutGaps(t *testing.T) {
	inbox := NewInbox(open(t))
	const reservations, versions, workers = 30, 4, 16
	events := make(chan domain.ReservationNews, 4*reservations*versions)
	for i := range reservations {
		id := newID()
		for round := range 2 {
			for v := range versions {
				// The second time backwards.
				version := v + 1
				if round == 1 {
					version = versions - v
				}
				events <- news(domain.MDID(fmt.Sprintf("md-%d", i%2)), id, version)
			}
		}
	}
	close(events)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for n := range events {
				if err := inbox.Hear(t.Context(), n); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, md := range []domain.MDID{"md-0", "md-1"} {
		notices, err := inbox.Notices(t.Context(), md, usecase.NoticePage{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		if want := reservations / 2 * (versions - 1); len(notices) != want {
			t.Errorf("%s has %d notices, want %d", md, len(notices), want)
		}
		for i, n := range notices {
			if n.Seq != int64(i+1) {
				t.Fatalf("%s: number %d stands at place %d", md, n.Seq, i+1)
			}
		}
	}
}

// All news of an MD share the counter; a reservation that was just made is none yet and must not wait for it.
func TestAReservationThatWasJustMadeWaitsForNoCounter(t *testing.T) {
	db := open(t)
	inbox := NewInbox(db)
	if err := inbox.Hear(t.Context(), news("md-1", newID(), 2)); err != nil {
		t.Fatal(err)
	}
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := lockCounters(t.Context(), tx, []domain.ReservationNews{news("md-1", newID(), 2)}); err != nil {
		t.Fatal(err)
	}
	made := news("md-1", newID(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	if err := inbox.Hear(ctx, made); err != nil {
		t.Fatalf("it waits: %v", err)
	}
	if left, err := unheard(t.Context(), db, []domain.ReservationNews{made}); err != nil || len(left) != 0 {
		t.Errorf("it is not remembered (%v)", err)
	}
}

func TestI5_OneEventHealsALostHistory(t *testing.T) {
	inbox := NewInbox(open(t))
	if err := inbox.Hear(t.Context(), news("md-1", newID(), 4)); err != nil {
		t.Fatal(err)
	}
	notices, err := inbox.Notices(t.Context(), "md-1", usecase.NoticePage{Limit: 10})
	if err != nil || len(notices) != 3 || notices[0].Status != "CONFIRMED" || notices[2].Status != "CANCELLED" {
		t.Errorf("got %+v, %v", notices, err)
	}
}

func TestN5_ARefusedBatchUsesNoNumber(t *testing.T) {
	inbox := NewInbox(open(t))
	bad := news("md-1", newID(), 4)
	bad.History[3].To = strings.Repeat("x", 100) // does not fit
	if err := inbox.Hear(t.Context(), bad); err == nil {
		t.Fatal("a status of 100 characters was stored")
	}
	if err := inbox.Hear(t.Context(), news("md-1", newID(), 2)); err != nil {
		t.Fatal(err)
	}
	notices, err := inbox.Notices(t.Context(), "md-1", usecase.NoticePage{Limit: 10})
	if err != nil || len(notices) != 1 || notices[0].Seq != 1 {
		t.Errorf("got %+v, %v", notices, err)
	}
}

func TestNoticesAreAcknowledgedOnce(t *testing.T) {
	inbox := NewInbox(open(t))
	if err := inbox.Hear(t.Context(), news("md-1", newID(), 2)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := inbox.Acknowledge(t.Context(), "md-1", 1, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := inbox.Acknowledge(t.Context(), "md-2", 1, now); !errors.Is(err, fault.New(fault.NotFound)) {
		t.Errorf("another MD's notice: %v", err)
	}
	notices, err := inbox.Notices(t.Context(), "md-1", usecase.NoticePage{Limit: 10})
	if err != nil || !notices[0].Acknowledged {
		t.Errorf("got %+v, %v", notices, err)
	}
}

func TestProgressOfAClosure(t *testing.T) {
	inbox := NewInbox(open(t))
	closed := now.Add(150 * time.Second) // after CANCEL_REQUESTED (2 min), before CANCELLED (3 min)
	stuck := news("md-1", newID(), 3)
	stuck.Stuck = true
	// Finished before the closure, so no business of it.
	earlier := func() domain.ReservationNews {
		n := news("md-1", newID(), 2)
		n.History[1].To = "REJECTED"
		return n
	}
	for _, n := range []domain.ReservationNews{
		news("md-1", newID(), 1), news("md-1", newID(), 2), stuck, news("md-1", newID(), 4), earlier(), earlier(),
	} {
		if err := inbox.Hear(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	got, err := inbox.Progress(t.Context(), "d-1", closed)
	if want := (domain.ClosureProgress{Total: 4, Done: 1, Failed: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	if got, err := inbox.Progress(t.Context(), "d-2", closed); err != nil || got.Total != 0 {
		t.Errorf("another departure: %+v, %v", got, err)
	}
}
