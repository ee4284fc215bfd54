package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
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
	stack.Eventually(t, 5*time.Second, "the store has the event", func() error {
		if _, unfinished := pending(t, "product", "store"); unfinished == nil {
			return errors.New("not yet")
		}
		return nil
	})
	begun, given := time.Now(), 0
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

// said is the data of the last event of a type about something, as the broker has it.
func said(t testing.TB, topic, kind, subject string) object {
	t.Helper()
	for _, entry := range redis(t, "XREVRANGE", topic, "+", "-", "COUNT", "200").([]any) {
		fields := entry.([]any)[1].([]any)
		for i := 0; i+1 < len(fields); i += 2 {
			var event struct {
				Type, Subject string
				Data          object
			}
			if fields[i] == "data" && json.Unmarshal([]byte(fields[i+1].(string)), &event) == nil && event.Type == kind && event.Subject == subject {
				return event.Data
			}
		}
	}
	t.Fatalf("nobody said %s of %s", kind, subject)
	return nil
}

// heard waits until the apps have taken and finished every event of a topic.
func heard(t testing.TB, topic string, apps ...string) {
	t.Helper()
	for _, app := range apps {
		stack.Eventually(t, 20*time.Second, app+" has heard everything of "+topic, func() error {
			last := redis(t, "XREVRANGE", topic, "+", "-", "COUNT", "1").([]any)[0].([]any)[0]
			for _, group := range redis(t, "XINFO", "GROUPS", topic).([]any) {
				about := map[any]any{}
				for i, list := 0, group.([]any); i+1 < len(list); i += 2 {
					about[list[i]] = list[i+1]
				}
				if about["name"] == app && (about["pending"] != 0 || about["last-delivered-id"] != last) {
					return fmt.Errorf("%v, the last is %v", about, last)
				}
			}
			return nil
		})
	}
}

// pending is how often the broker gave out the events of a topic that an app has taken and not finished, the most of
// them; and an error as long as there is one.
func pending(t testing.TB, topic, app string) (deliveries int, unfinished error) {
	t.Helper()
	for _, entry := range redis(t, "XPENDING", topic, app, "-", "+", "100").([]any) {
		deliveries = max(deliveries, entry.([]any)[3].(int)) // id, consumer, idle for, deliveries
		unfinished = fmt.Errorf("%s is taken by %s", topic, app)
	}
	return deliveries, unfinished
}

// redis asks the broker, which also is the view's store, one thing in its own language.
func redis(t testing.TB, command ...string) any {
	t.Helper()
	conn, err := net.DialTimeout("tcp", strings.TrimPrefix(sys.URL(6390), "http://"), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(5 * time.Second))
	in := bufio.NewReader(conn)
	var answer any
	for _, words := range [][]string{{"AUTH", sys.Env(t, "servers", "REDIS_PASSWORD")}, command} {
		_, _ = fmt.Fprintf(conn, "*%d\r\n", len(words))
		for _, word := range words {
			_, _ = fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(word), word)
		}
		if answer, err = resp(in); err != nil {
			t.Fatalf("%s: %v", words[0], err)
		}
	}
	return answer
}

// resp reads one value: a string, an int, a list of such, or nil.
func resp(in *bufio.Reader) (any, error) {
	line, err := in.ReadString('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	if kind == '+' {
		return rest, nil
	}
	n, err := strconv.Atoi(rest)
	switch {
	case err != nil:
		return nil, errors.New(rest)
	case kind == ':':
		return n, nil
	case n < 0:
		return nil, nil
	case kind == '$':
		text := make([]byte, n+2)
		_, err := io.ReadFull(in, text)
		return string(text[:n]), err
	}
	list := make([]any, n)
	for i := range list {
		if list[i], err = resp(in); err != nil {
			return nil, err
		}
	}
	return list, nil
}
