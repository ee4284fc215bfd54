package e2e

import (
	"fmt"
	"strings"
	"testing"

	"oneqtour/tests/stack"
)

// Ports of dapr.yaml.
var appPorts = map[string]int{"product": 8081, "store": 8082, "reservation": 8083, "payment": 8084, "viewpage": 8086}
var sidecarPorts = map[string]int{"gateway": 3500, "product": 3501, "store": 3502, "reservation": 3503, "payment": 3504, "viewpage": 3506}

// The same API as Dapr fronts it, with the same bearer token.
func TestK5_TheAPIWorksThroughDaprsFront(t *testing.T) {
	p := register(t, osaka(20))
	front := sys.URL(3500) + "/v1.0/invoke/"
	sys.As(t, "").At(front).Do("GET", "store/method/items", nil).Is(t, 200)
	a := sys.As(t, "customer-1").At(front).With("Idempotency-Key", newID()).Do("POST", "reservation/method/reservations", wish(p, 1, "tok_ok")).Is(t, 201)
	r := stack.Read[reservation](t, a)
	sys.As(t, "customer-1").At(front).Do("GET", "reservation/method/reservations/"+r.ReservationID, nil).Is(t, 200)
	sys.As(t, "customer-2").At(front).Do("GET", "reservation/method/reservations/"+r.ReservationID, nil).Is(t, 404)
	sys.As(t, "").At(front).Do("GET", "reservation/method/reservations/"+r.ReservationID, nil).Is(t, 401)
	sys.As(t, "customer-1").At(front).Do("GET", "product/method/products", nil).Is(t, 403, "WRONG_ROLE")
	sys.As(t, "").At(front).Do("GET", "viewpage/method/board", nil).Is(t, 200)
}

// An approval that nobody asked for would confirm without a charge; a void would lose one.
func TestK5_ForgedCallsAreRefused(t *testing.T) {
	p := register(t, osaka(20))
	id := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201)).ReservationID
	before := len(ledger(t))
	approve := object{"reservationId": newID(), "purpose": "PRICE", "amount": 1000, "method": "CARD", "token": "tok_ok", "correlationId": "x"}
	void := object{"specversion": "1.0", "id": newID(), "source": "reservation", "type": "oneqtour.reservation.rejected.v1", "subject": id,
		"datacontenttype": "application/json", "data": object{"reservationId": id, "voidOrder": true, "status": "REJECTED", "version": 9}}

	front := sys.As(t, "operator-1").At(sys.URL(3500))
	refused := func(what string, c stack.Client, method, path string, body any) {
		t.Helper()
		if a := c.Do(method, path, body); a.Status < 400 || a.Status == 500 && !strings.Contains(string(a.Body), "ERR_DIRECT_INVOKE") {
			t.Errorf("%s: %s %s answered %d %s", what, method, path, a.Status, a.Body)
		}
	}
	for _, path := range []string{"/payments/approve", "/payments/inquire"} {
		refused("as the gateway", front, "POST", "/v1.0/invoke/payment/method"+path, approve)
		for range 20 { // daprd puts its own value before or behind the forged one, at random
			refused("spoofed caller", front.With("dapr-caller-app-id", "reservation"), "POST", "/v1.0/invoke/payment/method"+path, approve)
		}
		refused("spoofed caller, twice", front.With("dapr-caller-app-id", "reservation").With("Dapr-Caller-App-Id", "reservation"),
			"POST", "/v1.0/invoke/payment/method"+path, approve)
	}
	for app, port := range appPorts {
		for _, topic := range []string{"product", "reservation", "payment", "dead-" + app} {
			path := "/events/" + topic
			refused("event by invocation", front, "POST", "/v1.0/invoke/"+app+"/method"+path, void)
			refused("event by URL", front, "POST", fmt.Sprintf("/v1.0/invoke/http://127.0.0.1:%d/method%s", port+stack.Offset, path), void)
			refused("event at the app's own port", sys.As(t, "operator-1").At(sys.URL(port)), "POST", path, void)
		}
		refused("subscriptions", front, "GET", "/v1.0/invoke/"+app+"/method/dapr/subscribe", nil)
		refused("subscriptions at the app's own port", sys.As(t, "").At(sys.URL(port)), "GET", "/dapr/subscribe", nil)
		refused("internal call by URL", front.With("dapr-caller-app-id", "reservation"), "POST",
			fmt.Sprintf("/v1.0/invoke/http://127.0.0.1:%d/method/payments/approve", port+stack.Offset), approve)
		refused("API at the app's own port", sys.As(t, "md-1").At(sys.URL(port)), "GET", "/products", nil)
	}
	if found := find(t, "customer-1", id); found.Status != "CONFIRMED" {
		t.Errorf("the reservation is now %s", found.Status)
	}
	if after := len(ledger(t)); after != before {
		t.Errorf("the provider's ledger grew from %d to %d", before, after)
	}
}

