package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/viewpage/usecase"
)

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// deliver hands the program an event as its sidecar does.
func deliver(t testing.TB, topic, kind, subject string, at time.Time, data any) {
	t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: topic, Type: kind, Subject: subject, Time: at}, data)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(e)
	res, body := call(t, http.MethodPost, "/events/"+topic, raw, "Dapr-Api-Token", stack.token)
	if res.StatusCode != http.StatusOK || string(body) != `{"status":"SUCCESS"}` {
		t.Errorf("%s: %d %s", kind, res.StatusCode, body)
	}
}

func call(t testing.TB, method, path string, body []byte, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequest(method, stack.base+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, raw
}

func get(t testing.TB, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	return call(t, http.MethodGet, path, nil, append(headers, "Dapr-Api-Token", stack.token)...)
}

type answer struct {
	Items []struct {
		usecase.BoardItem
		ReservationID string `json:"reservationId"`
		Price         any    `json:"price"`
	} `json:"items"`
	NextCursor *string `json:"nextCursor"`
	AsOf       string  `json:"asOf"`
	Savings    []any   `json:"savings"`
}

func decode(t testing.TB, res *http.Response, raw []byte) (a answer) {
	t.Helper()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, raw)
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// offer registers a product with one departure and returns both.
func offer(t testing.TB, md, kind string) (contract.Product, contract.Totals) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	p := contract.Product{
		ProductID: newID(), MDID: md, Status: contract.ProductOpen, Version: 1, Kind: kind, Price: 800_000,
		Name: contract.Text{Ko: "오사카 3일 + 5% 적금", En: "Osaka 3 days"}, CreatedAt: now,
		Departures: []contract.Departure{{DepartureID: newID(), Date: "2027-03-14", Capacity: 20, MinParticipants: 8}},
	}
	deliver(t, contract.TopicProduct, contract.ProductRegistered, p.ProductID, now, p)
	return p, contract.Totals{ProductID: p.ProductID, DepartureID: p.Departures[0].DepartureID, Capacity: 20, Reservations: map[string]int{}}
}

// reserve tells of a reservation that becomes CONFIRMED.
func reserve(t testing.TB, customer string, p contract.Product, totals *contract.Totals, deliverThen func(contract.Reservation, time.Time)) contract.Reservation {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	r := contract.Reservation{ReservationState: contract.ReservationState{
		ReservationID: newID(), CustomerID: customer, MDID: p.MDID, ProductID: p.ProductID, Kind: p.Kind,
		DepartureID: totals.DepartureID, DepartureDate: "2027-03-14", Travellers: 2, PaymentPlan: "FULL",
		Version: 2, Status: contract.StatusConfirmed, CreatedAt: now,
	}}
	totals.Version++
	totals.Confirmed += 2
	totals.Reservations = map[string]int{contract.StatusConfirmed: totals.Reservations[contract.StatusConfirmed] + 1}
	r.Departure = *totals
	deliverThen(r, now)
	return r
}

func deliverConfirmed(t testing.TB) func(contract.Reservation, time.Time) {
	return func(r contract.Reservation, at time.Time) {
		deliver(t, contract.TopicReservation, contract.ReservationConfirmed, r.ReservationID, at, r)
	}
}

