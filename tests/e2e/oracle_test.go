package e2e

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/tests/stack"
)

type row struct{ id, status string }

func reservationsOf(t testing.TB, p product) []row {
	t.Helper()
	return query(t, sys.Database(t, "reservation"), "SELECT id, status FROM reservations WHERE departure_id = ?", p.Departures[0].DepartureID)
}

func query(t testing.TB, db *sql.DB, q string, args ...any) []row {
	t.Helper()
	rows, err := db.Query(q, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.status); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// calm waits after a fault until news of a product reaches everybody again. A subscription that was stopped takes
// the next event of its topic with it, and Redis gives that one out again after 11 s.
func calm(t *testing.T) {
	t.Helper()
	for range 2 { // the one that may be late, and one that is not
		p := register(t, osaka(20))
		displayed(t, p.ProductID, func(item) bool { return true })
		stack.Eventually(t, 15*time.Second, "a new product can be reserved", func() error {
			if a := reserve(t, "customer-1", wish(p, 1, "tok_ok")); a.Status != 201 {
				return fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return nil
		})
		displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 1 })
	}
}

// consistent waits until nothing of the product is unsettled and proves that reservations, provider, seats,
// view and inbox say the same.
func consistent(t *testing.T, p product) {
	t.Helper()
	rows, counts := settled(t, p)
	t.Logf("%d reservations: %v", len(rows), counts)
	nobodyIsChargedForNothing(t, p)
	seatsAndViewAre(t, p, counts)
	customersSeeTheirOwn(t)
	inboxIsTheHistories(t, p)
}

// settled waits until nothing of the product is on its way, and counts its reservations by status.
func settled(t *testing.T, p product) ([]row, map[string]int) {
	t.Helper()
	stack.Eventually(t, 40*time.Second, "everything is settled", func() error {
		for _, r := range reservationsOf(t, p) {
			if r.status == "PENDING" || r.status == "CANCEL_REQUESTED" {
				return fmt.Errorf("%s is %s", r.id, r.status)
			}
		}
		return nil
	})
	rows, counts := reservationsOf(t, p), map[string]int{}
	for _, r := range rows {
		counts[r.status]++
	}
	return rows, counts
}

// customersSeeTheirOwn waits until the view shows each customer what reservation says.
func customersSeeTheirOwn(t *testing.T) {
	t.Helper()
	for i := range 9 {
		customer := fmt.Sprintf("customer-%d", 1+i)
		stack.Eventually(t, 20*time.Second, "the view of "+customer+" equals the owner's word", func() error {
			owner, view := everything(t, customer, "/api/reservations"), everything(t, customer, "/api/view/mine")
			for id, want := range owner {
				if !reflect.DeepEqual(view[id], want) {
					return fmt.Errorf("owner %v, view %v", want, view[id])
				}
			}
			if len(owner) != len(view) {
				return fmt.Errorf("%d reservations, %d in the view", len(owner), len(view))
			}
			return nil
		})
	}
}

// inboxIsTheHistories waits until the MD's inbox has every line of the reservations' histories but the first, once.
func inboxIsTheHistories(t testing.TB, p product) {
	t.Helper()
	want := map[string]int{}
	for _, r := range query(t, sys.Database(t, "reservation"), "SELECT id, document FROM reservations WHERE departure_id = ?", p.Departures[0].DepartureID) {
		var doc struct{ History []struct{ From, To string } }
		if err := json.Unmarshal([]byte(r.status), &doc); err != nil {
			t.Fatal(err)
		}
		for _, h := range doc.History {
			if h.From != "" {
				want[r.id+" "+h.To]++
			}
		}
	}
	stack.Eventually(t, 20*time.Second, "the inbox equals the histories", func() error {
		got := map[string]int{}
		for _, n := range inbox(t) {
			if n.ProductID == p.ProductID {
				got[n.ReservationID+" "+n.Status]++
			}
		}
		for change, n := range want {
			if got[change] != n {
				return fmt.Errorf("%s is noticed %d times, not %d", change, got[change], n)
			}
		}
		if len(got) != len(want) {
			return fmt.Errorf("%d changes are noticed, %d were made", len(got), len(want))
		}
		return nil
	})
}

