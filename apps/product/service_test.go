package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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
		web.Subscriptions{App: "product", PubSub: "pubsub", Letters: deadletter.New(s.db)})
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
