package main

import (
	"database/sql"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/store/httpapi"
	"oneqtour/apps/store/mysql"
	"oneqtour/apps/store/usecase"
)

// service is the real app on the real database; only the sidecar is missing.
type service struct {
	*webtest.Server
	db        *sql.DB
	md, other string
	customer  string
	today     terms.Date
	t         *testing.T
}

func start(t *testing.T) *service {
	t.Helper()
	issuer := webtest.Issuer(t)
	s := &service{t: t, today: terms.DateOf(time.Now()), md: issuer.Bearer("md-1", web.RoleMD), other: issuer.Bearer("md-2", web.RoleMD),
		customer: issuer.Bearer("customer-1", web.RoleCustomer)}
	s.db = dbtest.Open(t, mysql.Migrations(), deadletter.Migrations())
	app := web.NewApp(web.Options{AppID: "store", AppToken: webtest.AppToken, Log: zerolog.Nop()})
	httpapi.Mount(app, usecase.New(mysql.NewItems(s.db), time.Now), web.NewIdentity(issuer.URL, webtest.Audience),
		web.Subscriptions{App: "store", PubSub: "pubsub", Letters: deadletter.New(s.db)})
	s.Server = webtest.Serve(t, app)
	return s
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// product is what product tells of version 1, departing in 40 and in 100 days.
func (s *service) product(change ...func(*contract.Product)) contract.Product {
	p := contract.Product{
		ProductID: newID(), MDID: "md-1", Status: contract.ProductOpen, Version: 1, Kind: terms.Overseas, Country: "JP", Nights: 2,
		Name: contract.Text{Ko: "오사카 3일", En: "Osaka 3 days"}, Description: contract.Text{Ko: "온천 100% 즐기기", En: "Hot springs"},
		Price: 800_000, DiscountRate: 500, Recommendation: 5, FXBenefitRate: 3300,
		SavingsOffer:       &contract.SavingsOffer{BaseRate: 300, PreferentialRate: 50, TermMonths: 12},
		CancellationPolicy: contract.CancellationPolicy{Type: terms.Standard}, PolicyVersion: terms.Standard,
		Departures: []contract.Departure{
			{DepartureID: newID(), Date: string(s.today.AddDays(100)), Capacity: 20, MinParticipants: 8},
			{DepartureID: newID(), Date: string(s.today.AddDays(40)), Capacity: 10, MinParticipants: 1},
		},
	}
	for _, c := range change {
		c(&p)
	}
	return p
}

func (s *service) tell(p contract.Product) {
	s.t.Helper()
	event := contract.ProductRevised
	switch {
	case p.Status == contract.ProductIsWithdrawn:
		event = contract.ProductDiscontinued
	case p.Version == 1:
		event = contract.ProductRegistered
	}
	s.deliver("product", event, p.ProductID, p)
}

func (s *service) deliver(topic, event, subject string, data any) {
	s.t.Helper()
	e, err := contract.NewEvent(contract.Envelope{ID: newID(), Source: topic, Type: event, Subject: subject, Time: time.Now()}, data)
	if err != nil {
		s.t.Fatal(err)
	}
	if ack := s.Deliver(topic, e); ack != "SUCCESS" {
		s.t.Errorf("%s was answered %s", event, ack)
	}
}

type item struct {
	ProductID, MDID, Kind, Country, PolicyVersion string
	Name, Description                             contract.Text
	Price, DiscountedPrice                        money.KRW
	DiscountRate                                  int
	Nights, Recommendation, ReservedCount         int
	SavingsOffer                                  *contract.SavingsOffer
	Version                                       int64
	AsOf                                          time.Time
	Departures                                    []struct {
		DepartureID, Date   string
		Capacity, SeatsLeft int
		Closed              bool
	}
	Hidden   *bool
	Position *int
}

func (s *service) get(id string) (i item, status int) {
	s.t.Helper()
	res := s.Do(webtest.Request{Method: "GET", Path: "/items/" + id})
	if res.Status == 200 {
		res.JSON(&i)
	}
	return i, res.Status
}

// list follows the cursors to the end and gives the ids.
func (s *service) list(query string) (ids []string) {
	s.t.Helper()
	for cursor := ""; ; {
		res := s.Do(webtest.Request{Method: "GET", Path: "/items?" + query + cursor})
		if res.Status != 200 {
			s.t.Fatalf("%s: %d %s", query, res.Status, res.Body)
		}
		var page struct {
			Items      []item
			NextCursor *string
		}
		res.JSON(&page)
		for _, i := range page.Items {
			ids = append(ids, i.ProductID)
		}
		if len(ids) > 1000 {
			s.t.Fatalf("%s: the pages do not end", query)
		}
		if page.NextCursor == nil {
			return ids
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func (s *service) wantList(query string, want ...contract.Product) {
	s.t.Helper()
	var ids []string
	for _, p := range want {
		ids = append(ids, p.ProductID)
	}
	for _, limit := range []string{"", "&limit=1", "&limit=2"} {
		if got := s.list(query + limit); !slices.Equal(got, ids) {
			s.t.Errorf("%s%s: got %v, want %v", query, limit, got, ids)
		}
	}
}
