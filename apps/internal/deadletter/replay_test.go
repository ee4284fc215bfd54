package deadletter_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// desk is an operator's view of a service whose handler does what a test wants.
type desk struct {
	*webtest.Server
	t      *testing.T
	db     *sql.DB
	issuer *webtest.TestIssuer
	hears  func(e contract.Event) error
	heard  []string
}

func newDesk(t *testing.T) *desk {
	d := &desk{t: t, issuer: webtest.Issuer(t), hears: func(contract.Event) error { return nil }}
	d.Server, d.db = listenerFor(t, func(_ context.Context, e contract.Event) error {
		d.heard = append(d.heard, e.ID)
		return d.hears(e)
	}, web.NewIdentity(d.issuer.URL, webtest.Audience))
	return d
}

func (d *desk) ask(method, path string) webtest.Response {
	d.t.Helper()
	return d.Do(webtest.Request{
		Method: method, Path: path, Bearer: d.issuer.Bearer("operator-1", web.RoleOperator),
		Header: map[string]string{"Dapr-Caller-App-Id": "gateway"},
	})
}

func (d *desk) list(query string) web.List[web.DeadLetter] {
	d.t.Helper()
	res := d.ask(http.MethodGet, "/dead-letters"+query)
	if res.Status != http.StatusOK {
		d.t.Fatalf("list: %d %s", res.Status, res.Body)
	}
	var page web.List[web.DeadLetter]
	res.JSON(&page)
	return page
}

// bury makes a dead letter as the sidecar does and gives its id.
func (d *desk) bury(topic string) string {
	d.t.Helper()
	id := uuid.NewString()
	event := fmt.Sprintf(`{"id":%q,"type":"t","subject":"s","topic":%q,"data":{"n":1}}`, id, topic)
	if ack := d.Deliver("dead-store", event); ack != "SUCCESS" {
		d.t.Fatal(ack)
	}
	return "store:" + id
}

func TestADeadLetterIsReplayedAndKept(t *testing.T) {
	d := newDesk(t)
	id := d.bury("product")
	if page := d.list(""); len(page.Items) != 1 || page.Items[0].ID != id || page.Items[0].App != "store" || page.Items[0].Topic != "product" ||
		page.Items[0].Subject != "s" || !strings.Contains(string(page.Items[0].Payload), `"data":{"n":1}`) || page.Items[0].Replays == nil {
		t.Fatalf("%+v", page)
	}

	// It fails twice: once for now, once for good. Both are noted, and the letter stays.
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{errors.New("no such product yet"), http.StatusConflict, "REPLAY_FAILED"},
		{fault.New(fault.Malformed).Because(errors.New("no departures")), http.StatusUnprocessableEntity, "NOT_REPLAYABLE"},
	} {
		d.hears = func(contract.Event) error { return c.err }
		res := d.ask(http.MethodPost, "/dead-letters/"+id+"/replay")
		if res.Status != c.status || res.Code() != c.code || strings.Contains(string(res.Body), "departures") {
			t.Errorf("%v: %d %s", c.err, res.Status, res.Body)
		}
	}
	replays := d.list("").Items[0].Replays
	if len(replays) != 2 || replays[0].By != "operator-1" || !strings.Contains(replays[0].Result, "no such product yet") || !strings.Contains(replays[1].Result, "no departures") ||
		time.Since(replays[1].At) > time.Minute {
		t.Errorf("noted %+v", replays)
	}

	d.hears = func(contract.Event) error { return nil }
	var done web.DeadLetter
	d.ask(http.MethodPost, "/dead-letters/"+id+"/replay").JSON(&done)
	if len(done.Replays) != 3 || done.Replays[2].Result != web.ReplayDone || done.Replays[2].By != "operator-1" {
		t.Errorf("%+v", done)
	}
	if page := d.list(""); len(page.Items) != 0 {
		t.Errorf("still listed: %+v", page)
	}
	if page := d.list("?all=true"); len(page.Items) != 1 || len(page.Items[0].Replays) != 3 {
		t.Errorf("not kept: %+v", page)
	}
	// Whoever did not get the answer asks again: it is not handled a second time.
	if res := d.ask(http.MethodPost, "/dead-letters/"+id+"/replay"); res.Status != http.StatusOK || len(d.heard) != 3 {
		t.Errorf("%d, heard %d times", res.Status, len(d.heard))
	}
}

// Who tries is on record before the handler runs, so that a service that dies under it leaves a trace; a second
// operator, meanwhile, is told to wait.
func TestAReplayIsNotedBeforeItRunsAndRunsAlone(t *testing.T) {
	d := newDesk(t)
	id := d.bury("product")
	var during []web.Replay
	var twin webtest.Response
	d.hears = func(contract.Event) error {
		if d.hears = nil; len(d.heard) == 1 {
			during = d.list("").Items[0].Replays
			d.hears = func(contract.Event) error { return nil }
			twin = d.ask(http.MethodPost, "/dead-letters/"+id+"/replay")
		}
		return nil
	}
	if res := d.ask(http.MethodPost, "/dead-letters/"+id+"/replay"); res.Status != http.StatusOK {
		t.Errorf("%d %s", res.Status, res.Body)
	}
	if len(during) != 1 || during[0].By != "operator-1" || during[0].Result != web.ReplayStarted {
		t.Errorf("noted while it ran: %+v", during)
	}
	if twin.Status != http.StatusConflict || twin.Code() != "IDEMPOTENCY_IN_PROGRESS" || len(d.heard) != 1 {
		t.Errorf("the twin: %d %s, handled %d times", twin.Status, twin.Body, len(d.heard))
	}
	if page := d.list("?all=true"); len(page.Items[0].Replays) != 1 || page.Items[0].Replays[0].Result != web.ReplayDone {
		t.Errorf("%+v", page.Items[0].Replays)
	}
}

