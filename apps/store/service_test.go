package main

import (
	"database/sql"
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
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
		web.Subscriptions{App: "store", PubSub: "pubsub", Keep: deadletter.Keep(s.db)})
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

// totals are what reservation tells of the first departure of a product.
func totals(p contract.Product, version int64, confirmed, completed, cancelled int) contract.Reservation {
	return contract.Reservation{Departure: contract.Totals{
		DepartureID: p.Departures[0].DepartureID, ProductID: p.ProductID, Version: version, Capacity: p.Departures[0].Capacity,
		Held: 1, Confirmed: 2 * confirmed,
		Reservations: map[string]int{contract.StatusPending: 1, contract.StatusConfirmed: confirmed,
			contract.StatusCompleted: completed, contract.StatusCancelled: cancelled},
	}}
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

func TestF5_ARegisteredProductIsDisplayedAtOnce(t *testing.T) {
	s := start(t)
	p := s.product()
	s.tell(p)
	i, status := s.get(p.ProductID)
	if status != 200 {
		t.Fatalf("answered %d", status)
	}
	if i.MDID != "md-1" || i.DiscountedPrice != 760_000 || i.Recommendation != 5 || i.ReservedCount != 0 || i.Version != 1 || i.AsOf.IsZero() ||
		i.PolicyVersion != "STANDARD-OVERSEAS-2014-03-21" || i.Name != p.Name || i.SavingsOffer == nil {
		t.Errorf("got %+v", i)
	}
	if len(i.Departures) != 2 || i.Departures[0].DepartureID != p.Departures[1].DepartureID || i.Departures[1].SeatsLeft != 20 {
		t.Errorf("departures %+v", i.Departures)
	}
	s.wantList("", p)
}

func TestF6_RevisionsOutOfOrder(t *testing.T) {
	s := start(t)
	p := s.product()
	older, newer := p, p
	older.Version, older.Price = 2, 700_000
	newer.Version, newer.Price = 3, 600_000
	for _, told := range []contract.Product{p, newer, older, p} {
		s.tell(told)
	}
	if i, _ := s.get(p.ProductID); i.Version != 3 || i.Price != 600_000 || i.DiscountedPrice != 570_000 {
		t.Errorf("got %+v", i)
	}
}

func TestF7_ALateRevisionBringsNothingBack(t *testing.T) {
	s := start(t)
	p := s.product()
	late, gone := p, p
	late.Version = 2
	gone.Version, gone.Status = 3, contract.ProductIsWithdrawn
	s.tell(p)
	s.tell(gone)
	s.tell(late)
	// And one that was discontinued before it was heard of.
	q := s.product()
	goneToo := q
	goneToo.Version, goneToo.Status = 2, contract.ProductIsWithdrawn
	s.tell(goneToo)
	s.tell(q)
	for _, id := range []string{p.ProductID, q.ProductID, newID(), "7"} {
		if _, status := s.get(id); status != 404 {
			t.Errorf("%s: %d", id, status)
		}
	}
	s.wantList("")
}

func TestF16_TotalsBeforeTheProductAndTwice(t *testing.T) {
	s := start(t)
	p := s.product()
	s.deliver("reservation", contract.ReservationConfirmed, newID(), totals(p, 4, 3, 1, 0))
	if _, status := s.get(p.ProductID); status != 404 {
		t.Errorf("an item of which only totals are known: %d", status)
	}
	s.tell(p)
	for _, told := range []contract.Reservation{totals(p, 5, 2, 1, 1), totals(p, 4, 3, 1, 0), totals(p, 5, 2, 1, 1)} {
		s.deliver("reservation", contract.ReservationCancelled, newID(), told)
	}
	i, _ := s.get(p.ProductID)
	if i.ReservedCount != 3 || i.Departures[1].SeatsLeft != 20-1-4 || i.Departures[0].SeatsLeft != 10 {
		t.Errorf("got %+v", i)
	}
	closed := contract.DepartureState{Departure: totals(p, 6, 2, 1, 1).Departure}
	closed.Departure.Closed = true
	s.deliver("reservation", contract.DepartureChanged, p.Departures[0].DepartureID, closed)
	if i, _ := s.get(p.ProductID); !i.Departures[1].Closed || i.Departures[0].Closed {
		t.Errorf("got %+v", i.Departures)
	}
}

// Four products with two departures each; sixteen workers deliver every event twice, in any order. The count
// of an item must be the sum over its departures whatever came first.
func TestF16_CountsAreExactUnderDisorder(t *testing.T) {
	s := start(t)
	type delivery struct {
		topic, event string
		data         any
	}
	var all []delivery
	var products []contract.Product
	for range 4 {
		p := s.product()
		products = append(products, p)
		for version := range int64(5) {
			told := p
			told.Version = version + 1
			all = append(all, delivery{"product", contract.ProductRevised, told})
		}
		for i := range p.Departures {
			one := p
			one.Departures = p.Departures[i:]
			for version := 1; version <= 20; version++ {
				all = append(all, delivery{"reservation", contract.ReservationConfirmed, totals(one, int64(version), version, 0, 0)})
			}
		}
	}
	all = append(all, all...)
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	queue := make(chan delivery, len(all))
	for _, d := range all {
		queue <- d
	}
	close(queue)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for d := range queue {
				s.deliver(d.topic, d.event, newID(), d.data)
			}
		})
	}
	wg.Wait()
	for _, p := range products {
		if i, _ := s.get(p.ProductID); i.ReservedCount != 40 || i.Version != 5 {
			t.Errorf("got %d reservations, version %d; want 40, 5", i.ReservedCount, i.Version)
		}
	}
	if got := len(s.list("sort=reserved")); got != 4 {
		t.Errorf("%d items listed", got)
	}
}

