package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/payment/domain"
)

var moment = domain.Moment{Now: time.Date(2026, 11, 22, 1, 2, 3, 456000, time.UTC),
	Pace: domain.Pace{InFlight: 10 * time.Second, Watch: 24 * time.Hour}}

func open(t *testing.T) (*Repository, *sql.DB) {
	t.Helper()
	db := dbtest.Open(t, Migrations(), outbox.Migrations())
	return NewRepository(db, 20*time.Second, func() {}), db
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func at(after time.Duration) domain.Moment {
	m := moment
	m.Now, m.FreshID = m.Now.Add(after), domain.RefundID(newID())
	return m
}

func payment(t *testing.T) *domain.Payment {
	t.Helper()
	p, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(newID()),
		Purpose: domain.Price, Method: domain.Card, Amount: 10_000, CorrelationID: "c", CausationID: "c"}, moment)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func added(t *testing.T, r *Repository) *domain.Payment {
	t.Helper()
	p := payment(t)
	if err := r.Add(t.Context(), p, nil); err != nil {
		t.Fatal(err)
	}
	return p
}

func event(p *domain.Payment) []contract.Event {
	return []contract.Event{{ID: newID(), Type: contract.PaymentApproved, Subject: string(p.Snapshot().Reservation)}}
}

func done(p *domain.Payment) domain.Reply {
	return domain.Reply{Kind: domain.Answered, Charge: domain.Charge{State: "DONE", OrderID: p.OrderID(), Key: "k", Total: 10_000, Balance: 10_000}}
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatIsStoredIsWhatIsReadBack(t *testing.T) {
	r, _ := open(t)
	p := added(t, r)
	steps := []func(p *domain.Payment) error{
		func(p *domain.Payment) error { return p.Replied(domain.Reply{}, at(time.Second)) },
		func(p *domain.Payment) error { return p.Inquired(done(p), at(2*time.Second)) },
		func(p *domain.Payment) error {
			return p.Refund(domain.Refund{ID: domain.RefundID(newID()), Cause: domain.CauseCancellation, Amount: 3_000, CausationID: "e-1"}, at(3*time.Second))
		},
		func(p *domain.Payment) error { return p.Void("e-2", at(4*time.Second)) },
		func(p *domain.Payment) error {
			refund, _ := p.OpenRefund()
			return p.RefundReplied(refund.ID, domain.Reply{Kind: domain.Refused, Code: "REFUND_REJECTED"}, at(5*time.Second))
		},
		func(p *domain.Payment) error {
			return p.Retry(p.Snapshot().Refunds[0].ID, "operator-1", at(6*time.Second))
		},
		func(p *domain.Payment) error {
			return p.RefundReplied(p.Snapshot().Refunds[0].ID, domain.Reply{Kind: domain.Refused, Code: "REFUND_REJECTED"}, at(7*time.Second))
		},
		func(p *domain.Payment) error {
			return p.Settle(p.Snapshot().Refunds[0].ID, "BANK-1", "operator-1", at(8*time.Second))
		},
	}
	for i, step := range steps {
		after, err := r.Update(t.Context(), p.ID(), func(p *domain.Payment) ([]contract.Event, error) { return nil, step(p) })
		if err != nil {
			t.Fatal(i, err)
		}
		read, err := r.Find(t.Context(), after.Snapshot().Reservation, domain.Price)
		if err != nil || !reflect.DeepEqual(after.Snapshot(), read.Snapshot()) {
			t.Errorf("step %d: stored %+v\nread %+v, %v", i, after.Snapshot(), read.Snapshot(), err)
		}
	}
}

// A crash may come between a change of the schema and the note that it was made.
func TestEveryMigrationCanBeRunAgain(t *testing.T) {
	r, db := open(t)
	p := added(t, r)
	if _, err := db.Exec("DELETE FROM schema_payment WHERE version_id > 0"); err != nil {
		t.Fatal(err)
	}
	if err := mysqldb.Migrate(t.Context(), db, Migrations()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Get(t.Context(), p.ID()); err != nil {
		t.Error(err)
	}
}

// Rows from before the column: what was asked back of a final payment was charged later.
func TestOldPaymentsThatWereChargedLaterAreKnown(t *testing.T) {
	r, db := open(t)
	want := map[domain.PaymentID]bool{}
	for _, c := range []struct {
		status, refunded string
		later            bool
	}{
		{"DECLINED", "2026-03-02 03:00:05", true}, {"VOIDED", "2026-03-02 03:00:05", true},
		{"VOIDED", "2026-03-02 03:00:01", false}, {"APPROVED", "2026-03-02 03:00:05", false},
	} {
		p := added(t, r)
		want[p.ID()] = c.later
		if _, err := db.Exec("UPDATE payments SET status = ?, final_at = '2026-03-02 03:00:02' WHERE payment_id = ?", c.status, p.ID()); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(`INSERT INTO refunds (refund_id, payment_id, position, cause, amount, status, code, causation_id, requested_at)
			VALUES (?, ?, 0, 'VOID', 1, 'DONE', '', '', ?)`, newID(), p.ID(), c.refunded); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec("DELETE FROM schema_payment WHERE version_id = 9"); err != nil {
		t.Fatal(err)
	}
	if err := mysqldb.Migrate(t.Context(), db, Migrations()); err != nil {
		t.Fatal(err)
	}
	for id, later := range want {
		if p, err := r.Get(t.Context(), id); err != nil || p.Snapshot().ChargedLater != later {
			t.Errorf("%+v, want %v, %v", p.Snapshot(), later, err)
		}
	}
}

func TestOneOfFiftyRacingRequestsIsStored(t *testing.T) {
	r, db := open(t)
	first := payment(t).Snapshot()
	errs := make(chan error, 50)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			s := first
			s.ID = domain.PaymentID(newID())
			errs <- r.Add(context.Background(), domain.Restore(s), nil)
		})
	}
	all.Wait()
	close(errs)
	stored := 0
	for err := range errs {
		if err == nil {
			stored++
		} else if !errors.Is(err, domain.ErrExists) {
			t.Error(err)
		}
	}
	if stored != 1 || count(t, db, "payments") != 1 {
		t.Errorf("%d stored", stored)
	}
}

