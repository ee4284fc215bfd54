package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/store/usecase"
)

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
	for _, query := range []string{"kind=SPACE", "country=jp", "country=JPN", "sort=colour", "limit=0", "limit=101", "cursor=%21",
		"q=" + strings.Repeat("a", 101), "sort=price&cursor=" + *web.Next(usecase.Place{Sort: usecase.ByNewest, ID: "x"})} {
		if res := s.Do(webtest.Request{Method: "GET", Path: "/items?" + query}); res.Status != 422 {
			t.Errorf("%s: %d", query, res.Status)
		}
	}
	for query, want := range map[string]string{"limit=x": "limit BAD_FORMAT", "q=%ff": "q BAD_FORMAT", "kind=DOMESTIC&kind=": "kind DUPLICATE"} {
		if res := s.Do(webtest.Request{Method: "GET", Path: "/items?" + query}); res.Status != 400 || !slices.Equal(res.Fields(), []string{want}) {
			t.Errorf("%s: %d %s", query, res.Status, res.Body)
		}
	}
	if n := s.RefusesUnknownMembers(webtest.Request{Bearer: s.md}); n != 4 {
		t.Errorf("%d routes", n)
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
	plain := s.product(func(p *contract.Product) {
		p.SavingsOffer, p.Departures[0].Closure = nil, &contract.Closure{Reason: "FORCE_MAJEURE", ClosedOn: string(s.today)}
	})
	s.tell(plain)
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
	notOffered := quote(plain, "travellers=1&paymentPlan=SAVINGS_FUNDED&departureId="+plain.Departures[0].DepartureID)
	if notOffered.Status != 422 || notOffered.Code() != "PLAN_NOT_OFFERED" || !slices.Contains(notOffered.Fields(), "paymentPlan NOT_ALLOWED") {
		t.Errorf("a plan that a closed departure's product does not have: %d %s", notOffered.Status, notOffered.Body)
	}
	// null, as on the board, rather than absent.
	if res := s.Do(webtest.Request{Method: "GET", Path: "/items/" + plain.ProductID}); !strings.Contains(string(res.Body), `"savingsOffer":null`) {
		t.Errorf("an item without savings offer: %s", res.Body)
	}
	for query, want := range map[string]string{
		"travellers=2":                        "422 departureId REQUIRED",
		"travellers=2&departureId=7":          "422 departureId BAD_FORMAT",
		open:                                  "422 travellers REQUIRED",
		open + "&travellers=two":              "400 travellers BAD_FORMAT",
		open + "&travellers=0":                "422 travellers OUT_OF_RANGE",
		open + "&travellers=100":              "422 travellers OUT_OF_RANGE",
		open + "&travellers=2&paymentPlan=X":  "422 paymentPlan NOT_ALLOWED",
		"travellers=2&departureId=" + newID(): "404 ",
		"travellers=2&departureId=" + p.Departures[1].DepartureID: "409 ",
	} {
		res := quote(p, query)
		got := fmt.Sprintf("%d ", res.Status)
		if res.Status == 422 || res.Status == 400 {
			got += strings.Join(res.Fields(), ", ")
		}
		if got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}
