package mysql_test

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/replay"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

// What is told once more of reservations and departures is to the byte what their last event has said, with its time.
func TestI7_ReservationsAndDeparturesAreToldAsTheirLastEventDid(t *testing.T) {
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations())
	repo := mysql.NewRepository(db)
	product := domain.TourProduct{ID: domain.ProductID(newID()), Version: 1, Kind: "OVERSEAS", Nights: 2, Price: 1_000_000}
	departure := domain.OpenDeparture(domain.DepartureID(newID()), product.ID, "2027-03-14", 20)
	idle := domain.OpenDeparture(domain.DepartureID(newID()), product.ID, "2027-04-14", 10)
	want := map[string]string{}
	note := func(id string, at time.Time, data any) []outbox.Message {
		e, err := contract.NewEvent(contract.Envelope{ID: newID(), Subject: id, Time: at}, data)
		if err != nil {
			t.Fatal(err)
		}
		want[id] = at.Format(time.RFC3339Nano) + string(e.Data)
		return []outbox.Message{{Topic: contract.TopicReservation, Event: e}}
	}
	counts := func(d *domain.Departure, at time.Time) []outbox.Message {
		return note(string(d.Snapshot().ID), at, contract.DepartureState{Departure: usecase.Totals(d)})
	}
	said := func(r *domain.Reservation, d *domain.Departure, at time.Time) []outbox.Message {
		_ = counts(d, at)
		return note(string(r.Snapshot().ID), at, contract.Reservation{ReservationState: usecase.State(r), History: usecase.History(r.Snapshot().History)})
	}
	err := repo.Follow(t.Context(), product.ID, func(*domain.TourProduct, map[domain.DepartureID]*domain.Departure) (usecase.Followed, error) {
		_ = counts(departure, noon)
		return usecase.Followed{Product: &product, Departures: []*domain.Departure{departure, idle}, Messages: counts(idle, noon)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []domain.ReservationID
	for n := range 5 {
		id, at := domain.ReservationID(newID()), noon.Add(time.Duration(n+1)*time.Minute)
		ids = append(ids, id)
		key := usecase.Key{Subject: "c", Operation: usecase.OperationReserve, Value: string(id)}
		err := repo.Create(t.Context(), usecase.NewReservation{Key: key, ID: id, ClientMade: n%2 > 0, Product: product.ID, Departure: departure.Snapshot().ID},
			func(o usecase.Offer) (*domain.Reservation, usecase.Change, error) {
				r, err := domain.Reserve(domain.Wish{ID: id, Customer: "c", Travellers: 2, Plan: domain.PlanFull, At: at}, o.Product, o.Departure)
				if err != nil {
					return nil, usecase.Change{}, err
				}
				return r, usecase.Change{Messages: said(r, o.Departure, at), Next: at}, nil
			})
		if err != nil {
			t.Fatal(err)
		}
	}
	later := noon.Add(time.Hour)
	err = repo.Update(t.Context(), ids[2], func(r *domain.Reservation, d *domain.Departure) (*usecase.Change, error) {
		err := r.Reject(d, domain.Rejection{Actor: "payment", Cause: domain.CauseWithdrawn, At: later})
		return &usecase.Change{Messages: said(r, d, later)}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, kind := range mysql.Replayed() {
		for after := ""; ; {
			var found []replay.Snapshot
			err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) (err error) {
				found, err = kind.Read(t.Context(), tx, after, 2)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(found) == 0 {
				break
			}
			for _, one := range found {
				raw, err := json.Marshal(one.Data(contract.Meta{}))
				if err != nil || one.ID <= after || one.Version < 1 {
					t.Fatal(one, err)
				}
				got[one.ID], after = one.At.Format(time.RFC3339Nano)+string(raw), one.ID
			}
		}
	}
	for id, says := range want {
		if got[id] != says {
			t.Errorf("%s\n%s\nand its event said\n%s", id, got[id], says)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d told of %d", len(got), len(want))
	}
}