func TestEveryOneOfTwentyRacingChangesCounts(t *testing.T) {
	r, db := open(t)
	p := added(t, r)
	if _, err := r.Change(t.Context(), p, func(p *domain.Payment) ([]contract.Event, error) { return nil, p.Replied(domain.Reply{}, at(0)) }); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			_, err := r.Update(context.Background(), p.ID(), func(p *domain.Payment) ([]contract.Event, error) {
				return event(p), p.Inquired(domain.Reply{}, at(time.Second))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	now, err := r.Get(t.Context(), p.ID())
	if err != nil || now.Snapshot().Attempts != 21 || count(t, db, "outbox") != 20 {
		t.Errorf("%d attempts, %d events, %v", now.Snapshot().Attempts, count(t, db, "outbox"), err)
	}
}

// The answer of the provider comes while the row has been voided: it must meet the row, not what the caller holds.
func TestAHeldPaymentThatMovedOnIsReadAgain(t *testing.T) {
	r, db := open(t)
	held := added(t, r)
	if _, err := r.Update(t.Context(), held.ID(), func(p *domain.Payment) ([]contract.Event, error) { return nil, p.Void("e-1", at(0)) }); err != nil {
		t.Fatal(err)
	}
	runs := 0
	after, err := r.Change(t.Context(), held, func(p *domain.Payment) ([]contract.Event, error) {
		runs++
		return event(p), p.Replied(done(p), at(time.Second))
	})
	if err != nil || after.Status() != domain.Voiding || runs != 2 || held.Status() != domain.Requested {
		t.Errorf("%v %v, %d runs, held is %s", after, err, runs, held.Status())
	}
	if _, open := after.OpenRefund(); !open || count(t, db, "outbox") != 1 || count(t, db, "refunds") != 1 {
		t.Error("the charge is not returned, or not once")
	}
}

func TestAForgottenPaymentIsGone(t *testing.T) {
	r, db := open(t)
	for _, meanwhile := range []bool{false, true} {
		held := added(t, r)
		if meanwhile { // resume took it for crashed
			if _, err := r.Update(t.Context(), held.ID(), func(p *domain.Payment) ([]contract.Event, error) { return nil, p.Replied(domain.Reply{}, at(0)) }); err != nil {
				t.Fatal(err)
			}
		}
		_, err := r.Change(t.Context(), held, func(p *domain.Payment) ([]contract.Event, error) {
			return nil, p.Replied(domain.Reply{Kind: domain.NotSent}, at(0))
		})
		if _, gone := r.Get(t.Context(), held.ID()); err != nil || !errors.Is(gone, domain.ErrNotFound) {
			t.Errorf("%v, %v", err, gone)
		}
	}
	if n := count(t, db, "payments"); n != 0 {
		t.Errorf("%d left", n)
	}
}

func TestStateAndEventsAreStoredTogetherOrNotAtAll(t *testing.T) {
	r, db := open(t)
	p := added(t, r)
	broken := errors.New("broken")
	unstored := func(name string, change func(p *domain.Payment) ([]contract.Event, error)) {
		t.Helper()
		if _, err := r.Update(t.Context(), p.ID(), change); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := r.Change(t.Context(), p, change); err == nil {
			t.Errorf("%s, held: no error", name)
		}
		if now, err := r.Get(t.Context(), p.ID()); err != nil || now.Status() != domain.Requested || count(t, db, "outbox") != 0 {
			t.Errorf("%s: %v %v", name, now, err)
		}
	}
	unstored("rule broken", func(p *domain.Payment) ([]contract.Event, error) {
		_ = p.Replied(done(p), at(0))
		return event(p), broken
	})
	unstored("event that cannot be stored", func(p *domain.Payment) ([]contract.Event, error) {
		e := event(p)
		e[0].Subject = fmt.Sprintf("%0100d", 1)
		return e, p.Replied(done(p), at(0))
	})
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.Update(ctx, p.ID(), func(p *domain.Payment) ([]contract.Event, error) {
		cancel() // the commit fails
		return event(p), p.Replied(done(p), at(0))
	})
	if now, readErr := r.Get(t.Context(), p.ID()); err == nil || readErr != nil || now.Status() != domain.Requested || count(t, db, "outbox") != 0 {
		t.Errorf("failed commit: %v, %v", err, readErr)
	}
	q := payment(t)
	e := event(q)
	e[0].Subject = fmt.Sprintf("%0100d", 1)
	if err := r.Add(t.Context(), q, e); err == nil || count(t, db, "payments") != 1 {
		t.Errorf("added without its event: %v", err)
	}
}

func TestReplicasClaimDifferentPaymentsUntilTheLeaseEnds(t *testing.T) {
	r, db := open(t)
	due := map[domain.PaymentID]int{}
	for range 30 {
		due[added(t, r).ID()] = 0
	}
	if early, err := r.Claim(t.Context(), moment.Now.Add(9*time.Second), 100); err != nil || len(early) != 0 {
		t.Errorf("%d before they are due, %v", len(early), err)
	}
	now := moment.Now.Add(10 * time.Second)
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			for range 5 {
				ids, err := r.Claim(context.Background(), now, 7)
				if err != nil || len(ids) > 7 {
					t.Errorf("%d claimed, %v", len(ids), err)
				}
				mu.Lock()
				for _, id := range ids {
					due[id]++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	for id, times := range due {
		if times != 1 {
			t.Errorf("%s was claimed %d times", id, times)
		}
	}
	if _, err := db.Exec("UPDATE payments SET claimed_until = NOW(6) - INTERVAL 1 MICROSECOND"); err != nil {
		t.Fatal(err)
	}
	if again, err := r.Claim(t.Context(), now, 100); err != nil || len(again) != 30 {
		t.Errorf("%d after the leases ended, %v", len(again), err)
	}
}

func TestOnlyAnOpenPaymentIsHurried(t *testing.T) {
	r, _ := open(t)
	p := added(t, r)
	s := p.Snapshot()
	if due, err := r.Hurry(t.Context(), s.Reservation, s.Purpose, moment.Now); !due || err != nil {
		t.Errorf("requested: %t %v", due, err)
	}
	if _, err := r.Change(t.Context(), p, func(p *domain.Payment) ([]contract.Event, error) { return nil, p.Replied(done(p), at(0)) }); err != nil {
		t.Fatal(err)
	}
	if due, err := r.Hurry(t.Context(), s.Reservation, s.Purpose, moment.Now); due || err != nil {
		t.Errorf("approved: %t %v", due, err)
	}
	if due, err := r.Hurry(t.Context(), domain.ReservationID(newID()), s.Purpose, moment.Now); due || err != nil {
		t.Errorf("unknown: %t %v", due, err)
	}
}
