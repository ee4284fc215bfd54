package e2e

import (
	"database/sql"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

func TestOneKeyOneReservationOneCharge(t *testing.T) {
	p := register(t, osaka(100))
	displayed(t, p.ProductID, func(item) bool { return true })
	key := newID()
	ids := sync.Map{}
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			a := sys.As(t, "customer-1").With("Idempotency-Key", key).Do("POST", "/api/reservations", wish(p, 1, "tok_ok"))
			switch a.Status {
			case 201:
				ids.Store(stack.Read[reservation](t, a).ReservationID, true)
			case 409:
				if a.Code() != "IDEMPOTENCY_IN_PROGRESS" || a.Header.Get("Retry-After") == "" {
					t.Errorf("%s", a.Body)
				}
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	n, id := 0, ""
	ids.Range(func(k, _ any) bool { n++; id = k.(string); return true })
	if n != 1 {
		t.Fatalf("%d reservations", n)
	}
	charges := 0
	for _, e := range ledger(t) {
		if strings.HasPrefix(e.OrderID, id) {
			charges++
		}
	}
	again := sys.As(t, "customer-1").With("Idempotency-Key", key).Do("POST", "/api/reservations", wish(p, 1, "tok_ok")).Is(t, 201)
	if charges != 1 || again.Header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%d charges, replayed %q", charges, again.Header.Get("Idempotent-Replayed"))
	}
	sys.As(t, "customer-1").With("Idempotency-Key", key).Do("POST", "/api/reservations", wish(p, 2, "tok_ok")).Is(t, 422, "IDEMPOTENCY_KEY_REUSED")
	if own := sys.As(t, "customer-2").With("Idempotency-Key", key).Do("POST", "/api/reservations", wish(p, 1, "tok_ok")).Is(t, 201); strings.Contains(string(own.Body), id) {
		t.Error("a key was shared between customers")
	}
}

func TestThreeHundredCustomersTwentySeats(t *testing.T) {
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	for i := range 300 {
		sys.Token(t, fmt.Sprintf("customer-%d", 100+i))
	}
	var confirmed, soldOut atomic.Int64
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			a := reserve(t, fmt.Sprintf("customer-%d", 100+i), wish(p, 1, "tok_ok"))
			switch {
			case a.Status == 201:
				confirmed.Add(1)
			case a.Status == 409 && a.Code() == "SOLD_OUT":
				soldOut.Add(1)
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if confirmed.Load() != 20 || soldOut.Load() != 280 {
		t.Errorf("%d confirmed, %d sold out", confirmed.Load(), soldOut.Load())
	}
	charged := 0
	for _, r := range reservationsOf(t, p) {
		if c, returned := money(t, r.id); c != returned {
			charged++
			if r.status != "CONFIRMED" {
				t.Errorf("%s is charged and %s", r.id, r.status)
			}
		}
	}
	if charged != 20 {
		t.Errorf("%d charged", charged)
	}
}

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

// The answer of the provider is lost although it charged: nobody is told a lie, and it is settled in 30 s.
func TestN1_ALostAnswerIsPendingThenSettled(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	for token, want := range map[string]string{"tok_lost": "CONFIRMED", "tok_unknown": "REJECTED", "tok_slow": "CONFIRMED", "tok_error": "REJECTED"} {
		t.Run(token, func(t *testing.T) {
			a := reserve(t, "customer-1", wish(p, 1, token)).Is(t, 202)
			if a.Header.Get("Retry-After") == "" || a.Header.Get("Location") == "" {
				t.Errorf("%v", a.Header)
			}
			r := stack.Read[reservation](t, a)
			settled := becomes(t, "customer-1", r.ReservationID, 30*time.Second, "CONFIRMED", "REJECTED")
			if settled.Status != want {
				t.Errorf("%s", settled.Status)
			}
			due := int64(0)
			if settled.Status == "CONFIRMED" {
				due = 760000
			}
			stack.Eventually(t, 10*time.Second, "the ledger", func() error {
				if charged, returned := money(t, r.ReservationID); charged-returned != due {
					return fmt.Errorf("charged %d, returned %d", charged, returned)
				}
				return nil
			})
		})
	}
}

func TestN2_ReservingWorksWithoutProductAndStore(t *testing.T) {
	slow(t)
	p := register(t, osaka(100))
	displayed(t, p.ProductID, func(item) bool { return true })
	for _, app := range []string{"product", "store", "viewpage"} {
		sys.Kill(t, app)
	}
	for range 20 {
		reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201)
	}
	for _, app := range []string{"product", "store", "viewpage"} {
		sys.Restart(t, app)
	}
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 20 })
	consistent(t, p)
	calm(t)
}

