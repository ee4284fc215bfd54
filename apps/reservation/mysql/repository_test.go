package mysql_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

var noon = time.Date(2026, 11, 22, 3, 0, 0, 123456000, time.UTC)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

func TestA3_NothingOfAFailedTransactionStays(t *testing.T) {
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations())
	repo := mysql.NewRepository(db)
	product := domain.TourProduct{ID: domain.ProductID(newID()), Version: 1, Kind: "OVERSEAS", Nights: 2, Price: 1_000_000}
	departure := domain.OpenDeparture(domain.DepartureID(newID()), product.ID, "2027-03-14", 20)
	err := repo.Follow(t.Context(), product.ID, func(*domain.TourProduct, map[domain.DepartureID]*domain.Departure) (usecase.Followed, error) {
		return usecase.Followed{Product: &product, Departures: []*domain.Departure{departure}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := func() (n int) {
		if err := db.QueryRow(`SELECT (SELECT COUNT(*) FROM reservations) + (SELECT COUNT(*) FROM idempotency_keys)
			+ (SELECT COUNT(*) FROM outbox) + (SELECT held FROM departures)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	id := domain.ReservationID(newID())
	create := func(key usecase.Key, messages []outbox.Message, after error) error {
		n := usecase.NewReservation{Key: key, ID: id, ClientMade: true, Product: product.ID, Departure: departure.Snapshot().ID}
		return repo.Create(t.Context(), n, func(o usecase.Offer) (*domain.Reservation, usecase.Change, error) {
			w := domain.Wish{ID: id, Customer: "c", Travellers: 2, Plan: domain.PlanFull, At: noon}
			if o.Earlier != nil {
				return nil, usecase.Change{}, errors.Join(o.Earlier.Reopen(w, o.Product, o.Departure), after)
			}
			r, err := domain.Reserve(w, o.Product, o.Departure)
			return r, usecase.Change{Messages: messages, Next: noon}, errors.Join(err, after)
		})
	}
	key := usecase.Key{Subject: "c", Operation: usecase.OperationReserve, Value: "k"}
	boom := errors.New("boom")
	if err := create(key, nil, boom); !errors.Is(err, boom) || rows() != 0 {
		t.Errorf("a refusal of the rule left %d rows (%v)", rows(), err)
	}
	// The last statement of the transaction fails: two events with one id.
	e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Type: "x", Subject: "s", Time: noon}, struct{}{})
	twice := []outbox.Message{{Topic: "t", Event: e}, {Topic: "t", Event: e}}
	if err := create(key, twice, nil); err == nil || rows() != 0 {
		t.Errorf("a failed last statement left %d rows (%v)", rows(), err)
	}
	if err := create(key, twice[:1], nil); err != nil || rows() != 5 {
		t.Fatalf("%d rows, %v", rows(), err)
	}
	if err := create(key, nil, nil); !errors.Is(err, usecase.ErrKeyKnown) {
		t.Errorf("the same key: %v", err)
	}
	key.Value = "k2"
	if err := create(key, nil, nil); fault.CodeOf(err) != fault.IDTaken || rows() != 5 {
		t.Errorf("the same id: %v, %d rows", err, rows())
	}
	found, err := repo.Find(t.Context(), id)
	if err != nil || found.Snapshot().CreatedAt != noon || found.Snapshot().History[0].At != noon {
		t.Errorf("%+v %v", found, err)
	}
}

// A commit whose connection is gone must not look like a success.
func TestDefect11_AFailedCommitIsAnError(t *testing.T) {
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations())
	repo := mysql.NewRepository(db)
	product := domain.TourProduct{ID: domain.ProductID(newID()), Version: 1, Kind: "OVERSEAS", Price: 1_000_000}
	err := repo.Follow(t.Context(), product.ID, func(*domain.TourProduct, map[domain.DepartureID]*domain.Departure) (usecase.Followed, error) {
		// The connection of this transaction is the only busy one.
		var id int64
		if err := db.QueryRow("SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID() ORDER BY id DESC LIMIT 1").Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("KILL ?", id); err != nil {
			t.Fatal(err)
		}
		return usecase.Followed{Product: &product}, nil
	})
	if err == nil {
		t.Fatal("the transaction of a killed connection reported success")
	}
	var n int
	if err := db.QueryRow("SELECT COUNT(*) FROM products").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d products after the failure: %v", n, err)
	}
}
