package e2e

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// Three replicas of the services that reserving meets. Services and sidecars are killed while people reserve and cancel,
// so that what they had taken comes again; and twice the broker is told that nobody has heard anything yet. At the end
// each effect is there exactly once.
func TestI6_ThreeReplicasAndEveryEventAgainAndAgain(t *testing.T) {
	long(t)
	if stack.Broker != "redis" {
		t.Skip("only Redis is told here to give every event again")
	}
	scaled(t, 3, "reservation", "payment", "store", "viewpage")
	p := register(t, osaka(10000))
	displayed(t, p.ProductID, func(item) bool { return true })
	begun := lastOf(t, "product", "reservation", "payment")

	people := reserving(t, p, 4)
	people.cancelOneIn(2)
	more := func(n int) { people.areConfirmed(t, people.answered(201)+n) }
	more(30)
	dead(t, []string{"reservation-2", "payment", "store-3", "viewpage"}, func() { more(20) })
	dead(t, []string{"reservation-3.daprd", "payment-2.daprd", "store.daprd", "viewpage-2.daprd"}, func() { more(10) })
	again(t, begun)
	for eventsAfter(t, begun) < 1000 {
		more(20)
	}
	answers := people.goHome()
	t.Logf("answers %v, %d events", answers, eventsAfter(t, begun))

	allSettled(t, p)
	again(t, begun)
	heard(t, "product", "store", "reservation", "viewpage")
	heard(t, "reservation", "product", "store", "payment", "viewpage")
	heard(t, "payment", "reservation")
	allSettled(t, p)
	people.haveWhatTheyHeard(t)
	consistent(t, p)
	confirmed := 0
	for _, r := range reservationsOf(t, p) {
		if r.status == "CONFIRMED" {
			confirmed++
		}
	}
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == confirmed && i.Departures[0].SeatsLeft == 10000-confirmed })
}

// K4: payment moves to another port: nobody else is told, and reserving is one call of reservation's sidecar to it.
func TestK4_PaymentMovesToAnotherPort(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	scaled(t, 2, "payment")
	t.Cleanup(func() { sys.Restart(t, "payment") }) // before the second one leaves
	sys.End(t, "payment")
	sys.End(t, "payment.daprd")

	var r reservation
	stack.Eventually(t, 30*time.Second, "reserving works", func() error {
		before := calls(t, "reservation", "payment")
		a := reserve(t, "customer-1", wish(p, 1, "tok_ok"))
		if a.Status != 201 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		if n := calls(t, "reservation", "payment") - before; n != 1 {
			t.Errorf("it took %d calls", n)
		}
		r = stack.Read[reservation](t, a)
		return nil
	})
	if n := charges(t, r.ReservationID); n != 1 {
		t.Errorf("charged %d times", n)
	}
	steps := query(t, sys.Database(t, "payment"), "SELECT kind, status FROM payment_steps WHERE reservation_id = ?", r.ReservationID)
	if fmt.Sprint(steps) != "[{PAYMENT APPROVED}]" {
		t.Errorf("payment did %v", steps)
	}
}

// scaled lets so many replicas of some services run until the test ends.
func scaled(t *testing.T, n int, apps ...string) {
	t.Helper()
	scale := func(n int) error {
		return atOnce(apps, func(app string) error { return sys.Script("scale.sh", app, strconv.Itoa(n)) })
	}
	t.Cleanup(func() {
		if err := scale(1); err != nil {
			t.Error(err)
		}
		for range n - 1 { // each reader that leaves may take an event with it
			calm(t)
		}
	})
	if err := scale(n); err != nil {
		t.Fatal(err)
	}
}

func atOnce(names []string, do func(name string) error) error {
	all := make([]error, len(names))
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { all[i] = do(name) })
	}
	wg.Wait()
	return errors.Join(all...)
}

// dead kills services or sidecars with -9, and starts them again when something has happened meanwhile.
func dead(t *testing.T, names []string, meanwhile func()) {
	t.Helper()
	defer func() {
		if err := atOnce(names, func(name string) error { return sys.Script("restart.sh", name) }); err != nil {
			t.Error(err)
		}
	}()
	for _, name := range names {
		sys.Kill(t, name)
	}
	meanwhile()
}

// lastOf is the id of the last event of some topics; 0 where there was none.
func lastOf(t testing.TB, topics ...string) map[string]string {
	t.Helper()
	last := map[string]string{}
	for _, topic := range topics {
		last[topic] = "0"
		for _, entry := range redis(t, "XREVRANGE", topic, "+", "-", "COUNT", "1").([]any) {
			last[topic] = entry.([]any)[0].(string)
		}
	}
	return last
}

// eventsAfter counts those that came later.
func eventsAfter(t testing.TB, last map[string]string) (n int) {
	t.Helper()
	for topic, id := range last {
		n += len(redis(t, "XRANGE", topic, "("+id, "+").([]any))
	}
	return n
}

// again lets the broker give everybody, once more, every event after some points of its topics. Who waits for news at a
// topic is woken only by news, and looks then where it stands.
func again(t testing.TB, after map[string]string) {
	t.Helper()
	for topic, id := range after {
		for _, group := range redis(t, "XINFO", "GROUPS", topic).([]any) {
			redis(t, "XGROUP", "SETID", topic, group.([]any)[1].(string), id)
		}
		tell(t, topic, topic, "oneqtour.nobody.unheard-of.v1", newID(), object{})
	}
}

// allSettled waits until nothing is on its way: no reservation of the product unsettled, no event in an outbox.
func allSettled(t *testing.T, p product) {
	t.Helper()
	stack.Eventually(t, 60*time.Second, "nothing is on its way", func() error {
		for _, app := range []string{"product", "reservation", "payment"} {
			if n := rows(t, sys.Database(t, app), "outbox"); n != 0 {
				return fmt.Errorf("%d events wait at %s", n, app)
			}
		}
		for _, r := range reservationsOf(t, p) {
			if r.status == "PENDING" || r.status == "CANCEL_REQUESTED" {
				return fmt.Errorf("%s is %s", r.id, r.status)
			}
		}
		return nil
	})
}

// calls counts what one sidecar has sent to another, by its own metrics.
func calls(t testing.TB, from, to string) (n int) {
	t.Helper()
	a := sys.As(t, "").At(sys.URL(sidecarPorts[from]+300)).Do("GET", "/", nil).Is(t, 200)
	for line := range strings.Lines(string(a.Body)) {
		if strings.HasPrefix(line, "dapr_runtime_service_invocation_req_sent_total") && strings.Contains(line, `dst_app_id="`+to+`"`) {
			fields := strings.Fields(line)
			sent, err := strconv.Atoi(fields[len(fields)-1])
			if err != nil {
				t.Fatal(err)
			}
			n += sent
		}
	}
	return n
}