func TestF2_FiltersAndOrders(t *testing.T) {
	s := start(t)
	named := func(ko, en string, price int64, stars int) func(*contract.Product) {
		return func(p *contract.Product) {
			p.Name, p.Description = contract.Text{Ko: ko, En: en}, contract.Text{}
			p.Price, p.DiscountRate, p.Recommendation = money.KRW(price), 0, stars
		}
	}
	domestic := func(p *contract.Product) { p.Kind, p.Country = terms.Domestic, "KR" }
	soon := func(p *contract.Product) { p.Departures[1].Date = string(s.today.AddDays(3)) }
	past := func(p *contract.Product) { p.Departures = p.Departures[:1]; p.Departures[0].Date = string(s.today) }
	osaka := s.product(named("오사카 100%", "Osaka", 500_000, 3))
	jeju := s.product(named("제주 a_b", "Jeju", 300_000, 5), domestic, soon)
	paris := s.product(named("파리", "Paris \\ é", 900_000, 3), func(p *contract.Product) { p.Country = "FR" }, past)
	for _, p := range []contract.Product{osaka, jeju, paris} {
		s.tell(p)
	}
	s.deliver("reservation", contract.ReservationConfirmed, newID(), totals(osaka, 1, 2, 0, 0))

	s.wantList("", paris, jeju, osaka)
	s.wantList("sort=newest", paris, jeju, osaka)
	s.wantList("sort=price", jeju, osaka, paris)
	s.wantList("sort=-price", paris, osaka, jeju)
	s.wantList("sort=recommendation", jeju, paris, osaka)
	s.wantList("sort=reserved", osaka, paris, jeju)
	s.wantList("sort=departure", jeju, osaka, paris)
	s.wantList("kind=DOMESTIC", jeju)
	s.wantList("kind=OVERSEAS&sort=price", osaka, paris)
	s.wantList("country=FR", paris)
	for text, want := range map[string][]contract.Product{
		"오사카": {osaka}, "osaKA": {osaka}, "100%": {osaka}, "0%": {osaka}, "%": {osaka}, "_": {jeju}, "a_b": {jeju}, "axb": nil,
		"\\": {paris}, "É": {paris}, "e\u0301": {paris}, "|": nil, "'": nil, "제주": {jeju}, " ": {paris, jeju, osaka},
	} {
		s.wantList("q="+url.QueryEscape(text), want...)
	}
	for _, query := range []string{"kind=SPACE", "country=jp", "country=JPN", "sort=colour", "limit=0", "limit=101", "limit=x", "cursor=%21",
		"q=" + strings.Repeat("a", 101), "q=%ff", "sort=price&cursor=" + *web.Next(usecase.Place{Sort: usecase.ByNewest, ID: "x"})} {
		if res := s.Do(webtest.Request{Method: "GET", Path: "/items?" + query}); res.Status != 422 {
			t.Errorf("%s: %d", query, res.Status)
		}
	}
}

func TestF5_AnMDArrangesItsOwnItems(t *testing.T) {
	s := start(t)
	first, second, third := s.product(), s.product(), s.product()
	gone := s.product(func(p *contract.Product) { p.Status = contract.ProductIsWithdrawn })
	for _, p := range []contract.Product{first, second, third, gone} {
		s.tell(p)
	}
	patch := func(id, bearer string, body any) webtest.Response {
		return s.Do(webtest.Request{Method: "PATCH", Path: "/items/" + id, Bearer: bearer, Body: body})
	}
	for _, c := range []struct {
		id, bearer, body string
		want             int
	}{
		{first.ProductID, "", `{}`, 401}, {first.ProductID, s.customer, `{}`, 403}, {first.ProductID, s.other, `{"hidden":true}`, 404},
		{newID(), s.md, `{}`, 404}, {"7", s.md, `{}`, 404}, {gone.ProductID, s.md, `{}`, 404},
		{first.ProductID, s.md, `{"position":0}`, 422}, {first.ProductID, s.md, `{"position":"x"}`, 400}, {first.ProductID, s.md, `{"position":1.5}`, 400},
		{first.ProductID, s.md, `{"place":1}`, 422}, {first.ProductID, s.md, `{"hidden":"yes"}`, 400}, {first.ProductID, s.md, `{`, 400},
	} {
		if res := patch(c.id, c.bearer, c.body); res.Status != c.want {
			t.Errorf("%s %s: %d, want %d", c.id, c.body, res.Status, c.want)
		}
	}
	s.wantList("", third, second, first)

	var i item
	if res := patch(first.ProductID, s.md, `{"position":2}`); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Body)
	} else if res.JSON(&i); i.Position == nil || *i.Position != 2 || i.Hidden == nil || *i.Hidden || len(i.Departures) != 2 {
		t.Errorf("got %+v", i)
	}
	patch(second.ProductID, s.md, `{"position":1}`)
	s.wantList("", second, first, third)
	patch(third.ProductID, s.md, `{"hidden":true}`)
	s.wantList("", second, first)
	if _, status := s.get(third.ProductID); status != 200 {
		t.Errorf("a hidden item is read by its address: %d", status)
	}
	// A revision keeps what the MD has arranged.
	revised := third
	revised.Version = 2
	s.tell(revised)
	s.wantList("", second, first)
	patch(third.ProductID, s.md, `{"hidden":false}`)
	patch(second.ProductID, s.md, `{"position":null}`)
	s.wantList("", first, third, second)
}

