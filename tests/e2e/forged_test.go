package e2e

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

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
	for _, path := range []string{"/payments/approve", "/payments/inquire"} {
		path = "/v1.0/invoke/payment/method" + path
		refusedBy(t, "payment", "as the gateway", front.Do("POST", path, approve))
		for range 20 { // daprd puts its own value before or behind the forged one, at random
			refusedBy(t, "payment", "spoofed caller", front.With("dapr-caller-app-id", "reservation").Do("POST", path, approve))
		}
		refusedBy(t, "payment", "spoofed caller, twice",
			front.With("dapr-caller-app-id", "reservation").With("Dapr-Caller-App-Id", "reservation").Do("POST", path, approve))
	}
	for app, port := range appPorts {
		byURL := fmt.Sprintf("/v1.0/invoke/http://127.0.0.1:%d/method", port+stack.Offset)
		atPort := sys.As(t, "md-1").At(sys.URL(port))
		for _, topic := range []string{"product", "reservation", "payment", "dead-" + app} {
			path := "/events/" + topic
			refusedBy(t, app, "event by invocation", front.Do("POST", "/v1.0/invoke/"+app+"/method"+path, void))
			refusedBy(t, app, "event by URL", front.Do("POST", byURL+path, void))
			refusedBy(t, app, "event at the app's own port", atPort.Do("POST", path, void))
		}
		refusedBy(t, app, "subscriptions", front.Do("GET", "/v1.0/invoke/"+app+"/method/dapr/subscribe", nil))
		refusedBy(t, app, "subscriptions at the app's own port", atPort.Do("GET", "/dapr/subscribe", nil))
		refusedBy(t, app, "internal call by URL", front.With("dapr-caller-app-id", "reservation").Do("POST", byURL+"/payments/approve", approve))
		// Paths that are there, so that it is not their absence which refuses.
		path := map[string]string{"product": "/products", "store": "/items", "reservation": "/reservations", "payment": "/webhooks/payment", "viewpage": "/board"}[app]
		refusedBy(t, app, "API at the app's own port", atPort.Do("GET", path, nil))
		refusedBy(t, app, "API by URL", front.Do("GET", byURL+path, nil))
	}
	if found := find(t, "customer-1", id); found.Status != "CONFIRMED" {
		t.Errorf("the reservation is now %s", found.Status)
	}
	if after := len(ledger(t)); after != before {
		t.Errorf("the provider's ledger grew from %d to %d", before, after)
	}
}

// refusedBy fails unless the app itself, and not somebody on the way, has refused: its guard, since it knows the
// path well.
func refusedBy(t testing.TB, app, what string, a stack.Answer) {
	t.Helper()
	if a.Status != 403 || a.Code() != "FORBIDDEN" || a.Header.Get("X-Oneqtour-App") != app {
		t.Errorf("%s: %s should have refused, and %q answered %d %s", what, app, a.Header.Get("X-Oneqtour-App"), a.Status, a.Body)
	}
}

// refusedByDapr fails unless a sidecar has answered with the status and these words.
func refusedByDapr(t testing.TB, what string, a stack.Answer, status int, words string) {
	t.Helper()
	if a.Status != status || !strings.Contains(string(a.Body), words) || a.Header.Get("X-Oneqtour-App") != "" {
		t.Errorf("%s: %d %s, want %d %s", what, a.Status, a.Body, status, words)
	}
}

// Nobody but the app itself gets anything from a sidecar; the gateway's lets everybody invoke, and no more.
func TestK5_SidecarsAreClosed(t *testing.T) {
	event := object{"reservationId": newID(), "voidOrder": true}
	for app, port := range sidecarPorts {
		status, words := 401, "invalid api token"
		if app == "gateway" { // to one that may only invoke, every other path is an invocation of nobody
			status, words = 404, "ERR_DIRECT_INVOKE"
		}
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
			refusedByDapr(t, app+" "+call.path, c.Do(call.method, call.path, call.body), status, words)
		}
		if app != "gateway" {
			refusedByDapr(t, app+" invokes", c.Do("GET", "/v1.0/invoke/store/method/items", nil), 401, "invalid api token")
		}
	}
}

// With a stolen token, too, a sidecar does only what its app needs.
func TestK5_AStolenTokenGivesNoMoreThanItsApp(t *testing.T) {
	event := object{"reservationId": newID(), "voidOrder": true}
	for app := range appPorts {
		c := sys.As(t, "").At(sys.URL(sidecarPorts[app])).With("dapr-api-token", sys.Env(t, app, "DAPR_API_TOKEN"))
		if app != "reservation" { // the only one that calls another
			refusedByDapr(t, app+" invokes", c.Do("GET", "/v1.0/invoke/store/method/items", nil), 404, "404 page not found")
		}
		topics := []string{"product", "reservation", "payment"}
		for other := range appPorts {
			topics = append(topics, "dead-"+other)
		}
		for _, topic := range topics {
			if topic == app || topic == "dead-"+app {
				continue
			}
			refusedByDapr(t, app+" publishes "+topic, c.Do("POST", "/v1.0/publish/pubsub/"+topic, event), 403, "ERR_PUBSUB_FORBIDDEN")
		}
		status, words := 500, "ERR_STATE_STORE_NOT_CONFIGURED"
		switch app {
		case "viewpage": // whose store it is
			continue
		case "reservation":
			status, words = 404, "ERR_DIRECT_INVOKE"
		}
		refusedByDapr(t, app+" reads the view", c.Do("GET", "/v1.0/state/statestore/g1:products:newest", nil), status, words)
		refusedByDapr(t, app+" writes the view", c.Do("POST", "/v1.0/state/statestore", []object{{"key": "x", "value": "y"}}), status, words)
	}
	// One app's token is nothing at another's sidecar.
	for app := range appPorts {
		for other, port := range sidecarPorts {
			if other != app && other != "gateway" {
				c := sys.As(t, "").At(sys.URL(port)).With("dapr-api-token", sys.Env(t, app, "DAPR_API_TOKEN"))
				refusedByDapr(t, app+"'s token at "+other, c.Do("POST", "/v1.0/publish/pubsub/"+other, event), 401, "invalid api token")
			}
		}
	}
}

// The sidecars' gRPC ports ask for the token, too; the gateway's has nothing but invocation.
func TestK5_SidecarsAreClosedForGRPC(t *testing.T) {
	for app, port := range sidecarPorts {
		conn, err := grpc.NewClient(strings.TrimPrefix(sys.URL(port+100), "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		c := dapr.NewClientWithConnection(conn)
		_, reading := c.GetState(t.Context(), "statestore", "g1:products:newest", nil)
		calls := map[string]error{
			"publish": c.PublishEvent(t.Context(), "pubsub", "reservation", []byte("{}")),
			"read":    reading,
			"write":   c.SaveState(t.Context(), "statestore", "x", []byte("y"), nil),
		}
		if app != "gateway" {
			_, calls["invoke"] = c.InvokeMethod(t.Context(), "store", "items", "get")
		}
		for what, err := range calls {
			// What the sidecar does not offer at all it says before it asks for the token.
			want := codes.Unauthenticated
			if offers := what == "publish" || (what == "invoke") == (app == "reservation"); app == "gateway" || !offers {
				want = codes.Unimplemented
			}
			if status.Code(errors.Unwrap(err)) != want && status.Code(err) != want {
				t.Errorf("%s by gRPC at %s: %v, want %v", what, app, err, want)
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
