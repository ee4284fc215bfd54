package deadletter_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// listener is a service that hears the topic product by hear and keeps its dead letters in a database.
func listener(t *testing.T, hear web.Hear) (*webtest.Server, *sql.DB) {
	t.Helper()
	return listenerFor(t, hear, nil)
}

func listenerFor(t *testing.T, hear web.Hear, operators *web.Identity) (*webtest.Server, *sql.DB) {
	t.Helper()
	db := dbtest.Open(t, deadletter.Migrations())
	app := web.NewApp(web.Options{AppID: "store", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	web.Subscriptions{
		App: "store", PubSub: "pubsub", Topics: map[string]web.Hear{"product": hear}, Letters: deadletter.New(db), Identity: operators,
	}.Mount(app)
	return webtest.Serve(t, app), db
}

type letter struct{ id, topic, kind, subject, reason, payload string }

func letters(t *testing.T, db *sql.DB) (all []letter) {
	t.Helper()
	rows, err := db.Query("SELECT id, topic, type, subject, reason, payload FROM dead_letters ORDER BY at")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l letter
		if err := rows.Scan(&l.id, &l.topic, &l.kind, &l.subject, &l.reason, &l.payload); err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func unreadable(context.Context, contract.Event) error {
	return fault.New(fault.Malformed).Because(errors.New("no departures"))
}

func TestWhatAHandlerCannotReadIsKeptAtOnceWithItsCause(t *testing.T) {
	s, db := listener(t, unreadable)
	id := uuid.NewString()
	event := fmt.Sprintf(`{"id":%q,"type":"oneqtour.product.revised.v1","subject":"p1","topic":"elsewhere","data":{}}`, id)
	if ack := s.Deliver("product", event); ack != "SUCCESS" {
		t.Fatal(ack)
	}
	want := letter{"store:" + id, "product", "oneqtour.product.revised.v1", "p1", "MALFORMED: no departures", event}
	if got := letters(t, db); len(got) != 1 || got[0] != want {
		t.Errorf("%+v", got)
	}
	// The same one by way of the sidecar, which has waited for us too long: kept once.
	if ack := s.Deliver("dead-store", event); ack != "SUCCESS" || len(letters(t, db)) != 1 {
		t.Errorf("%s, %+v", ack, letters(t, db))
	}
}

func TestEveryLetterCanBeStored(t *testing.T) {
	s, db := listener(t, unreadable)
	long := strings.Repeat("긴", 300)
	for name, body := range map[string]string{
		"a long id":      `{"id":"` + strings.Repeat("x", 500) + `","type":"t","data":{}}`,
		"an odd id":      `{"id":"a||b/../c","type":"t","data":{}}`,
		"long members":   `{"id":"long","type":"` + long + `","subject":"` + long + `","topic":"` + long + `","data":{}}`,
		"not UTF-8":      `{"id":"bytes","type":"t","subject":"` + "\xff\xfe" + `","data":{"a":"` + "\xc3" + `"}}`,
		"a four-byte 글자": `{"id":"emoji","type":"t","subject":"🛫","data":{}}`,
		"a zero":         `{"id":"zero","type":"t","subject":"a\u0000b","data":{}}`,
		"no JSON":        "\x00\xffgibberish",
		"no event":       `[1,2]`,
		"nothing":        ``,
		"another's time": `{"id":"time","type":"t","time":"yesterday","data":{}}`,
		"too much":       `{"id":"much","type":"t","data":"` + strings.Repeat("m", 3<<20) + `"}`,
	} {
		before := len(letters(t, db))
		for _, topic := range []string{"dead-store", "product"} {
			if ack := s.Deliver(topic, body); ack != "SUCCESS" {
				t.Errorf("%s on %s: %s", name, topic, ack)
			}
		}
		got := letters(t, db)
		if len(got) != before+1 {
			t.Errorf("%s: %d letters more", name, len(got)-before)
			continue
		}
		if l := got[len(got)-1]; l.reason == "" || len(l.id) > 120 || len(l.payload) > 128<<10 {
			t.Errorf("%s: kept as %.60s, %s, %d bytes", name, l.id, l.reason, len(l.payload))
		}
	}
}

func TestALetterThatCannotBeStoredNowComesAgain(t *testing.T) {
	s, db := listener(t, unreadable)
	if _, err := db.Exec("RENAME TABLE dead_letters TO away"); err != nil {
		t.Fatal(err)
	}
	event := `{"id":"e1","type":"t","data":{}}`
	for _, topic := range []string{"product", "dead-store"} {
		if ack := s.Deliver(topic, event); ack != "RETRY" {
			t.Errorf("%s: %s", topic, ack)
		}
	}
	if _, err := db.Exec("RENAME TABLE away TO dead_letters"); err != nil {
		t.Fatal(err)
	}
	if ack := s.Deliver("product", event); ack != "SUCCESS" || len(letters(t, db)) != 1 {
		t.Errorf("%s, %+v", ack, letters(t, db))
	}
}

// A sidecar that dies while it hands over an event has not handed it over.
func TestAnEventThatIsCutOffComesAgain(t *testing.T) {
	s, db := listener(t, unreadable)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST /events/product HTTP/1.1\r\nHost: x\r\nDapr-Api-Token: %s\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\nnonsense", webtest.AppToken)
	_ = conn.(*net.TCPConn).CloseWrite()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 4096)
	n, _ := conn.Read(answer)
	if !strings.Contains(string(answer[:n]), `"RETRY"`) || len(letters(t, db)) != 0 {
		t.Errorf("%s %+v", answer[:n], letters(t, db))
	}
}

func TestOtherFailuresAreTriedAgain(t *testing.T) {
	s, db := listener(t, func(context.Context, contract.Event) error { return errors.New("down") })
	if ack := s.Deliver("product", `{"id":"e1","type":"t","data":{}}`); ack != "RETRY" || len(letters(t, db)) != 0 {
		t.Errorf("%s", ack)
	}
	if ack := s.Deliver("dead-store", `{"id":"e1","type":"t","topic":"product","data":{}}`); ack != "SUCCESS" {
		t.Errorf("%s", ack)
	}
	if got := letters(t, db); len(got) != 1 || got[0].topic != "product" || !strings.Contains(got[0].reason, "healthy") {
		t.Errorf("%+v", got)
	}
	if res := s.Do(webtest.Request{Method: http.MethodPost, Path: "/events/nothing", Body: "{}"}); !strings.Contains(string(res.Body), "DROP") {
		t.Errorf("a topic that nobody subscribed: %s", res.Body)
	}
}
