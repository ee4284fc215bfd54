package e2e

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"oneqtour/tests/stack"
)

type rebuilding struct {
	RebuildID, State, Reason string
	Generation, Making       int
	Owners                   []struct {
		Owner    string
		Heard    int64
		Expected *int64
	}
	LagMillis struct{ Events, P50, P99, Max int64 }
}

func rebuildOf(t testing.TB, method string) rebuilding {
	t.Helper()
	status := map[string]int{"GET": 200, "POST": 202}[method]
	return stack.Read[rebuilding](t, sys.As(t, "operator-1").Do(method, "/api/ops/view/rebuild", nil).Is(t, status))
}

// rebuilt waits until a rebuild has ended well. The view may be away for a while.
func rebuilt(t testing.TB, id string) (r rebuilding) {
	t.Helper()
	stack.Eventually(t, 2*time.Minute, "the rebuild is done", func() error {
		a, err := sys.As(t, "operator-1").Try("GET", "/api/ops/view/rebuild", nil)
		if err != nil || a.Status != 200 {
			return fmt.Errorf("%d %w", a.Status, err)
		}
		if err := json.Unmarshal(a.Body, &r); err != nil {
			return err
		}
		if r.RebuildID != id || r.State != "DONE" {
			return fmt.Errorf("%+v", r)
		}
		return nil
	})
	return r
}

// documents of one generation, without pages of indexes, which may be cut differently. Their members are put in order:
// Dapr writes JSON anew, in an order of its own.
func documents(t testing.TB, generation int) map[string]string {
	t.Helper()
	prefix := fmt.Sprintf("statestore||g%d:", generation)
	found := map[string]string{}
	for _, key := range redis(t, "KEYS", prefix+"*").([]any) {
		name := strings.TrimPrefix(key.(string), prefix)
		switch strings.Split(name, ":")[0] {
		case "product", "totals", "reservation":
			var doc any
			if err := json.Unmarshal([]byte(fmt.Sprint(redis(t, "HGET", key.(string), "data"))), &doc); err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			raw, _ := json.Marshal(doc)
			found[name] = string(raw)
		}
	}
	return found
}

// corrupt changes a stored document and leaves its version as it is.
func corrupt(t testing.TB, key string, change func(string) string) {
	t.Helper()
	was := fmt.Sprint(redis(t, "HGET", key, "data"))
	if wrong := change(was); wrong == was {
		t.Fatalf("%s has nothing to corrupt: %s", key, was)
	} else {
		redis(t, "HSET", key, "data", wrong)
	}
}