func TestF13_ProductsAndReservationsAtOneGlance(t *testing.T) {
	md, customer := newID(), newID()
	p, totals := offer(t, md, "OVERSEAS")
	r := reserve(t, customer, p, &totals, deliverConfirmed(t))

	res, raw := get(t, "/board?limit=1&kind=OVERSEAS")
	b := decode(t, res, raw)
	if len(b.Items) != 1 || b.Items[0].ProductID != p.ProductID || b.Items[0].Name != p.Name {
		t.Fatalf("board: %s", raw)
	}
	if d := b.Items[0].Departures[0]; d.Confirmed != 2 || d.Reservations["CONFIRMED"] != 1 || b.Items[0].Reservations["CONFIRMED"] != 1 {
		t.Errorf("counts: %s", raw)
	}
	if told := r.CreatedAt.Format(time.RFC3339Nano); b.AsOf != told || !b.Items[0].AsOf.Equal(r.CreatedAt) {
		t.Errorf("as of %s, want the newest event's time, %s", b.AsOf, told)
	}
	tag := res.Header.Get("ETag")
	res, again := get(t, "/board?limit=1&kind=OVERSEAS", "If-None-Match", `"x", W/`+tag)
	if res.StatusCode != http.StatusNotModified || len(again) != 0 {
		t.Errorf("unchanged board: %d %s", res.StatusCode, again)
	}
	reserve(t, newID(), p, &totals, deliverConfirmed(t))
	if res, raw = get(t, "/board?limit=1&kind=OVERSEAS", "If-None-Match", tag); decode(t, res, raw).Items[0].Reservations["CONFIRMED"] != 2 || res.Header.Get("ETag") == tag {
		t.Errorf("changed board: %d %s", res.StatusCode, raw)
	}

	res, raw = get(t, "/md", "Authorization", stack.issuer.Bearer(md, "MD"))
	if own := decode(t, res, raw); len(own.Items) != 1 || own.Items[0].ProductID != p.ProductID {
		t.Errorf("md: %s", raw)
	}
	after := fmt.Sprintf("/mine?after=%s:%d", r.ReservationID, r.Version)
	res, raw = get(t, after, "Authorization", stack.issuer.Bearer(customer, "CUSTOMER"))
	mine := decode(t, res, raw)
	if len(mine.Items) != 1 || mine.Items[0].ReservationID != r.ReservationID || mine.Savings == nil || mine.AsOf != b.AsOf || mine.NextCursor != nil {
		t.Errorf("mine: %s", raw)
	}
	if bytes.Contains(raw, []byte(`"history"`)) || bytes.Contains(raw, []byte(`"meta"`)) {
		t.Errorf("mine shows what only services tell each other: %s", raw)
	}
}

func TestListsGoOnWhereTheyEnded(t *testing.T) {
	md := newID()
	var want []string
	for range 5 {
		p, _ := offer(t, md, "DOMESTIC")
		want = append([]string{p.ProductID}, want...)
	}
	var got []string
	for path := "/md?limit=2"; path != ""; {
		res, raw := get(t, path, "Authorization", stack.issuer.Bearer(md, "MD"))
		page := decode(t, res, raw)
		for _, item := range page.Items {
			got = append(got, item.ProductID)
		}
		path = ""
		if page.NextCursor != nil {
			path = "/md?limit=2&cursor=" + *page.NextCursor
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func TestBadQuestionsAreRefused(t *testing.T) {
	customer := stack.issuer.Bearer("customer-1", "CUSTOMER")
	for path, want := range map[string]int{
		"/board?kind=SPACE": 422, "/board?limit=0": 422, "/board?limit=x": 400, "/board?limt=5": 400, "/mine?kind=DOMESTIC": 400, "/board?cursor=!": 422,
		"/board?cursor=e30": 422, "/mine?after=x": 422, "/mine?after=" + newID() + ":0": 422,
		"/mine?after=" + newID() + ":99999999999999999999": 422, "/md": 403, "/nothing": 404,
	} {
		if res, raw := get(t, path, "Authorization", customer); res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, raw)
		}
	}
	if res, _ := get(t, "/mine"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a token: %d", res.StatusCode)
	}
}

func TestK6_OnlyTheOwnSidecarIsHeard(t *testing.T) {
	if res, _ := call(t, http.MethodGet, "/board", nil); res.StatusCode != http.StatusForbidden {
		t.Errorf("the port answers strangers: %d", res.StatusCode)
	}
	res, _ := call(t, http.MethodPost, "/events/product", []byte(`{}`), "Dapr-Api-Token", stack.token, "Dapr-Caller-App-Id", "gateway")
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("an event by invocation: %d", res.StatusCode)
	}
}

func TestTheViewIsNotReadyBeforeItsSidecarIs(t *testing.T) {
	if stack.readyBeforeSidecar != http.StatusServiceUnavailable {
		t.Errorf("/readyz answered %d", stack.readyBeforeSidecar)
	}
}

// A store that answers reads and refuses writes: full, or turned into a replica.
func TestTheViewIsNotReadyWhileItsStoreRefusesWrites(t *testing.T) {
	for name, commands := range map[string][2]string{
		"out of memory": {"CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"},
		"read-only":     {"REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"},
	} {
		t.Run(name, func(t *testing.T) {
			redisDo(t, commands[0])
			defer redisDo(t, commands[1])
			if err := await(5*time.Second, func() bool { return status(stack.base+"/readyz") == http.StatusServiceUnavailable }); err != nil {
				t.Error("ready:", err)
			}
			if res, _ := get(t, "/board"); res.StatusCode != http.StatusOK {
				t.Errorf("reading: %d", res.StatusCode)
			}
			redisDo(t, commands[1])
			if err := await(5*time.Second, func() bool { return status(stack.base+"/readyz") == http.StatusOK }); err != nil {
				t.Error("not ready again:", err)
			}
		})
	}
}

