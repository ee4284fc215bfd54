package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"oneqtour/apps/internal/webtest"
)

func TestF1_AnMDRegistersAProduct(t *testing.T) {
	s := start(t)
	res := s.Do(webtest.Request{Method: "POST", Path: "/products", Bearer: s.md, Body: s.body()})
	var p object
	res.JSON(&p)
	if res.Status != http.StatusCreated || res.Header.Get("Location") != fmt.Sprintf("/api/products/%v", p["productId"]) || res.Header.Get("ETag") != `"1"` {
		t.Errorf("answered %d %v", res.Status, res.Header)
	}
	want := s.body(func(b object) {
		b["productId"], b["mdId"], b["status"], b["version"], b["createdAt"] = p["productId"], "md-1", "OPEN", 1, p["createdAt"]
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
		{"a name with a control character", s.md, s.body(func(b object) { b["name"] = object{"ko": "오사카\x00"} }), nil, 422, "INVALID", "name.ko BAD_FORMAT"},
		{"a name of two lines", s.md, s.body(func(b object) { b["name"] = object{"ko": "오사카", "en": "Osaka\nJapan"} }), nil, 422, "INVALID", "name.en BAD_FORMAT"},
		{"a description with a control character", s.md, s.body(func(b object) { b["description"] = object{"en": "\u009b31m"} }), nil, 422, "INVALID", "description.en BAD_FORMAT"},
		{"a description of two lines", s.md, s.body(func(b object) { delete(b, "nights"); b["description"] = object{"ko": "첫째 날\n\t간사이"} }), nil, 201, "", ""},
		{"hundreds of thousands of departures", s.md, s.body(func(b object) { b["departures"] = slices.Repeat([]any{object{}}, 340_000) }), nil, 422, "INVALID", "departures TOO_LONG"},
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
			if len(res.Body) > 4096 {
				t.Errorf("an answer of %d bytes", len(res.Body))
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

// One thing has one name: the store says which version of the standard terms a reservation made today freezes.
func TestF3_APolicyVersionIsSaidOfSpecialTermsOnly(t *testing.T) {
	s := start(t)
	p := s.register()
	if named, said := p["policyVersion"]; said {
		t.Errorf("standard terms are called %v", named)
	}
	p["cancellationPolicy"] = object{"type": "SPECIAL", "tiers": []any{object{"fromDays": 0, "rate": 5000}}, "consent": object{"ko": "동의\n합니다"}}
	if res := s.put(p, s.md, `"1"`); res.Status != 200 {
		t.Fatalf("special terms: %d %s", res.Status, res.Body)
	}
	p = s.get(p["productId"])
	if p["policyVersion"] != "SPECIAL-2" {
		t.Errorf("special terms are called %v", p["policyVersion"])
	}
	for version := range 2 { // what was read can be written, and standard terms come back
		if res := s.put(p, s.md, fmt.Sprintf("%q", fmt.Sprint(version+2))); res.Status != 200 {
			t.Fatalf("what was read: %d %s", res.Status, res.Body)
		}
		p = s.get(p["productId"])
		p["cancellationPolicy"] = object{"type": "STANDARD"}
	}
	if named, said := s.get(p["productId"])["policyVersion"]; said {
		t.Errorf("standard terms are called %v", named)
	}
	p["policyVersion"] = "STANDARD-OVERSEAS-2014-03-21"
	if res := s.put(p, s.md, `"4"`); res.Status != 422 || !slices.Contains(res.Fields(), "policyVersion READ_ONLY") {
		t.Errorf("another name: %d %s", res.Status, res.Body)
	}
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
	if n := s.RefusesUnknownMembers(webtest.Request{Bearer: s.md}); n != 9 {
		t.Errorf("%d routes", n)
	}
}