// While customers reserve and cancel, the view is made anew and its process killed half-way. Before, one document was
// wrong at its right version, one was gone, and one was of a reservation that never was. After it, each document is
// byte for byte what it was before it broke, or what its owner says by now.
func TestI7_TheViewIsRebuiltWhileItServes(t *testing.T) {
	long(t)
	if stack.Store != "redis" {
		t.Skip("documents are damaged here as Redis keeps them")
	}
	p := register(t, osaka(5000))
	displayed(t, p.ProductID, func(item) bool { return true })
	still := register(t, osaka(20)) // nobody reserves it meanwhile
	displayed(t, still.ProductID, func(item) bool { return true })
	kept := stack.Read[reservation](t, reserve(t, "customer-7", wish(still, 1, "tok_ok")).Is(t, 201))
	seatsAndViewAre(t, still, map[string]int{"CONFIRMED": 1})
	mine := func() map[string]object { return everything(t, "customer-7", "/api/view/mine") }
	if mine()[kept.ReservationID] == nil {
		t.Fatal("not in the view")
	}
	n := rebuildOf(t, "GET").Generation
	whole := documents(t, n)
	untouched := []string{"product:" + still.ProductID, "totals:" + still.ProductID, "reservation:" + kept.ReservationID}
	at := fmt.Sprintf("statestore||g%d:", n)
	ghost := newID()
	corrupt(t, at+untouched[2], func(s string) string { return strings.Replace(s, `"status":"CONFIRMED"`, `"status":"CANCELLED"`, 1) })
	corrupt(t, at+untouched[1], func(s string) string { return strings.Replace(s, `"confirmed":1`, `"confirmed":17`, 1) })
	redis(t, "DEL", at+untouched[0])
	redis(t, "HSET", at+"product:"+ghost, "data", strings.ReplaceAll(whole[untouched[0]], still.ProductID, ghost), "version", "1")
	for _, key := range redis(t, "KEYS", at+"products:newest").([]any) {
		corrupt(t, key.(string), func(s string) string { return strings.ReplaceAll(s, still.ProductID, ghost) })
	}
	if got := mine()[kept.ReservationID]["status"]; got != "CANCELLED" {
		t.Fatalf("the damage is not to be seen: %v", got)
	}

	stop, load := make(chan struct{}), sync.WaitGroup{}
	made := make([]int, 4)
	pace := rate.NewLimiter(8, 1) // reservations a second: the machine has the rebuild to do as well
	for c := range made {
		customer := fmt.Sprintf("customer-%d", c+1)
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if pace.Wait(t.Context()) != nil {
					return
				}
				a := reserve(t, customer, wish(p, 1, "tok_ok"))
				if a.Status != 201 {
					continue
				}
				r := stack.Read[reservation](t, a)
				if made[c]++; made[c]%3 == 0 {
					cancel(t, customer, r.ReservationID, object{})
				}
			}
		})
	}
	stack.Eventually(t, 30*time.Second, "load", func() error {
		if c := len(reservationsOf(t, p)); c < 40 {
			return fmt.Errorf("%d reservations", c)
		}
		return nil
	})
	sys.Pause(t, "reservation")
	defer sys.Continue(t, "reservation") // whatever fails
	r := rebuildOf(t, "POST")
	if again := rebuildOf(t, "POST"); again.RebuildID != r.RebuildID || r.State != "RUNNING" || r.Making <= n {
		t.Errorf("%+v, then %+v", r, again)
	}
	// Half-way: one owner has told everything, the other one nothing.
	stack.Eventually(t, 60*time.Second, "product has told everything", func() error {
		for _, o := range rebuildOf(t, "GET").Owners {
			if o.Owner == "product" && o.Expected != nil && o.Heard == *o.Expected {
				return nil
			}
		}
		return fmt.Errorf("not yet")
	})
	sys.Kill(t, "viewpage")
	sys.Restart(t, "viewpage")
	if r := rebuildOf(t, "GET"); r.State != "RUNNING" || r.Generation != n {
		t.Errorf("half-way: %+v", r)
	}
	sys.Continue(t, "reservation")
	stack.Eventually(t, 60*time.Second, "reservation tells", func() error {
		r := rebuildOf(t, "GET")
		if r.State == "RUNNING" && r.Owners[1].Heard == 0 {
			return fmt.Errorf("%+v", r.Owners)
		}
		return nil
	})
	sys.Kill(t, "viewpage") // and once more, wherever it is by now
	sys.Restart(t, "viewpage")
	done := rebuilt(t, r.RebuildID)
	close(stop)
	load.Wait()
	t.Logf("%+v, %v reservations meanwhile", done, made)

	_, counts := settled(t, p)
	nobodyIsChargedForNothing(t, p)
	seatsAndViewAre(t, p, counts)
	consistent(t, still)
	now := documents(t, done.Generation)
	for _, name := range untouched {
		if now[name] != whole[name] {
			t.Errorf("%s was\n%s\nand is\n%s", name, whole[name], now[name])
		}
	}
	if _, there := now["product:"+ghost]; there {
		t.Error("the ghost is still there")
	}
	for _, i := range board(t) {
		if i.ProductID == ghost {
			t.Error("the ghost is on the board")
		}
	}
	// Everybody reads their own writes, whichever generation is the one that is read.
	next := rebuildOf(t, "POST")
	for over := false; !over; {
		r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201))
		seen := sys.As(t, "customer-1").Do("GET", fmt.Sprintf("/api/view/mine?limit=5&after=%s:%d", r.ReservationID, r.Version), nil).Is(t, 200)
		if !strings.Contains(string(seen.Body), r.ReservationID) {
			t.Errorf("%s is not seen", r.ReservationID)
		}
		over = rebuildOf(t, "GET").State != "RUNNING"
	}
	// With nothing meanwhile, it makes the same documents, all of them.
	settled(t, p)
	customersSeeTheirOwn(t)
	next = rebuilt(t, next.RebuildID)
	second := rebuilt(t, rebuildOf(t, "POST").RebuildID)
	if was, is := documents(t, next.Generation), documents(t, second.Generation); len(is) < 5 || !reflect.DeepEqual(was, is) {
		t.Error("two rebuilds make different documents")
	}
	for _, o := range second.Owners {
		if o.Expected == nil || *o.Expected != o.Heard {
			t.Errorf("%+v", o)
		}
	}
	if lag := rebuildOf(t, "GET").LagMillis; lag.Events == 0 || lag.Max < lag.P99 || lag.P99 < lag.P50 {
		t.Errorf("%+v", lag)
	}
	stack.Eventually(t, 2*time.Minute, "the old generations are removed", func() error {
		for _, old := range []int{n, done.Generation, next.Generation} {
			if left := redis(t, "KEYS", fmt.Sprintf("statestore||g%d:*", old)).([]any); len(left) > 0 {
				return fmt.Errorf("%d keys of generation %d, %v", len(left), old, left[0])
			}
		}
		return nil
	})
}

// `make rebuild-view` shows how far it is, and ends with status 0 when it is done.
func TestI7_MakeRebuildView(t *testing.T) {
	if err := sys.Script("rebuild-view.sh"); err != nil {
		t.Fatal(err)
	}
	if r := rebuildOf(t, "GET"); r.State != "DONE" || len(r.Owners) != 2 {
		t.Errorf("%+v", r)
	}
}

// Only operators, and only by the gateway.
func TestI7_WhoMayRebuild(t *testing.T) {
	for user, status := range map[string]int{"": 401, "customer-1": 403, "md-1": 403} {
		for _, method := range []string{"GET", "POST"} {
			sys.As(t, user).Do(method, "/api/ops/view/rebuild", nil).Is(t, status)
		}
	}
	direct := sys.As(t, "operator-1").At(sys.URL(appPorts["viewpage"]))
	if a := direct.Do("POST", "/ops/rebuild", nil); a.Status < 400 {
		t.Errorf("at the app's own port: %d %s", a.Status, a.Body)
	}
	front := sys.As(t, "").At(sys.URL(3500))
	if a := front.Do("POST", "/v1.0/invoke/viewpage/method/ops/rebuild", nil); a.Status != 401 {
		t.Errorf("without a token at Dapr's front: %d %s", a.Status, a.Body)
	}
	topics := []string{"rebuild", "replay"}
	may := map[string][]string{"viewpage": {"rebuild"}, "product": {"replay"}, "reservation": {"replay"}}
	for app := range appPorts {
		c := sys.As(t, "").At(sys.URL(sidecarPorts[app])).With("dapr-api-token", sys.Env(t, app, "DAPR_API_TOKEN"))
		for _, topic := range topics {
			if !slices.Contains(may[app], topic) {
				refusedByDapr(t, app+" publishes "+topic, c.Do("POST", "/v1.0/publish/pubsub/"+topic, object{}), 403, "ERR_PUBSUB_FORBIDDEN")
			}
		}
	}
}
