package provider

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/payment/domain"
)

const reservation domain.ReservationID = "0197a000-0000-7000-8000-000000000001"

func payment(t *testing.T) *domain.Payment {
	t.Helper()
	p, err := domain.Request(domain.Intent{ID: "0197a000-0000-7000-8000-00000000000a", Reservation: reservation,
		Purpose: domain.Price, Method: domain.Card, Amount: 10_000}, domain.Moment{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func token(t *testing.T) domain.Token {
	t.Helper()
	token, ok := domain.NewToken("tok_secret")
	if !ok {
		t.Fatal("no token")
	}
	return token
}

func bank(t *testing.T, answer http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	c := New(server.URL+"/", "sk", 300*time.Millisecond)
	t.Cleanup(c.Close)
	return c
}

// Only the published words count; everything else is not known.
func TestAnswersAreReadByTheirPublishedWords(t *testing.T) {
	const charge = `{"status":"DONE","orderId":"o-1","paymentKey":"pk","totalAmount":10000,"balanceAmount":9000,"cancels":[{"cancelReason":"r","cancelAmount":1000}]}`
	for name, c := range map[string]struct {
		status int
		body   string
		kind   domain.ReplyKind
		code   string
	}{
		"done":                         {200, charge, domain.Answered, ""},
		"done, cancels null":           {200, `{"status":"DONE","orderId":"o-1","cancels":null}`, domain.Answered, ""},
		"no status":                    {200, `{"orderId":"o-1"}`, domain.Lost, ""},
		"no order id":                  {200, `{"status":"DONE"}`, domain.Lost, ""},
		"amount is a fraction":         {200, `{"status":"DONE","orderId":"o-1","totalAmount":10000.5}`, domain.Lost, ""},
		"not JSON":                     {200, `<html>`, domain.Lost, ""},
		"empty":                        {200, ``, domain.Lost, ""},
		"null":                         {200, `null`, domain.Lost, ""},
		"created":                      {201, charge, domain.Lost, ""},
		"refused":                      {403, `{"code":"REJECT_CARD_COMPANY","message":"…"}`, domain.Refused, "REJECT_CARD_COMPANY"},
		"refused in strange words":     {400, `{"code":"tok_secret is bad"}`, domain.Lost, ""},
		"refused without a code":       {400, `{}`, domain.Lost, ""},
		"twin":                         {409, `{"code":"IDEMPOTENT_REQUEST_PROCESSING"}`, domain.Lost, ""},
		"too many":                     {429, `{"code":"REJECT_CARD_COMPANY"}`, domain.Lost, ""},
		"error with a listed code":     {500, `{"code":"REJECT_CARD_COMPANY"}`, domain.Lost, ""},
		"bad gateway":                  {502, `<html>`, domain.Lost, ""},
		"redirect":                     {302, charge, domain.Lost, ""},
		"not found is a refusal there": {404, `{"code":"NOT_FOUND_PAYMENT_SESSION"}`, domain.Refused, "NOT_FOUND_PAYMENT_SESSION"},
	} {
		t.Run(name, func(t *testing.T) {
			client := bank(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					t.Error("followed a redirect with the secret")
				}
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(c.status)
				_, _ = fmt.Fprint(w, c.body)
			})
			reply := client.Confirm(t.Context(), payment(t), token(t))
			if reply.Kind != c.kind || reply.Code != c.code {
				t.Errorf("kind %d code %q", reply.Kind, reply.Code)
			}
			if reply.Cause != nil && strings.Contains(reply.Cause.Error(), "tok_secret") {
				t.Errorf("the cause shows the token: %v", reply.Cause)
			}
			if name == "done" {
				want := domain.Charge{State: "DONE", OrderID: "o-1", Key: "pk", Total: 10_000, Balance: 9_000}
				if g := reply.Charge; g.Key != want.Key || g.Total != want.Total || g.Balance != want.Balance || g.Cancels[0] != (domain.Return{Reason: "r", Amount: 1000}) {
					t.Errorf("%+v", g)
				}
			}
		})
	}
}

func TestRequestsAreAsPublished(t *testing.T) {
	type seen struct {
		method, path, key, user, password string
		body                              map[string]any
	}
	var got seen
	client := bank(t, func(_ http.ResponseWriter, r *http.Request) {
		got = seen{method: r.Method, path: r.URL.EscapedPath(), key: r.Header.Get("Idempotency-Key")}
		got.user, got.password, _ = r.BasicAuth()
		_ = json.NewDecoder(r.Body).Decode(&got.body)
	})
	p := payment(t)
	client.Confirm(t.Context(), p, token(t))
	if got.method != "POST" || got.path != "/v1/payments/confirm" || got.key != string(p.ID()) || got.user != "sk" || got.password != "" ||
		got.body["paymentKey"] != "tok_secret" || got.body["orderId"] != string(reservation)+"-PRICE" || got.body["amount"] != 10_000.0 {
		t.Errorf("%+v", got)
	}
	refund := domain.Refund{ID: "r-1", Cause: domain.CauseCancellation, Amount: 7_000}
	client.Cancel(t.Context(), domain.Charge{Key: "../a b"}, refund)
	if got.path != "/v1/payments/..%2Fa%20b/cancel" || got.key != "r-1" || got.body["cancelAmount"] != 7_000.0 ||
		got.body["cancelReason"] != "oneqtour cancellation r-1" {
		t.Errorf("%+v", got)
	}
	client.Find(t.Context(), "o-1")
	if got.method != "GET" || got.path != "/v1/payments/orders/o-1" || got.key != "" {
		t.Errorf("%+v", got)
	}
}

func TestOnlyWhatNeverHadAConnectionIsNotSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	down := New("http://"+addr, "sk", time.Second)
	if r := down.Confirm(t.Context(), payment(t), token(t)); r.Kind != domain.NotSent || strings.Contains(r.Cause.Error(), "tok_secret") {
		t.Errorf("refused connection: kind %d, %v", r.Kind, r.Cause)
	}
	slow := bank(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server does not notice that the client leaves
		<-r.Context().Done()
	})
	begun := time.Now()
	if r := slow.Confirm(t.Context(), payment(t), token(t)); r.Kind != domain.Lost || time.Since(begun) > 2*time.Second {
		t.Errorf("timeout: kind %d after %s", r.Kind, time.Since(begun))
	}
	cut := bank(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, `{"status":"DONE"`)
	})
	if r := cut.Confirm(t.Context(), payment(t), token(t)); r.Kind != domain.Lost {
		t.Errorf("half an answer: kind %d", r.Kind)
	}
}

