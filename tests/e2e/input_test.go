package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
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
	sys.As(t, "customer-1").Do("POST", "/api/reservations", good).Is(t, 400, "IDEMPOTENCY_KEY_MISSING")
	sys.As(t, "customer-1").With("Idempotency-Key", strings.Repeat("k", 256)).Do("POST", "/api/reservations", good).Is(t, 400, "IDEMPOTENCY_KEY_INVALID")

	for name, body := range map[string]any{
		"negative price": change(osaka(20), "price", -1), "no name": change(osaka(20), "name", object{"ko": "", "en": ""}),
		"too long": change(osaka(20), "description", object{"ko": strings.Repeat("가", 4001), "en": "x"}), "no departures": change(osaka(20), "departures", []object{}),
		"unknown member": change(osaka(20), "mdId", "md-2"), "no such date": change(osaka(20), "departures", []object{{"date": "2027-02-30", "capacity": 1, "minParticipants": 1}}),
		"NUL in a name": change(osaka(20), "country", "J\x00"),
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
	for _, path := range []string{"/api/reservations?limit=0", "/api/reservations?limit=x", "/api/reservations?cursor=%27%20OR%201", "/api/store/items?limit=1000",
		"/api/store/items?cursor=zzz", "/api/store/items?sort=price;drop", "/api/view/board?limit=-1", "/api/view/board?cursor=zzz", "/api/store/items?kind=SPACE"} {
		if a := sys.As(t, "customer-1").Do("GET", path, nil); a.Status != 422 && a.Status != 400 {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
	}
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
