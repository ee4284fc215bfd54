package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/product/httpapi"
	"oneqtour/apps/product/mysql"
	"oneqtour/apps/product/usecase"
)

// service is the real app on the real database; only the sidecar is missing.
type service struct {
	*webtest.Server
	db           *sql.DB
	md, other    string
	customer     string
	stored       int // how often the relay was woken
	tomorrow     string
	t            *testing.T
	todayInSeoul terms.Date
}

func start(t *testing.T) *service {
	t.Helper()
	issuer := webtest.Issuer(t)
	s := &service{t: t, md: issuer.Bearer("md-1", web.RoleMD), other: issuer.Bearer("md-2", web.RoleMD),
		customer: issuer.Bearer("customer-1", web.RoleCustomer), todayInSeoul: terms.DateOf(time.Now())}
	s.tomorrow = string(s.todayInSeoul.AddDays(1))
	s.db = dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	products := usecase.New(mysql.NewProducts(s.db), mysql.NewInbox(s.db), usecase.Environment{
		App: "product", Now: time.Now, NewID: newID, Stored: func() { s.stored++ },
	})
	app := web.NewApp(web.Options{AppID: "product", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	httpapi.Mount(app, products, web.NewIdentity(issuer.URL, webtest.Audience),
		web.Subscriptions{App: "product", PubSub: "pubsub", Keep: deadletter.Keep(s.db)})
	s.Server = webtest.Serve(t, app)
	return s
}

type object = map[string]any

// body is the product of the API's description.
func (s *service) body(change ...func(object)) object {
	b := object{
		"kind": "OVERSEAS", "name": object{"ko": "오사카 3일 + 5% 적금", "en": "Osaka 3 days"}, "description": object{"ko": "…", "en": "…"},
		"country": "JP", "nights": 2, "price": 800000, "discountRate": 500, "recommendation": 5, "fxBenefitRate": 3300,
		"savingsOffer":       object{"baseRate": 300, "preferentialRate": 50, "termMonths": 12},
		"cancellationPolicy": object{"type": "STANDARD"},
		"departures":         []any{object{"date": s.tomorrow, "capacity": 20, "minParticipants": 8}},
	}
	for _, c := range change {
		c(b)
	}
	return b
}

func (s *service) register() object {
	s.t.Helper()
	res := s.Do(webtest.Request{Method: "POST", Path: "/products", Bearer: s.md, Body: s.body()})
	if res.Status != http.StatusCreated {
		s.t.Fatalf("registering was answered %d %s", res.Status, res.Body)
	}
	var p object
	res.JSON(&p)
	return p
}

func (s *service) get(id any) object {
	s.t.Helper()
	res := s.Do(webtest.Request{Method: "GET", Path: fmt.Sprintf("/products/%v", id)})
	if res.Status != http.StatusOK {
		s.t.Fatalf("reading was answered %d %s", res.Status, res.Body)
	}
	var p object
	res.JSON(&p)
	return p
}

func (s *service) put(p object, bearer, ifMatch string) webtest.Response {
	s.t.Helper()
	header := map[string]string{}
	if ifMatch != "" {
		header["If-Match"] = ifMatch
	}
	return s.Do(webtest.Request{Method: "PUT", Path: fmt.Sprintf("/products/%v", p["productId"]), Bearer: bearer, Header: header, Body: p})
}

// events are the types and versions in the outbox, in the order in which they were stored.
func (s *service) events() (said []string) {
	s.t.Helper()
	rows, err := s.db.Query("SELECT partition_key, event FROM outbox ORDER BY id")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key, raw string
		var e contract.Event
		if err := rows.Scan(&key, &raw); err != nil {
			s.t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(raw), &e); err != nil {
			s.t.Fatal(err)
		}
		p, err := contract.Decode[contract.Product](e)
		if err != nil {
			s.t.Fatal(err)
		}
		if e.Subject != p.ProductID || key != p.ProductID || p.Meta.Version != p.Version || p.Meta.CorrelationID == "" || p.Meta.Actor != "md-1" {
			s.t.Errorf("event %s", raw)
		}
		said = append(said, fmt.Sprintf("%s %d %s", e.Type, p.Version, p.Status))
	}
	return said
}

func (s *service) wantEvents(want ...string) {
	s.t.Helper()
	if got := s.events(); !slices.Equal(got, want) {
		s.t.Errorf("events %q, want %q", got, want)
	}
}

func TestF1_AnMDRegistersAProduct(t *testing.T) {
	s := start(t)
	res := s.Do(webtest.Request{Method: "POST", Path: "/products", Bearer: s.md, Body: s.body()})
	var p object
	res.JSON(&p)
	if res.Status != http.StatusCreated || res.Header.Get("Location") != fmt.Sprintf("/api/products/%v", p["productId"]) || res.Header.Get("ETag") != `"1"` {
		t.Errorf("answered %d %v", res.Status, res.Header)
	}
	want := s.body(func(b object) {
		b["productId"], b["mdId"], b["status"], b["version"], b["policyVersion"], b["createdAt"] = p["productId"], "md-1", "OPEN", 1, "STANDARD", p["createdAt"]
		b["departures"].([]any)[0].(object)["departureId"] = p["departures"].([]any)[0].(object)["departureId"]
	})
	if got, want := asJSON(t, p), asJSON(t, want); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := asJSON(t, s.get(p["productId"])); got != asJSON(t, p) {
		t.Errorf("GET gives %s, POST gave %s", got, asJSON(t, p))
	}
	s.wantEvents("oneqtour.product.registered.v1 1 OPEN")
	if s.stored != 1 {
		t.Errorf("the relay was woken %d times", s.stored)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestF1_WhoMayRegisterAndWhat(t *testing.T) {
	s := start(t)
	cases := []struct {
		name   string
		bearer string
		body   any
		header map[string]string
		status int
		code   string
		field  string
	}{
		{"nobody", "", s.body(), nil, 401, "UNAUTHENTICATED", ""},
		{"a customer", s.customer, s.body(), nil, 403, "WRONG_ROLE", ""},
		{"a customer with nonsense", s.customer, "{", nil, 403, "WRONG_ROLE", ""},
		{"broken JSON", s.md, "{", nil, 400, "MALFORMED", ""},
		{"a price in words", s.md, s.body(func(b object) { b["price"] = "cheap" }), nil, 400, "MALFORMED", "price BAD_FORMAT"},
		{"half a won", s.md, s.body(func(b object) { b["price"] = 1000.5 }), nil, 400, "MALFORMED", "price BAD_FORMAT"},
		{"no JSON by its header", s.md, "price=1", map[string]string{"Content-Type": "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", ""},
		{"more than 1 MB", s.md, strings.Repeat(" ", 1<<20+1), nil, 413, "TOO_LARGE", ""},
		{"a bad price", s.md, s.body(func(b object) { b["price"] = 999 }), nil, 422, "INVALID", "price OUT_OF_RANGE"},
		{"a date in the past", s.md, s.body(func(b object) { b["departures"].([]any)[0].(object)["date"] = string(s.todayInSeoul) }), nil, 422, "INVALID", "departures[0].date IN_THE_PAST"},
		{"a bad capacity", s.md, s.body(func(b object) { b["departures"].([]any)[0].(object)["capacity"] = 0 }), nil, 422, "INVALID", "departures[0].capacity OUT_OF_RANGE"},
		{"an unknown member", s.md, s.body(func(b object) { b["colour"] = "red" }), nil, 422, "INVALID", "colour UNKNOWN_MEMBER"},
		{"an id of its own", s.md, s.body(func(b object) { b["productId"] = newID() }), nil, 422, "INVALID", "productId READ_ONLY"},
		{"nights and policy by default", s.md, s.body(func(b object) { delete(b, "nights"); delete(b, "cancellationPolicy"); delete(b, "savingsOffer") }), nil, 201, "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			res := s.Do(webtest.Request{Method: "POST", Path: "/products", Bearer: c.bearer, Body: c.body, Header: c.header})
			if res.Status != c.status {
				t.Fatalf("answered %d %s", res.Status, res.Body)
			}
			if c.code != "" && res.Code() != c.code {
				t.Errorf("code %s, want %s", res.Code(), c.code)
			}
			if c.field != "" && !slices.Contains(res.Fields(), c.field) {
				t.Errorf("fields %v, want %s", res.Fields(), c.field)
			}
			if c.status == http.StatusCreated {
				var p struct{ Nights int }
				if res.JSON(&p); p.Nights != 1 {
					t.Errorf("nights %d, want 1", p.Nights)
				}
			}
		})
	}
}

func TestF3_RevisingWithETags(t *testing.T) {
	s := start(t)
	p := s.register()
	p["price"] = 900000
	checks := []struct {
		name    string
		bearer  string
		ifMatch string
		status  int
		code    string
	}{
		{"without a version", s.md, "", 428, "IF_MATCH_REQUIRED"},
		{"another MD", s.other, `"1"`, 404, "NOT_FOUND"},
		{"a version that never was", s.md, `"7"`, 412, "STALE"},
		{"the version that was read", s.md, `"1"`, 200, ""},
		{"the same again", s.md, `"1"`, 412, "STALE"},
	}
	for _, c := range checks {
		res := s.put(p, c.bearer, c.ifMatch)
		if res.Status != c.status || c.code != "" && res.Code() != c.code {
			t.Errorf("%s: answered %d %s", c.name, res.Status, res.Body)
		}
		if res.Status == 200 && res.Header.Get("ETag") != `"2"` {
			t.Errorf("ETag %s", res.Header.Get("ETag"))
		}
	}
	now := s.get(p["productId"])
	if now["version"] != 2.0 || now["price"] != 900000.0 || now["createdAt"] != p["createdAt"] {
		t.Errorf("got %v", now)
	}
	now["status"] = "DISCONTINUED"
	if res := s.put(now, s.md, `"2"`); res.Status != 422 || !slices.Contains(res.Fields(), "status READ_ONLY") {
		t.Errorf("a status by the client: %d %s", res.Status, res.Body)
	}
	s.wantEvents("oneqtour.product.registered.v1 1 OPEN", "oneqtour.product.revised.v1 2 OPEN")
}

func TestF4_DiscontinuingIsFinalAndStaysReadable(t *testing.T) {
	s := start(t)
	p := s.register()
	path := fmt.Sprintf("/products/%v", p["productId"])
	remove := func(path, bearer string) int {
		return s.Do(webtest.Request{Method: "DELETE", Path: path, Bearer: bearer}).Status
	}
	for _, c := range []struct {
		path, bearer string
		want         int
	}{
		{path, s.customer, 403}, {path, s.other, 404}, {"/products/" + newID(), s.md, 404}, {"/products/7", s.md, 404},
		{path, s.md, 204}, {path, s.md, 204},
	} {
		if got := remove(c.path, c.bearer); got != c.want {
			t.Errorf("DELETE %s: %d, want %d", c.path, got, c.want)
		}
	}
	now := s.get(p["productId"])
	if now["status"] != "DISCONTINUED" || now["version"] != 2.0 {
		t.Errorf("got %v", now)
	}
	if res := s.put(now, s.md, `"2"`); res.Status != 410 || res.Code() != "DISCONTINUED" {
		t.Errorf("revising it: %d %s", res.Status, res.Body)
	}
	s.wantEvents("oneqtour.product.registered.v1 1 OPEN", "oneqtour.product.discontinued.v1 2 DISCONTINUED")
}

func TestF1_AnMDListsItsOwnProducts(t *testing.T) {
	s := start(t)
	var want []any
	for range 3 {
		want = append([]any{s.register()["productId"]}, want...)
	}
	var got []any
	path := "/products?limit=2"
	for {
		res := s.Do(webtest.Request{Method: "GET", Path: path, Bearer: s.md})
		var page struct {
			Items      []object
			NextCursor string
		}
		res.JSON(&page)
		for _, p := range page.Items {
			got = append(got, p["productId"])
		}
		if page.NextCursor == "" {
			break
		}
		path = "/products?limit=2&cursor=" + page.NextCursor
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for path, status := range map[string]int{"/products?limit=0": 422, "/products?limit=101": 422, "/products?cursor=%21": 422, "/products?cursor=Inh4Ig": 422} {
		if res := s.Do(webtest.Request{Method: "GET", Path: path, Bearer: s.md}); res.Status != status {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	if res := s.Do(webtest.Request{Method: "GET", Path: "/products"}); res.Status != 401 {
		t.Errorf("nobody's list: %d", res.Status)
	}
}

func TestClosingADeparture(t *testing.T) {
	s := start(t)
	p := s.register()
	departure := p["departures"].([]any)[0].(object)["departureId"]
	path := fmt.Sprintf("/products/%v/departures/%v/closure", p["productId"], departure)
	call := func(method, bearer string, body any) webtest.Response {
		return s.Do(webtest.Request{Method: method, Path: path, Bearer: bearer, Body: body})
	}
	closing := object{"reason": "UNDER_SUBSCRIBED", "note": "모객 미달"}
	if res := call("GET", s.md, nil); res.Status != 404 {
		t.Errorf("an open departure: %d", res.Status)
	}
	if res := call("POST", s.md, object{"reason": "RAIN"}); res.Status != 422 || !slices.Contains(res.Fields(), "reason NOT_ALLOWED") {
		t.Errorf("an unknown reason: %d %s", res.Status, res.Body)
	}
	if res := call("POST", s.other, closing); res.Status != 404 {
		t.Errorf("another MD: %d", res.Status)
	}
	// A reservation of the departure that was heard of before, and one that is settled afterwards.
	open, done := newID(), newID()
	for _, id := range []string{open, done} {
		if ack := s.Deliver("reservation", reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed)); ack != "SUCCESS" {
			t.Fatal(ack)
		}
	}
	for range 2 {
		if res := call("POST", s.md, closing); res.Status != 202 {
			t.Errorf("closing: %d %s", res.Status, res.Body)
		}
	}
	if res := call("POST", s.md, object{"reason": "FORCE_MAJEURE"}); res.Status != 409 || res.Code() != "DEPARTURE_CLOSED" {
		t.Errorf("closing for another reason: %d %s", res.Status, res.Body)
	}
	s.Deliver("reservation", reservation(done, p, departure, contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled))
	var got object
	call("GET", s.md, nil).JSON(&got)
	want := object{"reason": "UNDER_SUBSCRIBED", "note": "모객 미달", "closedOn": string(s.todayInSeoul), "total": 2, "done": 1, "failed": 0}
	if asJSON(t, got) != asJSON(t, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.wantEvents("oneqtour.product.registered.v1 1 OPEN", "oneqtour.product.departure-closed.v1 2 OPEN")
}

// reservation is an event that says the whole history.
func reservation(id string, p object, departure any, states ...string) contract.Event {
	r := contract.Reservation{ReservationState: contract.ReservationState{
		ReservationID: id, MDID: "md-1", ProductID: p["productId"].(string), DepartureID: departure.(string),
		Status: states[len(states)-1], Version: int64(len(states)),
	}}
	from := ""
	for i, to := range states {
		// A minute ahead, so that what follows a closure is later than it.
		r.History = append(r.History, contract.HistoryEntry{Version: int64(i + 1), From: from, To: to, At: time.Now().Add(time.Duration(i) * time.Minute)})
		from = to
	}
	e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Source: "reservation", Subject: id, Time: time.Now(),
		Type: "oneqtour.reservation." + strings.ReplaceAll(strings.ToLower(r.Status), "_", "-") + ".v1"}, r)
	return e
}

func TestN5_EveryChangeOfAReservationReachesTheInboxOnce(t *testing.T) {
	s := start(t)
	p := object{"productId": newID()}
	id, departure := newID(), newID()
	cancelled := reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled)
	confirmed := reservation(id, p, departure, contract.StatusPending, contract.StatusConfirmed)
	for _, e := range []contract.Event{cancelled, confirmed, cancelled, {ID: newID(), Type: contract.DepartureChanged, Data: []byte(`{}`)}} {
		if ack := s.Deliver("reservation", e); ack != "SUCCESS" {
			t.Errorf("%s: %s", e.Type, ack)
		}
	}
	inbox := func(query string) (seqs []int64, statuses []string, next string) {
		res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices" + query, Bearer: s.md})
		var page struct {
			Items []struct {
				Seq                              int64
				ReservationID, ProductID, Status string
				At                               time.Time
				Acknowledged                     bool
			}
			NextCursor string
		}
		if res.JSON(&page); res.Status != 200 {
			t.Fatalf("%s: %d %s", query, res.Status, res.Body)
		}
		for _, n := range page.Items {
			if n.ReservationID != id || n.ProductID != p["productId"] || n.At.IsZero() {
				t.Errorf("notice %+v", n)
			}
			seqs, statuses = append(seqs, n.Seq), append(statuses, n.Status)
		}
		return seqs, statuses, page.NextCursor
	}
	seqs, statuses, _ := inbox("")
	if !slices.Equal(seqs, []int64{1, 2, 3}) || !slices.Equal(statuses, []string{"CONFIRMED", "CANCEL_REQUESTED", "CANCELLED"}) {
		t.Errorf("inbox %v %v", seqs, statuses)
	}
	if seqs, _, _ := inbox("?after=2"); !slices.Equal(seqs, []int64{3}) {
		t.Errorf("after 2: %v", seqs)
	}
	_, _, next := inbox("?limit=2")
	if seqs, _, _ := inbox("?limit=2&cursor=" + next); !slices.Equal(seqs, []int64{3}) {
		t.Errorf("second page: %v", seqs)
	}
	for path, want := range map[string]int{"/md/notices/2/acknowledgement": 204, "/md/notices/4/acknowledgement": 404, "/md/notices/x/acknowledgement": 404} {
		if res := s.Do(webtest.Request{Method: "POST", Path: path, Bearer: s.md}); res.Status != want {
			t.Errorf("%s: %d", path, res.Status)
		}
	}
	if res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices?after=-1", Bearer: s.md}); res.Status != 422 {
		t.Errorf("after=-1: %d", res.Status)
	}
	if res := s.Do(webtest.Request{Method: "GET", Path: "/md/notices", Bearer: s.customer}); res.Status != 403 {
		t.Errorf("a customer's inbox: %d", res.Status)
	}
}

func TestEventsThatCannotBeReadAreDropped(t *testing.T) {
	s := start(t)
	bad := reservation("7", object{"productId": newID()}, newID(), contract.StatusPending)
	if ack := s.Deliver("reservation", bad); ack != "DROP" {
		t.Errorf("an event without ids: %s", ack)
	}
	if ack := s.Deliver("reservation", contract.Event{ID: newID(), Type: contract.ReservationConfirmed, Data: []byte(`{"version":"x"}`)}); ack != "DROP" {
		t.Errorf("an event of wrong types: %s", ack)
	}
	if ack := s.Deliver("reservation", contract.Event{ID: newID(), Type: "oneqtour.other.thing.v1", Data: []byte(`{}`)}); ack != "SUCCESS" {
		t.Errorf("an event of an unknown type: %s", ack)
	}
}