func TestF8_AQuoteBreaksThePriceDown(t *testing.T) {
	s := start(t)
	special := s.product(func(p *contract.Product) {
		p.PolicyVersion = "SPECIAL-1"
		p.CancellationPolicy = contract.CancellationPolicy{Type: terms.Special, Consent: &contract.Text{Ko: "동의", En: "yes"},
			Tiers: []contract.Tier{{FromDays: 30, Rate: 0}, {FromDays: 0, Rate: 5000}}}
	})
	p := s.product(func(p *contract.Product) {
		p.Departures[1].Closure = &contract.Closure{Reason: "FORCE_MAJEURE", ClosedOn: string(s.today)}
	})
	s.tell(p)
	s.tell(special)
	quote := func(p contract.Product, query string) webtest.Response {
		return s.Do(webtest.Request{Method: "GET", Path: "/items/" + p.ProductID + "/quote?" + query})
	}
	type answer struct {
		Price           contract.Price
		DueNow, Balance money.KRW
		DueOn           *terms.Date
		PolicyVersion   string
		Policy          struct {
			Type, Version string
			Tiers         []terms.Tier
			Consent       *contract.Text
		}
	}
	var full, funded, terms2 answer
	open := "departureId=" + p.Departures[0].DepartureID
	quote(p, open+"&travellers=2").JSON(&full)
	if full.Price != (contract.Price{List: 1_600_000, Discount: 80_000, Payable: 1_520_000, DueNow: 1_520_000}) || full.DueNow != 1_520_000 ||
		full.Balance != 0 || full.DueOn != nil || full.PolicyVersion != "STANDARD-OVERSEAS-2014-03-21" || len(full.Policy.Tiers) != 6 {
		t.Errorf("FULL: %+v", full)
	}
	quote(p, open+"&travellers=2&paymentPlan=SAVINGS_FUNDED").JSON(&funded)
	if funded.DueNow != 152_000 || funded.Price.DueNow != 152_000 || funded.Balance != 1_368_000 || funded.DueOn == nil || *funded.DueOn != s.today.AddDays(70) {
		t.Errorf("SAVINGS_FUNDED: %+v", funded)
	}
	quote(special, "travellers=1&departureId="+special.Departures[0].DepartureID).JSON(&terms2)
	if terms2.PolicyVersion != "SPECIAL-1" || terms2.Policy.Type != terms.Special || terms2.Policy.Consent == nil || len(terms2.Policy.Tiers) != 2 {
		t.Errorf("special terms: %+v", terms2)
	}
	for query, want := range map[string]string{
		"travellers=2":                        "422 departureId REQUIRED",
		"travellers=2&departureId=7":          "422 departureId BAD_FORMAT",
		open:                                  "422 travellers REQUIRED",
		open + "&travellers=two":              "422 travellers BAD_FORMAT",
		open + "&travellers=0":                "422 travellers OUT_OF_RANGE",
		open + "&travellers=100":              "422 travellers OUT_OF_RANGE",
		open + "&travellers=2&paymentPlan=X":  "422 paymentPlan NOT_ALLOWED",
		"travellers=2&departureId=" + newID(): "404 ",
		"travellers=2&departureId=" + p.Departures[1].DepartureID: "409 ",
	} {
		res := quote(p, query)
		got := fmt.Sprintf("%d ", res.Status)
		if res.Status == 422 {
			got += strings.Join(res.Fields(), ", ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestEventsThatCannotBeReadAreDropped(t *testing.T) {
	s := start(t)
	bad := s.product(func(p *contract.Product) { p.Departures[0].Date = "soon" })
	for topic, data := range map[string]any{"product": bad, "reservation": contract.Reservation{}} {
		e, _ := contract.NewEvent(contract.Envelope{ID: newID(), Type: "oneqtour." + topic + ".confirmed.v1", Subject: "x", Time: time.Now()}, data)
		if ack := s.Deliver(topic, e); ack != "DROP" {
			t.Errorf("%s: %s", topic, ack)
		}
	}
}
