package mysql

import (
	"database/sql"
	"encoding/json"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/replay"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

// What is told once more is to the byte what the last event of each product has said, with its time; a product from
// before the column has the time at which it was registered.
func TestI7_AProductIsToldAsItsLastEventDid(t *testing.T) {
	db := open(t)
	r := NewProducts(db)
	want := map[string]string{}
	told := func(p *domain.TourProduct, at time.Time) contract.Event {
		state := usecase.PublicState(p)
		e, err := contract.NewEvent(contract.Envelope{ID: newID(), Type: contract.ProductRevised, Subject: string(p.ID()), Time: at}, state)
		if err != nil {
			t.Fatal(err)
		}
		want[e.Subject] = at.Format(time.RFC3339Nano) + string(e.Data)
		return e
	}
	var last domain.ProductID
	for n := range 5 {
		p := aProduct(t, "md-1")
		last = p.ID()
		if err := r.Add(t.Context(), p, told(p, now)); err != nil {
			t.Fatal(err)
		}
		if n%2 > 0 {
			continue
		}
		err := r.Update(t.Context(), p.ID(), func(p *domain.TourProduct) (*contract.Event, error) {
			_, err := p.CloseDeparture(p.Snapshot().Departures[0].ID, domain.ForceMajeure, "태풍", now)
			e := told(p, now.Add(time.Duration(n+1)*time.Hour))
			return &e, err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old := aProduct(t, "md-1")
	if err := r.Add(t.Context(), old, told(old, now)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("UPDATE products SET changed_at = NULL WHERE product_id = ?", old.ID()); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for after := ""; ; {
		var found []replay.Snapshot
		err := mysqldb.InTx(t.Context(), db, func(tx *sql.Tx) (err error) {
			found, err = Replayed().Read(t.Context(), tx, after, 4)
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
	for id, says := range want {
		if got[id] != says {
			t.Errorf("%s (the last one is %s)\n%s\nand its event said\n%s", id, last, got[id], says)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d told of %d", len(got), len(want))
	}
}
