package e2e

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
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