// Nobody but the app itself gets anything from a sidecar; the gateway's lets everybody invoke, and no more.
func TestK5_SidecarsAreClosed(t *testing.T) {
	event := object{"reservationId": newID(), "voidOrder": true}
	for app, port := range sidecarPorts {
		c := sys.As(t, "operator-1").At(sys.URL(port))
		for _, call := range []struct {
			method, path string
			body         any
		}{
			{"POST", "/v1.0/publish/pubsub/reservation", event},
			{"POST", "/v1.0/publish/bulk/pubsub/reservation", []object{}},
			{"GET", "/v1.0/state/statestore/g1:products", nil},
			{"POST", "/v1.0/state/statestore", []object{{"key": "x", "value": "y"}}},
			{"POST", "/v1.0/shutdown", nil},
			{"GET", "/v1.0/metadata", nil},
			{"GET", "/v1.0/secrets/local/x", nil},
		} {
			if a := c.Do(call.method, call.path, call.body); a.Status < 400 || a.Status >= 500 {
				t.Errorf("%s: %s %s answered %d %s", app, call.method, call.path, a.Status, a.Body)
			}
		}
		if app == "gateway" {
			continue
		}
		if a := c.Do("GET", "/v1.0/invoke/store/method/items", nil); a.Status != 401 {
			t.Errorf("%s: invoked without its token: %d", app, a.Status)
		}
	}
	// With a stolen token, too, a sidecar does only what its app needs.
	for _, app := range []string{"product", "store", "payment", "viewpage"} {
		c := sys.As(t, "").At(sys.URL(sidecarPorts[app])).With("dapr-api-token", sys.Env(t, app, "DAPR_API_TOKEN"))
		if a := c.Do("GET", "/v1.0/invoke/store/method/items", nil); a.Status < 400 || a.Status >= 500 {
			t.Errorf("%s may invoke: %d %s", app, a.Status, a.Body)
		}
		if a := c.Do("POST", "/v1.0/publish/pubsub/"+map[bool]string{true: "product", false: "reservation"}[app == "payment"], event); a.Status < 400 || a.Status >= 500 {
			if app != "product" {
				t.Errorf("%s may publish what is not its own: %d %s", app, a.Status, a.Body)
			}
		}
	}
}

func TestK6_TokensAreVerified(t *testing.T) {
	good := sys.Token(t, "customer-1")
	parts := strings.Split(good, ".")
	none := "eyJhbGciOiJub25lIn0." + parts[1] + "."
	other := sys.Token(t, "customer-2")
	for name, token := range map[string]string{
		"none": "", "garbage": "abc", "unsigned": none, "signature of another": parts[0] + "." + parts[1] + "." + strings.Split(other, ".")[2],
		"cut": good[:len(good)-8],
	} {
		c := sys.As(t, "")
		if token != "" {
			c = c.With("Authorization", "Bearer "+token)
		}
		for _, base := range []string{sys.URL(8080) + "/api/reservations", sys.URL(3500) + "/v1.0/invoke/reservation/method/reservations"} {
			a := c.At(base).Do("GET", "", nil)
			if a.Status != 401 || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s at %s: %d %q", name, base, a.Status, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	sys.As(t, "md-1").Do("GET", "/api/reservations", nil).Is(t, 403, "WRONG_ROLE")
}