func TestNotFoundIsSaidOfAnInquiryAlone(t *testing.T) {
	client := bank(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprint(w, `{"code":"NOT_FOUND_PAYMENT"}`)
	})
	if r := client.Find(t.Context(), "o-1"); r.Kind != domain.NotFound {
		t.Errorf("inquiry: kind %d", r.Kind)
	}
	if r := client.Confirm(t.Context(), payment(t), token(t)); r.Kind != domain.Refused {
		t.Errorf("charge: kind %d", r.Kind)
	}
	proxy := bank(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) })
	if r := proxy.Find(t.Context(), "o-1"); r.Kind != domain.Lost {
		t.Errorf("a 404 of something between: kind %d", r.Kind)
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = fmt.Fprint(w, strings.Repeat("x", 10_000))
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	client := New(server.URL, "sk", time.Second)
	for range 20 {
		client.Confirm(t.Context(), payment(t), token(t))
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 20 calls", n)
	}
}

// The provider's list is read page by page; the day is asked for in Korean time, to its last second.
func TestAPageOfTheTransactionsOfADay(t *testing.T) {
	from := time.Date(2026, 11, 21, 15, 0, 0, 0, time.UTC)
	var asked []string
	client := bank(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+"?"+r.URL.RawQuery)
		_, _ = io.WriteString(w, `[{"orderId":"o-1","transactionKey":"k-1","status":"PARTIAL_CANCELED","amount":700}]`)
	})
	for _, after := range []string{"", "k-0"} {
		list, err := client.Transactions(t.Context(), from, from.AddDate(0, 0, 1), after, 1000)
		if err != nil || len(list) != 1 || list[0] != (domain.Transaction{Key: "k-1", OrderID: "o-1", State: "PARTIAL_CANCELED", Amount: 700}) {
			t.Errorf("%+v, %v", list, err)
		}
	}
	const first = "/v1/transactions?endDate=2026-11-22T23%3A59%3A59&limit=1000&startDate=2026-11-22T00%3A00%3A00"
	if asked[0] != first || asked[1] != first+"&startingAfter=k-0" {
		t.Errorf("asked %q", asked)
	}
}

func TestAListThatIsNotReadToTheEndIsNone(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"refused": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(401)
			_, _ = io.WriteString(w, `{"code":"UNAUTHORIZED_KEY"}`)
		},
		"no list":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"items":[]}`) },
		"cut short": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `[{"orderId":"o-1"}`) },
	} {
		if list, err := bank(t, answer).Transactions(t.Context(), time.Now(), time.Now(), "", 10); err == nil {
			t.Errorf("%s: %+v", name, list)
		}
	}
}