// nobodyIsChargedForNothing compares the whole ledger since the product was registered, whatever it names, with
// the reservations: a charge stands for what a confirmed one owes, or for the fee of a cancelled one; else it was
// returned. And what is confirmed is paid, once.
func nobodyIsChargedForNothing(t *testing.T, p product) {
	t.Helper()
	sec, nsec := uuid.MustParse(p.ProductID).Time().UnixTime() // an id of version 7 begins with its time
	since := time.Unix(sec, nsec)
	stack.Eventually(t, 20*time.Second, "the provider's ledger", func() error {
		net, charges := map[string]int64{}, map[string]int{}
		for _, e := range ledger(t) {
			id := e.OrderID[:36]
			if e.Kind == "CHARGE" && !e.At.Before(since) {
				charges[id]++
				net[id] += e.Amount
			} else if charges[id] > 0 {
				net[id] -= e.Amount
			}
		}
		for _, r := range query(t, sys.Database(t, "reservation"), "SELECT id, document FROM reservations WHERE created_at >= ?", since.UTC()) {
			var doc struct {
				Status       string
				DueNow       int64
				Cancellation *struct{ Refund int64 }
			}
			if err := json.Unmarshal([]byte(r.status), &doc); err != nil {
				return err
			}
			due := int64(0)
			switch doc.Status {
			case "CONFIRMED", "COMPLETED":
				due = doc.DueNow
			case "CANCELLED":
				due = doc.DueNow - doc.Cancellation.Refund
			}
			if net[r.id] != due || charges[r.id] > 1 {
				return fmt.Errorf("%s is %s: %d charges, %d won stand and %d are due", r.id, doc.Status, charges[r.id], net[r.id], due)
			}
			delete(net, r.id)
		}
		for id, amount := range net {
			if amount != 0 {
				return fmt.Errorf("%d won stand for %s, which is no reservation", amount, id)
			}
		}
		return nil
	})
}

func seatsAndViewAre(t *testing.T, p product, counts map[string]int) {
	t.Helper()
	var held, taken int
	if err := sys.Database(t, "reservation").QueryRow("SELECT held, confirmed FROM departures WHERE id = ?", p.Departures[0].DepartureID).Scan(&held, &taken); err != nil {
		t.Fatal(err)
	}
	if held != 0 || taken != counts["CONFIRMED"] {
		t.Errorf("held %d, confirmed %d seats", held, taken)
	}
	stack.Eventually(t, 20*time.Second, "the view equals the owners", func() error {
		for _, i := range board(t) {
			if i.ProductID == p.ProductID {
				if i.Reservations["CONFIRMED"] != counts["CONFIRMED"] || i.Reservations["REJECTED"] != counts["REJECTED"] ||
					i.Reservations["CANCELLED"] != counts["CANCELLED"] || i.Departures[0].Confirmed != taken {
					return fmt.Errorf("%+v, want %v", i, counts)
				}
				return nil
			}
		}
		return fmt.Errorf("not on the board")
	})
}

// everything is all pages of a list of reservations, by id.
func everything(t testing.TB, customer, path string) map[string]object {
	t.Helper()
	all, cursor := map[string]object{}, ""
	for {
		page := stack.Read[struct {
			Items      []object
			NextCursor *string
		}](t, sys.As(t, customer).Do("GET", path+"?limit=100&cursor="+cursor, nil).Is(t, 200))
		for _, r := range page.Items {
			all[r["reservationId"].(string)] = r
		}
		if page.NextCursor == nil {
			return all
		}
		cursor = *page.NextCursor
	}
}

type boardItem struct {
	ProductID    string
	Version      int64
	Reservations map[string]int
	Departures   []struct{ Held, Confirmed int }
}

// board is the first page: the newest hundred products.
func board(t testing.TB) []boardItem {
	t.Helper()
	return stack.Read[struct{ Items []boardItem }](t, sys.As(t, "").Do("GET", "/api/view/board?limit=100", nil).Is(t, 200)).Items
}

// deadLetters counts what each app has given up so far, its own databases asked; the view tells an operator.
func deadLetters(t testing.TB) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for app := range appPorts {
		if app != "viewpage" {
			counts[app] = rows(t, sys.Database(t, app), "dead_letters")
		}
	}
	for cursor := ""; ; {
		page := stack.Read[struct {
			Items       []struct{ App string }
			Unreachable []string
			NextCursor  *string
		}](t, sys.As(t, "operator-1").Do("GET", "/api/ops/dead-letters?all=true&limit=100&cursor="+cursor, nil).Is(t, 200))
		if len(page.Unreachable) > 0 {
			t.Fatalf("no letters of %v", page.Unreachable)
		}
		for _, letter := range page.Items {
			if letter.App == "viewpage" {
				counts["viewpage"]++
			}
		}
		if page.NextCursor == nil {
			return counts
		}
		cursor = *page.NextCursor
	}
}