// An attempt that a service has taken with it stays on record, and blocks nobody for long.
func TestAReplayThatNeverEndedBlocksNobodyForLong(t *testing.T) {
	d := newDesk(t)
	id := d.bury("product")
	for ago, want := range map[time.Duration]int{time.Hour: http.StatusOK, 0: http.StatusConflict} {
		if _, err := d.db.Exec("DELETE FROM dead_letter_replays"); err != nil {
			t.Fatal(err)
		}
		if _, err := d.db.Exec("INSERT INTO dead_letter_replays (letter, at, actor, result) VALUES (?, ?, 'operator-2', 'STARTED')", id, time.Now().UTC().Add(-ago)); err != nil {
			t.Fatal(err)
		}
		if res := d.ask(http.MethodPost, "/dead-letters/"+id+"/replay"); res.Status != want {
			t.Errorf("begun %s ago: %d %s", ago, res.Status, res.Body)
		}
	}
}

func TestOfTwentyReplaysAtOnceOneRuns(t *testing.T) {
	d := newDesk(t)
	id := d.bury("product")
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			if res := d.ask(http.MethodPost, "/dead-letters/"+id+"/replay"); res.Status != http.StatusOK && res.Status != http.StatusConflict {
				t.Errorf("%d %s", res.Status, res.Body)
			}
		})
	}
	asking.Wait()
	if len(d.heard) != 1 {
		t.Errorf("handled %d times", len(d.heard))
	}
}

func TestWhatIsNoEventCannotBeReplayed(t *testing.T) {
	d := newDesk(t)
	d.Deliver("dead-store", "gibberish")
	d.bury("weather") // a topic that nobody hears any more
	for _, letter := range d.list("").Items {
		if res := d.ask(http.MethodPost, "/dead-letters/"+letter.ID+"/replay"); res.Status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", letter.Topic, res.Status, res.Body)
		}
	}
	if res := d.ask(http.MethodPost, "/dead-letters/store:"+uuid.NewString()+"/replay"); res.Status != http.StatusNotFound {
		t.Errorf("%d", res.Status)
	}
	if len(d.heard) != 0 {
		t.Errorf("heard %v", d.heard)
	}
}

func TestDeadLettersAreListedNewestFirstInPages(t *testing.T) {
	d := newDesk(t)
	var want []string
	for range 25 {
		want = append(want, d.bury("product"))
	}
	if _, err := d.db.Exec("UPDATE dead_letters SET at = '2026-11-22 01:02:03.000004' ORDER BY at LIMIT 9"); err != nil { // of one moment
		t.Fatal(err)
	}
	rows, err := d.db.Query("SELECT id FROM dead_letters ORDER BY at DESC, id DESC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	want = want[:0]
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		want = append(want, id)
	}
	for _, limit := range []int{1, 4, 24, 25, 100} {
		var got []string
		query := ""
		for {
			page := d.list(fmt.Sprintf("?limit=%d%s", limit, query))
			for _, l := range page.Items {
				got = append(got, l.ID)
			}
			if page.NextCursor == nil || len(got) > 25 {
				break
			}
			query = "&cursor=" + *page.NextCursor
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: %d letters, want %d in order", limit, len(got), len(want))
		}
	}
}

// An answer that is too large for the gateway would hide all letters of the service.
func TestAPageOfLargeLettersEndsEarly(t *testing.T) {
	d := newDesk(t)
	for i := range 6 {
		d.Deliver("dead-store", fmt.Sprintf(`{"id":%q,"type":"t","data":"%s%d"}`, uuid.NewString(), strings.Repeat("x", 900_000), i))
	}
	pages, got, query := 0, 0, ""
	for ; pages < 10; pages++ {
		page := d.list("?limit=100" + query)
		got += len(page.Items)
		if page.NextCursor == nil {
			break
		}
		query = "&cursor=" + *page.NextCursor
	}
	if got != 6 || pages != 2 {
		t.Errorf("%d letters on %d pages", got, pages+1)
	}
}

func TestK6_OnlyOperatorsByWayOfTheGatewayReachDeadLetters(t *testing.T) {
	d := newDesk(t)
	id := d.bury("product")
	operator := d.issuer.Bearer("operator-1", web.RoleOperator)
	for name, c := range map[string]struct {
		bearer, caller string
		want           int
	}{
		"nobody":                   {"", "gateway", 401},
		"a customer":               {d.issuer.Bearer("c", web.RoleCustomer), "gateway", 403},
		"an MD":                    {d.issuer.Bearer("m", web.RoleMD), "gateway", 403},
		"past the gateway":         {operator, "", 403},
		"by way of another app":    {operator, "store", 403},
		"an operator, as intended": {operator, "gateway", 200},
	} {
		for _, r := range []webtest.Request{{Method: "GET", Path: "/dead-letters"}, {Method: "POST", Path: "/dead-letters/" + id + "/replay"}} {
			r.Bearer, r.Header = c.bearer, map[string]string{}
			if c.caller != "" {
				r.Header["Dapr-Caller-App-Id"] = c.caller
			}
			if res := d.Do(r); res.Status != c.want {
				t.Errorf("%s %s: %d, want %d", name, r.Path, res.Status, c.want)
			}
		}
	}
}
