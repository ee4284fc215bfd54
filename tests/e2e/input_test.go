package e2e

import (
	"bytes"
	"compress/gzip"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oneqtour/tests/stack"
)

// Bad input of every kind gets a clear 4xx and changes nothing.
func TestBadInputIsRefusedAndChangesNothing(t *testing.T) {
	p := register(t, osaka(20))
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201))
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 1 })
	reservations, products := sys.Database(t, "reservation"), sys.Database(t, "product")
	count := func() string {
		return fmt.Sprint(rows(t, reservations, "reservations"), rows(t, reservations, "idempotency_keys"), rows(t, products, "products"), len(ledger(t)))
	}
	before := count()

	good := wish(p, 1, "tok_ok")
	with := func(name string, value any) object {
		b := object{}
		for k, v := range good {
			b[k] = v
		}
		b[name] = value
		return b
	}
	customer, md := sys.As(t, "customer-1").With("Idempotency-Key", newID()), sys.As(t, "md-1")
	for _, c := range []struct {
		name   string
		body   any
		status int
	}{
		{"not JSON", `{"productId":`, 400},
		{"no object", `[1,2]`, 400},
		{"null", `null`, 400},
		{"empty", ``, 400},
		{"two documents", `{}{}`, 400},
		{"wrong type", with("travellers", "two"), 400},
		{"a fraction", with("travellers", 1.5), 400},
		{"too large a number", `{"travellers":99999999999999999999}`, 400},
		{"invalid UTF-8", []byte("{\"productId\":\"\xff\xfe\"}"), 400},
		{"unknown member", with("status", "CONFIRMED"), 422},
		{"unknown member inside", with("paymentMethod", object{"type": "CARD", "token": "tok_ok", "amount": 1}), 422},
		{"member in another case", with("Travellers", 1), 422},
		{"no travellers", with("travellers", 0), 422},
		{"negative travellers", with("travellers", -1), 422},
		{"a hundred travellers", with("travellers", 100), 422},
		{"negative price", with("expectedPrice", -1), 422},
		{"SQL for an id", with("productId", "' OR 1=1 --"), 422},
		{"another version of UUID", with("reservationId", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"), 422},
		{"no such plan", with("paymentPlan", "FREE"), 422},
		{"no such payment", with("paymentMethod", object{"type": "CASH", "token": "x"}), 422},
		{"no token", with("paymentMethod", object{"type": "CARD", "token": ""}), 422},
		{"control characters", with("paymentMethod", object{"type": "CARD", "token": "tok\x00ok"}), 422},
		{"a product that is not", with("productId", newID()), 404},
		{"a departure that is not", with("departureId", newID()), 404},
		{"another price", with("expectedPrice", 1), 409},
		{"other terms", with("acceptedPolicyVersion", "'; DROP TABLE reservations; --"), 409},
		{"savings, not offered yet", with("paymentPlan", "SAVINGS_FUNDED"), 422},
		{"ten megabytes", bytes.Repeat([]byte(" "), 10<<20), 413},
		{"nested without end", strings.Repeat("[", 100_000), 400},
	} {
		if a := customer.Do("POST", "/api/reservations", c.body); a.Status != c.status || a.Code() == "" {
			t.Errorf("%s: %d %s", c.name, a.Status, a.Body)
		}
	}
	customer.With("Content-Type", "text/plain").Do("POST", "/api/reservations", good).Is(t, 415)
	customer.With("Content-Encoding", "gzip").Do("POST", "/api/reservations", zipped(good)).Is(t, 415, "UNSUPPORTED_MEDIA_TYPE")
	sys.As(t, "customer-1").Do("POST", "/api/reservations", good).Is(t, 400, "IDEMPOTENCY_KEY_MISSING")
	sys.As(t, "customer-1").With("Idempotency-Key", strings.Repeat("k", 256)).Do("POST", "/api/reservations", good).Is(t, 400, "IDEMPOTENCY_KEY_INVALID")

	for name, body := range map[string]any{
		"negative price": change(osaka(20), "price", -1), "no name": change(osaka(20), "name", object{"ko": "", "en": ""}),
		"too long": change(osaka(20), "description", object{"ko": strings.Repeat("가", 4001), "en": "x"}), "no departures": change(osaka(20), "departures", []object{}),
		"unknown member": change(osaka(20), "mdId", "md-2"), "no such date": change(osaka(20), "departures", []object{{"date": "2027-02-30", "capacity": 1, "minParticipants": 1}}),
		"NUL in a name": change(osaka(20), "name", object{"ko": "오사카\x00", "en": "Osaka"}), "NUL in a country": change(osaka(20), "country", "J\x00"),
		"an escape in a description": change(osaka(20), "description", object{"ko": "\x1b[2J", "en": "x"}),
	} {
		if a := md.Do("POST", "/api/products", body); a.Status != 422 {
			t.Errorf("product with %s: %d %s", name, a.Status, a.Body)
		}
	}
	for _, path := range []string{
		"/api/reservations/not-an-id", "/api/reservations/" + newID(), "/api/reservations/' OR '1'='1", "/api/reservations/%00",
		"/api/reservations/..%2f..%2fproducts", "/api/reservations/" + r.ReservationID + "/nothing",
	} {
		path = strings.ReplaceAll(path, " ", "%20")
		if a := sys.As(t, "customer-1").Do("GET", path, nil); a.Status != 404 && a.Status != 400 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	for _, path := range []string{"/api/reservations?limit=0", "/api/reservations?limit=x", "/api/store/items?limit=1000",
		"/api/store/items?sort=price;drop", "/api/view/board?limit=-1", "/api/store/items?kind=SPACE"} {
		if a := sys.As(t, "customer-1").Do("GET", path, nil); a.Status != 422 && a.Status != 400 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
	badBodiesElsewhere(t, p, r)
	sys.As(t, "").Do("GET", "/api/store/items?q=%27%20OR%201=1%20--%20%25_", nil).Is(t, 200)
	// Another's reservation is not there, whatever is asked of it.
	for _, end := range []string{"", "/history", "/cancellation-quote"} {
		sys.As(t, "customer-2").Do("GET", "/api/reservations/"+r.ReservationID+end, nil).Is(t, 404, "NOT_FOUND")
	}
	a := sys.As(t, "customer-1").Do("PUT", "/api/reservations/"+r.ReservationID, object{"status": "CANCELLED"})
	if a.Status != 405 || a.Header.Get("Allow") == "" {
		t.Errorf("PUT: %d Allow %q", a.Status, a.Header.Get("Allow"))
	}
	if after := count(); after != before {
		t.Errorf("rows and charges before %s, after %s", before, after)
	}
}

// badBodiesElsewhere sends what is no good to the other routes that take a body.
func badBodiesElsewhere(t *testing.T, p product, r reservation) {
	t.Helper()
	customer, md := sys.As(t, "customer-1"), sys.As(t, "md-1")
	closure := "/api/products/" + p.ProductID + "/departures/" + p.Departures[0].DepartureID + "/closure"
	for _, route := range []struct {
		who          stack.Client
		method, path string
		invalid      []object
	}{
		{customer, "POST", "/api/reservations/" + r.ReservationID + "/cancellation", []object{
			{"expectedFee": -1}, {"waiver": "BAD_WEATHER"}, {"reason": strings.Repeat("가", 5000)}, {"reason": "a\x00b"}, {"status": "CANCELLED"}}},
		{md, "POST", closure, []object{
			{}, {"reason": "RAIN"}, {"reason": "force_majeure"}, {"reason": "FORCE_MAJEURE", "note": "a\x00b"}, {"reason": "FORCE_MAJEURE", "closedOn": "2027-01-01"}}},
		{md, "PATCH", "/api/store/items/" + p.ProductID, []object{{"position": -1}, {"position": 0}, {"price": 1}, {"Hidden": true}}},
	} {
		c := route.who.With("Idempotency-Key", newID())
		at := route.method + " " + route.path
		for _, body := range []any{`{"`, `[]`, `null`, ``, `{}{}`, []byte("{\"reason\":\"\xff\"}")} {
			if a := c.Do(route.method, route.path, body); a.Status != 400 {
				t.Errorf("%s with %s: %d %s", at, body, a.Status, a.Body)
			}
		}
		for _, body := range route.invalid {
			if a := c.Do(route.method, route.path, body); a.Status != 422 || a.Code() != "INVALID" {
				t.Errorf("%s with %.60v: %d %s", at, body, a.Status, a.Body)
			}
		}
		if a := c.With("Content-Type", "text/plain").Do(route.method, route.path, `{}`); a.Status != 415 {
			t.Errorf("%s as a text: %d %s", at, a.Status, a.Body)
		}
		if a := c.Do(route.method, route.path, bytes.Repeat([]byte(" "), 2<<20)); a.Status != 413 {
			t.Errorf("%s with two megabytes: %d %s", at, a.Status, a.Body)
		}
	}
}

// A cursor that no page gave is refused by every list, also one that looks like ours.
func TestHandMadeCursorsAreRefused(t *testing.T) {
	for path, who := range map[string]string{
		"/api/reservations": "customer-1", "/api/view/mine": "customer-1", "/api/products": "md-1", "/api/view/md": "md-1",
		"/api/md/notices": "md-1", "/api/store/items": "", "/api/view/board": "",
	} {
		c := sys.As(t, who)
		for _, cursor := range []string{"zzz", "' OR 1=1", "null", "{}", "[]", `{"x":1}`, `"x"`, "\x00", `{"a":"yesterday","i":"x"}`} {
			for _, encoded := range []string{url.QueryEscape(cursor), base64.RawURLEncoding.EncodeToString([]byte(cursor))} {
				if a := c.Do("GET", path+"?cursor="+encoded, nil); a.Status != 422 || a.Code() != "INVALID" || !strings.Contains(string(a.Body), `"field":"cursor"`) {
					t.Errorf("%s with %q: %d %s", path, encoded, a.Status, a.Body)
				}
			}
		}
		if a := c.Do("GET", path+"?cursor="+strings.Repeat("A", 4000), nil); a.Status != 422 {
			t.Errorf("%s with a long one: %d %s", path, a.Status, a.Body)
		}
	}
}

// A method that a path does not have is answered with those that it has, OPTIONS included: there is no CORS.
func TestOtherMethodsAreRefusedWithAllow(t *testing.T) {
	for path, allow := range map[string]string{
		"/api/reservations": "GET, POST", "/api/products/" + newID(): "DELETE, GET, PUT", "/api/store/items": "GET", "/api/view/board": "GET", "/webhooks/payment": "POST",
	} {
		for _, method := range []string{"OPTIONS", "PATCH"} {
			a := sys.As(t, "").Do(method, path, nil)
			got := strings.Split(strings.ReplaceAll(a.Header.Get("Allow"), " ", ""), ",")
			got = slices.DeleteFunc(got, func(m string) bool { return m == "HEAD" })
			slices.Sort(got)
			if a.Status != 405 || strings.Join(got, ", ") != allow || a.Code() != "METHOD_NOT_ALLOWED" {
				t.Errorf("%s %s: %d Allow %q %s", method, path, a.Status, a.Header.Get("Allow"), a.Body)
			}
		}
	}
}

func zipped(body any) []byte {
	raw, _ := json.Marshal(body)
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(raw)
	_ = w.Close()
	return out.Bytes()
}

func change(b object, name string, value any) object {
	b[name] = value
	return b
}

func rows(t testing.TB, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT COUNT(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestProblemsSpeakKoreanAndEnglish(t *testing.T) {
	stranger := sys.As(t, "")
	korean := stranger.Do("GET", "/api/reservations", nil).Is(t, 401)
	english := stranger.With("Accept-Language", "en-GB,en;q=0.9").Do("GET", "/api/reservations", nil).Is(t, 401)
	type doc struct{ Type, Title, Detail, Code, CorrelationID string }
	ko, en := stack.Read[doc](t, korean), stack.Read[doc](t, english)
	if korean.Header.Get("Content-Type") != "application/problem+json" || ko.Title == en.Title || !strings.Contains(ko.Title, "로그인") ||
		ko.CorrelationID == "" || ko.CorrelationID == en.CorrelationID || ko.Type != "/problems/UNAUTHENTICATED" {
		t.Errorf("%s %s", korean.Body, english.Body)
	}
	stranger.Do("GET", ko.Type, nil).Is(t, 200)
	stranger.Do("GET", "/problems/NO_SUCH", nil).Is(t, 404)
}
