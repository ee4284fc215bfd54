package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// The sidecars run with the broker and the store that were chosen, and with nothing else of these kinds.
func TestI4_BrokerAndStoreAreTheChosenOnes(t *testing.T) {
	loaded := regexp.MustCompile(`[Cc]omponent loaded[^"]*?((?:pubsub|state)\.[a-z]+)/v`)
	for app := range appPorts {
		log, err := os.ReadFile(filepath.Join(sys.Dir, "logs", app+".daprd.log"))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for _, found := range loaded.FindAllSubmatch(log, -1) {
			got[string(found[1])] = true
		}
		want := map[string]bool{"pubsub." + stack.Broker: true}
		if app == "viewpage" {
			want["state."+stack.Store] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("the sidecar of %s loaded %v, want %v", app, got, want)
		}
	}
}

// A service that is killed and back at once, and one whose sidecar is, hears what is said afterwards.
func TestI4_HearsAgainAfterAQuickRestart(t *testing.T) {
	for _, name := range []string{"store", "store.daprd", "store", "viewpage"} {
		sys.Kill(t, name)
		sys.Restart(t, name)
		p := register(t, osaka(20))
		stack.Eventually(t, 30*time.Second, "the product is shown after the restart of "+name, func() error {
			if _, status := storeItem(t, p.ProductID); status != 200 {
				return fmt.Errorf("the store answers %d", status)
			}
			for _, i := range board(t) {
				if i.ProductID == p.ProductID {
					return nil
				}
			}
			return errors.New("not on the board")
		})
	}
}

// The running system moves to another broker while people reserve: nobody is told that we are broken, and no event
// is lost, neither one from before nor one from meanwhile.
func TestI4_TheBrokerIsSwitchedUnderLoad(t *testing.T) {
	to := os.Getenv("ONEQ_TEST_SWITCH_TO")
	if to == "" {
		t.Skip("make test-matrix has it, with a system of its own")
	}
	p := register(t, osaka(10000))
	displayed(t, p.ProductID, func(item) bool { return true })
	people := reserving(t, p, 4)
	people.areConfirmed(t, 30)
	said, err := sys.Say("switch.sh", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(said)
	stack.Broker = to
	people.mu.Lock()
	confirmed := people.answers[201]
	people.mu.Unlock()
	people.areConfirmed(t, confirmed+30)
	answers := people.goHome()
	t.Logf("answers: %v", answers)
	if answers[500] != 0 {
		t.Errorf("%d were told that we are broken", answers[500])
	}
	people.haveWhatTheyHeard(t)
	consistent(t, p)
	calm(t)
	for _, app := range []string{"product", "reservation", "payment"} {
		if n := rows(t, sys.Database(t, app), "outbox"); n != 0 {
			t.Errorf("%d events of %s wait in its outbox", n, app)
		}
	}
}

// The view moves to another kind of store by a restart and a rebuild alone: the new store is empty, and what it then shows
// is what the old one showed.
func TestI4_I7_TheStoreIsSwitchedByARebuild(t *testing.T) {
	to := os.Getenv("ONEQ_TEST_STORE_TO")
	if to == "" {
		t.Skip("make test-matrix has it, with a system of its own")
	}
	p := register(t, osaka(100))
	displayed(t, p.ProductID, func(item) bool { return true })
	for n := range 60 { // more than one page of an index
		r := stack.Read[reservation](t, reserve(t, "customer-7", wish(p, 1, "tok_ok")).Is(t, 201))
		if n%10 == 0 {
			sys.As(t, "customer-7").With("Idempotency-Key", newID()).Do("POST", "/api/reservations/"+r.ReservationID+"/cancellation", object{}).Is(t, 202)
		}
	}
	seatsAndViewAre(t, p, map[string]int{"CONFIRMED": 54, "CANCELLED": 6})
	shown := func() (object, map[string]object) {
		for _, i := range stack.Read[struct{ Items []object }](t, sys.As(t, "").Do("GET", "/api/view/board?limit=100", nil).Is(t, 200)).Items {
			if i["productId"] == p.ProductID {
				return i, everything(t, "customer-7", "/api/view/mine")
			}
		}
		return nil, everything(t, "customer-7", "/api/view/mine")
	}
	item, mine := shown()

	if err := errors.Join(listener.Stop(), sys.Stop()); err != nil {
		t.Fatal(err)
	}
	stack.Store = to
	var err error
	if sys, err = stack.Start(); err != nil {
		t.Fatal(err)
	}
	if listener, err = sys.Listen("product", "reservation", "payment"); err != nil {
		t.Fatal(err)
	}
	if i, m := shown(); i != nil || len(m) > 0 {
		t.Errorf("the new store holds something: %v, %d reservations", i, len(m))
	}
	said, err := sys.Say("rebuild-view.sh")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(said)
	nowItem, nowMine := shown()
	if !reflect.DeepEqual(nowItem, item) {
		t.Errorf("the board shows %v, and showed %v", nowItem, item)
	}
	if len(mine) != 60 || !reflect.DeepEqual(nowMine, mine) {
		t.Errorf("%d reservations, and there were %d", len(nowMine), len(mine))
	}
	consistent(t, p)
}
