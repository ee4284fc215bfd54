package e2e

import (
	"bufio"
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
