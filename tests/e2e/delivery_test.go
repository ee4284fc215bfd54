package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// A handler that hangs (here for a row that somebody holds) is given up before the broker thinks that it died and
// gives the event out again: it never runs beside itself, and ends with the dead letters.
func TestAHangingHandlerDoesNotRunBesideItself(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	tx, err := sys.Database(t, "store").Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.Exec("UPDATE items SET hidden = hidden + 1 WHERE product_id = ?", p.ProductID); err != nil {
		t.Fatal(err)
	}
	revise(t, p.ProductID, func(b object) { b["price"] = 900000 }).Is(t, 200)
	given := 0
	stack.Eventually(t, 5*time.Second, "the store has the event", func() error {
		n, unfinished := pending(t, "product", "store")
		if given = n; unfinished == nil {
			return errors.New("not yet")
		}
		return nil
	})
	begun := time.Now()
	stack.Eventually(t, 60*time.Second, "it is given up", func() error {
		n, err := pending(t, "product", "store")
		given = max(given, n)
		return err
	})
	t.Logf("given up after %s", time.Since(begun).Round(100*time.Millisecond))
	if given != 1 {
		t.Errorf("the broker gave the event out %d times at once", given)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	stack.Eventually(t, 20*time.Second, "its dead letter", func() error {
		letters := query(t, sys.Database(t, "store"), "SELECT id, type FROM dead_letters WHERE subject = ?", p.ProductID)
		if len(letters) != 1 {
			return fmt.Errorf("%v", letters)
		}
		return nil
	})
}

// Each service tries by itself what its sidecar has given up, a while later.
func TestWhatASidecarHasGivenUpIsHandledByTheServiceLater(t *testing.T) {
	slow(t)
	subject := newID()
	topics := map[string]string{"product": "reservation", "store": "product", "reservation": "product", "payment": "reservation"}
	for app, topic := range topics {
		_, err := sys.Database(t, app).Exec(`INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload)
			VALUES (?, ?, 't', ?, 'handler failed while its service was healthy', UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE, ?)`,
			app+":"+newID(), topic, subject, `{"id":"x","type":"oneqtour.nobody.unheard-of.v1","data":{}}`)
		if err != nil {
			t.Fatal(err)
		}
	}
	stack.Eventually(t, 30*time.Second, "they are handled", func() error {
		for app := range topics {
			done := query(t, sys.Database(t, app), `SELECT letter, result FROM dead_letter_replays JOIN dead_letters ON id = letter
				WHERE subject = ? AND actor = ? AND result = 'DONE'`, subject, app)
			if len(done) != 1 {
				return fmt.Errorf("%s: %v", app, done)
			}
		}
		return nil
	})
}

// Two revisions arrive in the wrong order: everybody ends on the higher version.
func TestF6_RevisionsOutOfOrderEndOnTheHigher(t *testing.T) {
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	revised := func(version, price int) {
		data := said(t, "product", "oneqtour.product.registered.v1", p.ProductID)
		data["version"], data["price"] = version, price
		data["meta"].(object)["version"] = version
		tell(t, "product", "product", "oneqtour.product.revised.v1", p.ProductID, data)
		heard(t, "product", "store", "reservation", "viewpage")
	}
	revised(3, 900000)
	displayed(t, p.ProductID, func(i item) bool { return i.Version == 3 && i.Price == 900000 })
	revised(2, 850000)
	if i, status := storeItem(t, p.ProductID); status != 200 || i.Version != 3 || i.Price != 900000 {
		t.Errorf("the store shows %d %+v", status, i)
	}
	for _, i := range board(t) {
		if i.ProductID == p.ProductID && i.Version != 3 {
			t.Errorf("the board shows %+v", i)
		}
	}
	body := wish(p, 1, "tok_ok")
	body["expectedPrice"] = 855000
	reserve(t, "customer-1", body).Is(t, 201)
}

// A revision that arrives after the product was discontinued revives it nowhere.
func TestF7_ALateRevisionRevivesNothing(t *testing.T) {
	p := register(t, osaka(20))
	revise(t, p.ProductID, func(b object) { b["price"] = 900000 }).Is(t, 200)
	displayed(t, p.ProductID, func(i item) bool { return i.Version == 2 })
	sys.As(t, "md-1").Do("DELETE", "/api/products/"+p.ProductID, nil).Is(t, 204)
	stack.Eventually(t, 15*time.Second, "it is gone", func() error {
		if _, status := storeItem(t, p.ProductID); status != 404 {
			return fmt.Errorf("%d", status)
		}
		return nil
	})
	late := said(t, "product", "oneqtour.product.revised.v1", p.ProductID)
	for range 3 {
		tell(t, "product", "product", "oneqtour.product.revised.v1", p.ProductID, late)
	}
	heard(t, "product", "store", "reservation", "viewpage")
	if i, status := storeItem(t, p.ProductID); status != 404 {
		t.Errorf("the store shows it again: %d %+v", status, i)
	}
	for _, i := range board(t) {
		if i.ProductID == p.ProductID && i.Version < 3 {
			t.Errorf("the board fell back to %+v", i)
		}
	}
	reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 410, "DISCONTINUED")
}