// redisDo gives the store of these tests a command.
func redisDo(t testing.TB, command string) {
	t.Helper()
	conn, err := net.Dial("tcp", stack.redis)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := fmt.Fprint(conn, command, "\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatalf("%s: %q, %v", command, line, err)
	}
}

func TestI4_TheStoreLetsTheFirstWriterWin(t *testing.T) {
	ctx := t.Context()
	doc := usecase.Document{Key: "test:" + newID(), Data: []byte(`{"n":1}`)}
	if err := stack.store.Put(ctx, doc); err != nil {
		t.Fatal(err)
	}
	if err := stack.store.Put(ctx, doc); !errors.Is(err, usecase.ErrConflict) {
		t.Errorf("created twice: %v", err)
	}
	read, err := stack.store.Get(ctx, doc.Key)
	if err != nil || string(read.Data) != `{"n":1}` || read.ETag == "" {
		t.Fatalf("%+v, %v", read, err)
	}
	var wg sync.WaitGroup
	var won, lost sync.Map
	for i := range 8 {
		wg.Go(func() {
			switch err := stack.store.Put(ctx, read); {
			case err == nil:
				won.Store(i, true)
			case errors.Is(err, usecase.ErrConflict):
				lost.Store(i, true)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := size(&won); n != 1 || size(&lost) != 7 {
		t.Errorf("%d writers have won", n)
	}
	if err := stack.store.Delete(ctx, doc.Key); err != nil {
		t.Fatal(err)
	}
	if gone, err := stack.store.Get(ctx, doc.Key); err != nil || gone.ETag != "" {
		t.Errorf("deleted: %+v, %v", gone, err)
	}
}

func size(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

// TestI6_ReplicasOnOneStore: three replicas hear one departure's events in any order, each event twice.
func TestI6_ReplicasOnOneStore(t *testing.T) {
	md, customer := newID(), newID()
	p, totals := offer(t, md, "OVERSEAS")
	const n = 250 // more than one page of the customer's index
	events := make(chan contract.Event, 2*n)
	for range n {
		reserve(t, customer, p, &totals, func(r contract.Reservation, at time.Time) {
			e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: "reservation",
				Type: contract.ReservationConfirmed, Subject: r.ReservationID, Time: at}, r)
			if err != nil {
				t.Fatal(err)
			}
			events <- e
			events <- e
		})
	}
	close(events)
	var wg sync.WaitGroup
	for range 3 {
		replica := usecase.New(stack.store, stack.dapr.Publisher("pubsub"), usecase.Settings{PageSize: pageSize, NewID: newID, Now: time.Now})
		for range 5 {
			wg.Go(func() {
				for e := range events {
					err := replica.HearReservation(t.Context(), e)
					for try := 0; errors.Is(err, usecase.ErrConflict) && try < 20; try++ { // the broker's part
						err = replica.HearReservation(t.Context(), e)
					}
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wg.Wait()
	seen := map[string]bool{}
	for path := "/mine?limit=100"; path != ""; {
		res, raw := get(t, path, "Authorization", stack.issuer.Bearer(customer, "CUSTOMER"))
		page := decode(t, res, raw)
		for _, item := range page.Items {
			if seen[item.ReservationID] {
				t.Errorf("%s is listed twice", item.ReservationID)
			}
			seen[item.ReservationID] = true
		}
		path = ""
		if page.NextCursor != nil {
			path = "/mine?limit=100&cursor=" + *page.NextCursor
		}
	}
	if len(seen) != n {
		t.Errorf("%d reservations, want %d", len(seen), n)
	}
	res, raw := get(t, "/md", "Authorization", stack.issuer.Bearer(md, "MD"))
	if got := decode(t, res, raw).Items[0].Reservations["CONFIRMED"]; got != n {
		t.Errorf("%d confirmed, want %d", got, n)
	}
}

func TestADeadLetterIsAStateDocument(t *testing.T) {
	id := newID()
	raw := fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"type":"oneqtour.product.revised.v1","topic":"product","data":{}}`, id)
	res, body := call(t, http.MethodPost, "/events/dead-viewpage", raw, "Dapr-Api-Token", stack.token)
	if string(body) != `{"status":"SUCCESS"}` {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	d, err := stack.store.Get(t.Context(), "viewpage:"+id)
	if err != nil || !bytes.Contains(d.Data, []byte(`"topic":"product"`)) {
		t.Errorf("%s, %v", d.Data, err)
	}
}

func TestADeadLetterIsReplayedAndListedNoLonger(t *testing.T) {
	asOperator := []string{"Dapr-Api-Token", stack.token, "Dapr-Caller-App-Id", "gateway", "Authorization", stack.issuer.Bearer("operator-1", "OPERATOR")}
	list := func(query string) (ids []string, replays int) {
		var page web.List[web.DeadLetter]
		for cursor := ""; ; cursor = "&cursor=" + *page.NextCursor {
			res, raw := call(t, http.MethodGet, "/dead-letters?limit=2"+query+cursor, nil, asOperator...)
			page = web.List[web.DeadLetter]{}
			if err := json.Unmarshal(raw, &page); err != nil || res.StatusCode != http.StatusOK {
				t.Fatalf("%d %s", res.StatusCode, raw)
			}
			for _, d := range page.Items {
				ids = append(ids, d.ID)
				replays += len(d.Replays)
			}
			if page.NextCursor == nil {
				return ids, replays
			}
		}
	}
	before, _ := list("")
	var good, bad []string
	for _, topic := range []string{"product", "nobody's", "product"} {
		id := newID()
		raw := fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"type":"oneqtour.product.unheard-of.v1","topic":%q,"data":{}}`, id, topic)
		if _, body := call(t, http.MethodPost, "/events/dead-viewpage", raw, "Dapr-Api-Token", stack.token); string(body) != `{"status":"SUCCESS"}` {
			t.Fatalf("%s", body)
		}
		if topic == "product" {
			good = append(good, "viewpage:"+id)
		} else {
			bad = append(bad, "viewpage:"+id)
		}
	}
	if ids, _ := list(""); len(ids) != len(before)+3 || ids[0] != good[1] || ids[1] != bad[0] || ids[2] != good[0] {
		t.Fatalf("listed %v", ids)
	}
	for id, want := range map[string]int{good[0]: 200, good[1]: 200, bad[0]: 422, "viewpage:" + newID(): 404} {
		if res, body := call(t, http.MethodPost, "/dead-letters/"+id+"/replay", nil, asOperator...); res.StatusCode != want {
			t.Errorf("%d, want %d: %s", res.StatusCode, want, body)
		}
	}
	if ids, replays := list(""); len(ids) != len(before)+1 || ids[0] != bad[0] || replays != 1 {
		t.Errorf("after the replays: %v, %d noted", ids, replays)
	}
	if ids, replays := list("&all=true"); len(ids) != len(before)+3 || replays != 3 {
		t.Errorf("of all: %v, %d noted", ids, replays)
	}
	if res, _ := call(t, http.MethodGet, "/dead-letters", nil, "Dapr-Api-Token", stack.token, "Dapr-Caller-App-Id", "gateway",
		"Authorization", stack.issuer.Bearer("customer-1", "CUSTOMER")); res.StatusCode != http.StatusForbidden {
		t.Errorf("a customer: %d", res.StatusCode)
	}
}

// The program itself tries what was given up again, with nobody asking.
func TestWhatWasGivenUpIsTriedAgainByTheProgram(t *testing.T) {
	id := newID()
	raw := fmt.Appendf(nil, `{"specversion":"1.0","id":%q,"type":"oneqtour.product.unheard-of.v1","topic":"product","data":{}}`, id)
	if _, body := call(t, http.MethodPost, "/events/dead-viewpage", raw, "Dapr-Api-Token", stack.token); string(body) != `{"status":"SUCCESS"}` {
		t.Fatalf("%s", body)
	}
	var d usecase.DeadLetter
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		stored, err := stack.store.Get(t.Context(), "viewpage:"+id)
		if err != nil || json.Unmarshal(stored.Data, &d) != nil {
			t.Fatalf("%s, %v", stored.Data, err)
		}
		if len(d.Replays) > 0 && d.Replays[0].Settled {
			break
		}
	}
	if len(d.Replays) != 1 || d.Replays[0].By != "viewpage" || d.Replays[0].Result != web.ReplayDone {
		t.Errorf("%+v", d.Replays)
	}
}