// kill -9 of each service in the middle of 200 reservations: nobody is charged without a reservation, none is
// established without a charge, and the view catches up.
func TestN1_KillingAnyServiceLosesNothing(t *testing.T) {
	slow(t)
	for _, app := range []string{"payment", "reservation", "viewpage", "store", "product", "gateway"} {
		t.Run(app, func(t *testing.T) {
			p := register(t, osaka(1000))
			displayed(t, p.ProductID, func(item) bool { return true })
			var done atomic.Int64
			var wg sync.WaitGroup
			for worker := range 10 {
				wg.Go(func() {
					for range 20 {
						// Any answer may come, or none; what counts is what is true in the end.
						_, _ = sys.As(t, fmt.Sprintf("customer-%d", 1+worker%9)).With("Idempotency-Key", newID()).
							Try("POST", "/api/reservations", wish(p, 1, "tok_ok"))
						done.Add(1)
					}
				})
			}
			stack.Eventually(t, 60*time.Second, "half of the reservations", func() error {
				if n := done.Load(); n < 60 {
					return fmt.Errorf("%d", n)
				}
				return nil
			})
			sys.Kill(t, app)
			sys.Restart(t, app)
			wg.Wait()
			consistent(t, p)
			calm(t)
		})
	}
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
	stack.Eventually(t, 40*time.Second, "everything is settled", func() error {
		for _, r := range reservationsOf(t, p) {
			if r.status == "PENDING" || r.status == "CANCEL_REQUESTED" {
				return fmt.Errorf("%s is %s", r.id, r.status)
			}
		}
		return nil
	})
	rows := reservationsOf(t, p)
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.status]++
	}
	t.Logf("%d reservations: %v", len(rows), counts)
	stack.Eventually(t, 15*time.Second, "the provider's ledger", func() error {
		net := map[string]int64{}
		for _, e := range ledger(t) {
			if e.Kind == "CHARGE" {
				net[e.OrderID[:36]] += e.Amount
			} else {
				net[e.OrderID[:36]] -= e.Amount
			}
		}
		for _, r := range rows {
			want := int64(0)
			if r.status == "CONFIRMED" {
				want = 760000
			}
			if net[r.id] != want {
				return fmt.Errorf("%s is %s and %d won are charged", r.id, r.status, net[r.id])
			}
		}
		return nil
	})
	var held, taken int
	if err := sys.Database(t, "reservation").QueryRow("SELECT held, confirmed FROM departures WHERE id = ?", p.Departures[0].DepartureID).Scan(&held, &taken); err != nil {
		t.Fatal(err)
	}
	if held != 0 || taken != counts["CONFIRMED"] {
		t.Errorf("held %d, confirmed %d seats", held, taken)
	}
	stack.Eventually(t, 10*time.Second, "the view equals the owners", func() error {
		for _, i := range board(t) {
			if i.ProductID == p.ProductID {
				if i.Reservations["CONFIRMED"] != counts["CONFIRMED"] || i.Reservations["REJECTED"] != counts["REJECTED"] || i.Departures[0].Confirmed != taken {
					return fmt.Errorf("%+v, want %v", i, counts)
				}
				return nil
			}
		}
		return fmt.Errorf("not on the board")
	})
	for _, customer := range []string{"customer-1", "customer-2"} {
		stack.Eventually(t, 10*time.Second, "the view of "+customer+" equals the owner's word", func() error {
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
	stack.Eventually(t, 10*time.Second, "the inbox equals the histories", func() error {
		got := map[string]int{}
		for _, n := range inbox(t) {
			got[n.ReservationID]++
		}
		for _, r := range rows {
			if got[r.id] != 1 { // one transition after PENDING
				return fmt.Errorf("%s has %d notices", r.id, got[r.id])
			}
		}
		return nil
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
	Reservations map[string]int
	Departures   []struct{ Held, Confirmed int }
}

// board is the first page: the newest hundred products.
func board(t testing.TB) []boardItem {
	t.Helper()
	return stack.Read[struct{ Items []boardItem }](t, sys.As(t, "").Do("GET", "/api/view/board?limit=100", nil).Is(t, 200)).Items
}

// The database is away for 20 s while people reserve: nothing is lost, and what was committed before and
// meanwhile unsettled is delivered within 15 s after it is back.
func TestI5_TheDatabaseAwayForTwentySeconds(t *testing.T) {
	slow(t)
	p := register(t, osaka(1000))
	displayed(t, p.ProductID, func(item) bool { return true })
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for worker := range 6 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(50 * time.Millisecond):
				}
				_, _ = sys.As(t, fmt.Sprintf("customer-%d", 1+worker)).With("Idempotency-Key", newID()).
					Try("POST", "/api/reservations", wish(p, 1, "tok_ok"))
			}
		})
	}
	stack.Eventually(t, 30*time.Second, "some reservations", func() error {
		if n := len(reservationsOf(t, p)); n < 30 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	sys.Kill(t, "mariadb")
	<-time.After(20 * time.Second) // the length of the outage is what is tested
	close(stop)
	wg.Wait()
	sys.Server(t, "start", "mariadb")
	back := time.Now()
	stack.Eventually(t, 30*time.Second, "reserving works again", func() error {
		if a := reserve(t, "customer-1", wish(p, 1, "tok_ok")); a.Status != 201 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	consistent(t, p)
	t.Logf("everything delivered and settled %s after the database was back", time.Since(back).Round(time.Second))
	for app := range appPorts {
		if app == "viewpage" {
			continue
		}
		if n := rows(t, sys.Database(t, app), "dead_letters"); n != 0 {
			t.Errorf("%s has %d dead letters", app, n)
		}
	}
	calm(t)
}

// An event that cannot be read is kept with its reason, also when the place for it is away for a while, and does
// not hold up the others.
func TestDeadLettersAreKept(t *testing.T) {
	slow(t)
	store, id := sys.Database(t, "store"), newID()
	publish := sys.As(t, "").At(sys.URL(sidecarPorts["product"])).With("dapr-api-token", sys.Env(t, "product", "DAPR_API_TOKEN")).
		With("Content-Type", "application/cloudevents+json")
	statement(t, store, "RENAME TABLE dead_letters TO dead_letters_away")
	publish.Do("POST", "/v1.0/publish/pubsub/product", object{"specversion": "1.0", "id": id, "source": "product", "type": "oneqtour.product.revised.v1",
		"subject": "x", "time": time.Now().UTC(), "datacontenttype": "application/json", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
		"traceid": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "data": "no product"}).Is(t, 204)
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	<-time.After(8 * time.Second) // longer than one delivery with all its retries
	statement(t, store, "RENAME TABLE dead_letters_away TO dead_letters")
	for _, app := range []string{"store", "reservation"} {
		stack.Eventually(t, 30*time.Second, "the dead letter of "+app, func() error {
			var reason, payload string
			err := sys.Database(t, app).QueryRow("SELECT reason, payload FROM dead_letters WHERE id = ?", app+":"+id).Scan(&reason, &payload)
			if err == nil && (reason == "" || !strings.Contains(payload, "no product")) {
				err = fmt.Errorf("%s: %s", reason, payload)
			}
			return err
		})
	}
}

func statement(t testing.TB, db *sql.DB, query string) {
	t.Helper()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}
