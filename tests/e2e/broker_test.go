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

// said is the data of the last event of a type about something, as the broker gives it to whoever listens.
func said(t testing.TB, topic, kind, subject string) (data object) {
	t.Helper()
	stack.Eventually(t, 20*time.Second, kind+" of "+subject, func() error {
		for _, raw := range listener.Heard(topic) {
			var event struct {
				Type, Subject string
				Data          object
			}
			if json.Unmarshal(raw, &event) == nil && event.Type == kind && event.Subject == subject {
				data = event.Data
			}
		}
		if data == nil {
			return errors.New("nobody said it")
		}
		return nil
	})
	return data
}

// heard waits until the apps have taken and finished every event of a topic.
func heard(t testing.TB, topic string, apps ...string) {
	t.Helper()
	stack.Eventually(t, 30*time.Second, "everything of "+topic+" is heard", func() error {
		left := unread(t, topic)
		for _, app := range apps {
			if n, subscribed := left[app]; n > 0 || !subscribed {
				return fmt.Errorf("%s of %v", app, left)
			}
		}
		return nil
	})
}

// unread is how many events of a topic each of its subscribers has not yet finished.
func unread(t testing.TB, topic string) map[string]int {
	t.Helper()
	lines, err := sys.Say("broker.sh", "unread")
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{}
	for line := range strings.Lines(lines) {
		var app, of string
		var n int
		if _, err := fmt.Sscan(line, &app, &of, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if of == topic {
			left[app] = n
		}
	}
	return left
}

// pending is how often the broker gave out the events of a topic that an app has taken and not finished, the most of
// them; and an error as long as there is one. Only Redis tells how often; the others give an event to nobody else
// while its reader lives.
func pending(t testing.TB, topic, app string) (deliveries int, unfinished error) {
	t.Helper()
	if stack.Broker != "redis" {
		if unread(t, topic)[app] == 0 {
			return 0, nil
		}
		return 1, fmt.Errorf("%s is taken by %s", topic, app)
	}
	for _, entry := range redis(t, "XPENDING", topic, app, "-", "+", "100").([]any) {
		deliveries = max(deliveries, entry.([]any)[3].(int)) // id, consumer, idle for, deliveries
		unfinished = fmt.Errorf("%s is taken by %s", topic, app)
	}
	return deliveries, unfinished
}

// redis asks that broker one thing in its own language.
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
