package httpapi

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// stubSidecar stands in the place of daprd: it records what would be invoked and answers what the test wants.
// What the real one does is shown by the tests of the whole system.
type stubSidecar struct {
	*httptest.Server
	mu     sync.Mutex
	calls  []recorded
	answer func(n int, w http.ResponseWriter, r *http.Request)
}

type recorded struct {
	method, uri string
	header      http.Header
	body        string
}

func (s *stubSidecar) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.calls = append(s.calls, recorded{r.Method, r.RequestURI, r.Header, string(body)})
	n := len(s.calls)
	s.mu.Unlock()
	if s.answer != nil {
		s.answer(n, w, r)
		return
	}
	app(w, http.StatusOK, `{}`)
}

func (s *stubSidecar) seen() []recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func app(w http.ResponseWriter, status int, body string) {
	w.Header().Set(contract.HeaderApp, "somebody")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// dapr answers as daprd does when it could not get an answer of the app.
func dapr(w http.ResponseWriter, cause string) {
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = fmt.Fprintf(w, `{"errorCode":"ERR_DIRECT_INVOKE","message":"failed to invoke, id: x, err: %s"}`, cause)
}

type fixture struct {
	t      testing.TB
	base   string
	issuer *webtest.TestIssuer
	stub   *stubSidecar
	log    *bytes.Buffer
}

// start runs the gateway on a real listener, so that what is tested is what a client's connection sees.
func start(t testing.TB, subjects, sources *Limiter) *fixture {
	t.Helper()
	f := &fixture{t: t, issuer: webtest.Issuer(t), stub: &stubSidecar{}, log: &bytes.Buffer{}}
	f.stub.Server = httptest.NewServer(f.stub)
	t.Cleanup(f.stub.Close)
	at, _ := url.Parse(f.stub.URL)
	port, _ := strconv.Atoi(at.Port())
	client, err := sidecar.New(config.Service{DaprHost: "127.0.0.1", DaprHTTPPort: port, DaprGRPCPort: 1})
	if err != nil {
		t.Fatal(err)
	}
	gateway := web.NewApp(web.Options{AppID: "gateway", Log: zerolog.New(zerolog.SyncWriter(f.log)), Deadline: time.Second})
	Mount(gateway, Gateway{
		Services: client, Identity: web.NewIdentity(f.issuer.URL, webtest.Audience), Subjects: subjects, Sources: sources,
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.base = "http://" + l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- gateway.Listener(l) }()
	t.Cleanup(func() {
		_ = gateway.ShutdownWithTimeout(time.Second)
		<-ended
		_ = client.Close()
	})
	return f
}

func unlimited() *Limiter { return NewLimiter(0, 0) }

func (f *fixture) do(method, path, body string, headers ...string) (*http.Response, string) {
	f.t.Helper()
	req, err := http.NewRequest(method, f.base, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	path, query, _ := strings.Cut(path, "?")
	req.URL.Opaque, req.URL.RawQuery = "//"+req.URL.Host+path, query // exactly as written
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	return res, string(raw)
}

const id1 = "01990000-0000-7000-8000-000000000001"

var fill = strings.NewReplacer(":productId", id1, ":departureId", id1, ":reservationId", id1, ":refundId", id1, ":seq", "7", ":letterId", "store:"+id1)

func TestK5_EveryRouteReachesItsServiceForItsRolesOnly(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	for _, r := range routes {
		for _, role := range []string{"", web.RoleMD, web.RoleCustomer, web.RoleOperator} {
			want, headers := http.StatusOK, []string(nil)
			if role != "" {
				headers = []string{"Authorization", f.issuer.Bearer("somebody", role)}
			}
			switch {
			case len(r.roles) == 0:
			case role == "":
				want = http.StatusUnauthorized
			case !strings.Contains(strings.Join(r.roles, " "), role):
				want = http.StatusForbidden
			}
			before := len(f.stub.seen())
			res, _ := f.do(r.method, fill.Replace(r.path), "{}", headers...)
			if res.StatusCode != want {
				t.Errorf("%s %s as %q: %d, want %d", r.method, r.path, role, res.StatusCode, want)
			}
			calls := f.stub.seen()[before:]
			if want != http.StatusOK {
				if len(calls) > 0 {
					t.Errorf("%s %s as %q reached %s", r.method, r.path, role, calls[0].uri)
				}
				continue
			}
			if uri := "/v1.0/invoke/" + cmp.Or(r.app, "store") + "/method" + fill.Replace(r.target); len(calls) != 1 || calls[0].uri != uri || calls[0].method != r.method {
				t.Errorf("%s %s became %+v, want %s", r.method, r.path, calls, uri)
			}
		}
	}
}

func TestK5_NoPathReachesAnotherRoute(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	token := f.issuer.Bearer("boss", web.RoleMD, web.RoleCustomer, web.RoleOperator)
	for _, path := range []string{
		"/api/products/..%2f..%2fmd%2fnotices", "/api/products/../md/notices", "/api/products/%2e%2e/md/notices",
		"/api/products/" + id1 + "%2fdepartures", "/api/products/" + id1 + "/../../x", "//api/products", "/api//products",
		"/api/products/./" + id1, "/api/products/not-an-id", "/api/products/{" + id1 + "}", "/api/products/urn:uuid:" + id1,
		"/api/products/" + id1 + "%00", "/api/products/" + id1 + "%3fx=1", "/api/products/" + id1 + ";x", "/api/products/%",
		"/api/reservations/" + id1 + "/history/..", "/api/payments/approve", "/api/payment/payments/approve", "/payments/approve",
		"/events/product", "/dapr/subscribe", "/api/view/stream", "/v1.0/invoke/payment/method/payments/approve", "/api",
		`/api/products/..\..\md`, "/api/store/items/" + id1 + "/quote/../..",
	} {
		if res, body := f.do(http.MethodGet, path, "", "Authorization", token); res.StatusCode != http.StatusNotFound || !strings.Contains(body, "NOT_FOUND") {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	for _, seq := range []string{"0", "-1", "01", "x", "9223372036854775808", "1%2f..%2f2"} {
		if res, _ := f.do(http.MethodPost, "/api/md/notices/"+seq+"/acknowledgement", "", "Authorization", token); res.StatusCode != http.StatusNotFound {
			t.Errorf("notice %s: %d", seq, res.StatusCode)
		}
	}
	if calls := f.stub.seen(); len(calls) > 0 {
		t.Errorf("reached: %+v", calls)
	}
}

func TestWrongMethodsAreToldWhichOnesThereAre(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	res, body := f.do(http.MethodDelete, "/api/reservations", "")
	if allow := res.Header.Get("Allow"); res.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
		t.Errorf("%d, Allow %q, %s", res.StatusCode, allow, body)
	}
	for _, method := range []string{"OPTIONS", "TRACE", "PROPFIND", "get"} {
		res, body := f.do(method, "/api/reservations/"+id1, "")
		if res.StatusCode != http.StatusMethodNotAllowed || !strings.Contains(res.Header.Get("Allow"), "GET") ||
			!strings.Contains(body, "METHOD_NOT_ALLOWED") || res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d, Allow %q, %s", method, res.StatusCode, res.Header.Get("Allow"), body)
		}
	}
	if res, _ := f.do(http.MethodHead, "/api/view/board", ""); res.StatusCode != http.StatusOK {
		t.Errorf("HEAD: %d", res.StatusCode)
	}
}

func TestK6_OnlyListedHeadersPassEitherWay(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	f.stub.answer = func(_ int, w http.ResponseWriter, _ *http.Request) {
		for name, value := range map[string]string{
			"ETag": `"3"`, "Location": "/api/reservations/" + id1, "Idempotent-Replayed": "true", "Retry-After": "2",
			"Server": "secret", "Dapr-Trace": "secret", "X-Internal": "secret", "Set-Cookie": "a=secret",
		} {
			w.Header().Set(name, value)
		}
		app(w, http.StatusAccepted, `{"a":"가"}`)
	}
	token := f.issuer.Bearer("customer-1", web.RoleCustomer)
	res, body := f.do(http.MethodPost, "/webhooks/payment?a=b&x=%2F%26", `{"n":1}`,
		"Authorization", token, "Content-Type", "application/json", "Idempotency-Key", "k1", "If-Match", `"3"`,
		"Accept-Language", "en", "X-Correlation-Id", "c-1",
		"Dapr-Caller-App-Id", "reservation", "dapr-app-id", "payment", "Dapr-Api-Token", "stolen", "X-Forwarded-For", "1.1.1.1",
		"X-Oneqtour-App", "payment", "Cookie", "a=b", "X-User", "admin")
	if res.StatusCode != http.StatusAccepted || body != `{"a":"가"}` {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	for name, want := range map[string]string{"ETag": `"3"`, "Location": "/api/reservations/" + id1, "Idempotent-Replayed": "true",
		"Retry-After": "2", "Content-Type": "application/json", "X-Correlation-Id": "c-1", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("answer %s: %q, want %q", name, got, want)
		}
	}
	for name, values := range res.Header {
		if strings.Contains(fmt.Sprint(values), "secret") {
			t.Errorf("answer tells %s: %v", name, values)
		}
	}
	call := f.stub.seen()[0]
	if call.uri != "/v1.0/invoke/payment/method/webhooks/payment?a=b&x=%2F%26" || call.body != `{"n":1}` {
		t.Errorf("arrived: %s %s", call.uri, call.body)
	}
	want := map[string]string{"Authorization": token, "Content-Type": "application/json", "Idempotency-Key": "k1", "If-Match": `"3"`,
		"Accept-Language": "en", "X-Correlation-Id": "c-1"}
	for name, values := range call.header {
		switch name {
		case "User-Agent", "Content-Length", "Accept-Encoding", "Traceparent": // of HTTP itself, or ours
		default:
			if len(values) != 1 || values[0] != want[name] {
				t.Errorf("arrived %s: %v, want %q", name, values, want[name])
			}
		}
	}
}

func TestAnUnreadableQueryIsMalformed(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	for _, query := range []string{"limit=%zz", "a=b;c=d"} {
		if res, _ := f.do(http.MethodGet, "/api/view/board?"+query, ""); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %d", query, res.StatusCode)
		}
	}
}

// Daprd takes less than we do, and its refusal would look like an outage.
func TestWhatTheSidecarsWouldNotTakeIsMalformed(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	token := f.issuer.Bearer("customer-1", web.RoleCustomer)
	for name, c := range map[string]struct {
		query, header string
		want          int
	}{
		"all it may be":          {strings.Repeat("x", 4000), strings.Repeat("k", 1<<10), 200},
		"a long query":           {strings.Repeat("x", 4100), "k", 400},
		"one that grows":         {strings.Repeat("가", 500), "k", 400},
		"a header over its size": {"x", strings.Repeat("k", 1<<10+1), 400},
	} {
		res, body := f.do(http.MethodGet, "/api/store/items?q="+c.query, "", "Authorization", token, "Idempotency-Key", c.header)
		if res.StatusCode != c.want || c.want == 400 && !strings.Contains(body, "MALFORMED") {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
	if n := len(f.stub.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
	for theirs, want := range map[int]int{413: 413, 414: 400, 431: 400} {
		f.stub.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(theirs) }
		if res, body := f.do(http.MethodGet, "/api/view/board", ""); res.StatusCode != want || res.Header.Get("Retry-After") != "" {
			t.Errorf("daprd's %d: %d %s", theirs, res.StatusCode, body)
		}
	}
}

func TestK6_ATokenThatIsNotOneIsRefusedWhereNoneIsNeeded(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	expired := "Bearer " + f.issuer.Sign(map[string]any{"sub": "c", "exp": time.Now().Add(-time.Minute).Unix()})
	for _, token := range []string{expired, f.issuer.Bearer("c") + "x", "Bearer made.up.entirely", webtest.Issuer(t).Bearer("c")} {
		res, body := f.do(http.MethodGet, "/api/view/board", "", "Authorization", token)
		if res.StatusCode != http.StatusUnauthorized || res.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%.30s: %d %s", token, res.StatusCode, body)
		}
	}
	if n := len(f.stub.seen()); n != 0 {
		t.Errorf("%d calls", n)
	}
	for _, headers := range [][]string{nil, {"Authorization", f.issuer.Bearer("c")}} {
		if res, _ := f.do(http.MethodGet, "/api/view/board", "", headers...); res.StatusCode != http.StatusOK {
			t.Errorf("%v: %d", headers, res.StatusCode)
		}
	}
}

// Checked in this order: who, whether it can be read, whether there is such a thing.
func TestRefusalsHaveAnOrder(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	md := f.issuer.Bearer("md-1", web.RoleMD)
	json, text, gzipped := []string{"Content-Type", "application/json"}, []string{"Content-Type", "text/plain"}, []string{"Content-Type", "application/json", "Content-Encoding", "gzip"}
	for name, c := range map[string]struct {
		headers []string
		body    string
		want    int
	}{
		"nobody":       {text, "{", 401},
		"another role": {append(text, "Authorization", f.issuer.Bearer("c", web.RoleCustomer)), "{", 403},
		"no JSON":      {append(json, "Authorization", md), "{", 400},
		"no object":    {append(json, "Authorization", md), "[]", 400},
		"no UTF-8":     {append(json, "Authorization", md), "{\"a\":\"\xff\"}", 400},
		"another type": {append(text, "Authorization", md), "{}", 415},
		"compressed":   {append(gzipped, "Authorization", md), "{}", 415},
		"too large":    {append(json, "Authorization", md), strings.Repeat(" ", 1<<20+1), 413},
		"no such path": {append(json, "Authorization", md), "{}", 404},
		"no body":      {[]string{"Authorization", md}, "", 404},
	} {
		if res, body := f.do(http.MethodPut, "/api/products/not-an-id", c.body, c.headers...); res.StatusCode != c.want {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestWhatWasNotDeliveredIsRepeatedOnlyWhereThatIsSafe(t *testing.T) {
	cases := map[string]struct {
		method, path, cause string
		headers             []string
		calls               int
		code                string
	}{
		"a read":                      {"GET", "/api/reservations", "connection refused", nil, 3, "UNAVAILABLE"},
		"an unhealthy app":            {"GET", "/api/reservations", "app is not in a healthy state", nil, 3, "UNAVAILABLE"},
		"with an idempotency key":     {"POST", "/api/reservations", "connection refused", []string{"Idempotency-Key", "k"}, 3, "UNAVAILABLE"},
		"with If-Match":               {"PUT", "/api/products/" + id1, "connection refused", []string{"If-Match", `"1"`}, 3, "UNAVAILABLE"},
		"a plain write":               {"POST", "/api/products", "connection refused", nil, 1, "UNAVAILABLE"},
		"an open breaker":             {"GET", "/api/reservations", "circuit breaker is open", nil, 1, "UNAVAILABLE"},
		"a time-out":                  {"GET", "/api/reservations", "context deadline exceeded", nil, 1, "UNAVAILABLE"},
		"a time-out of a reservation": {"POST", "/api/reservations", "context deadline exceeded", []string{"Idempotency-Key", "k"}, 1, "UNAVAILABLE"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := start(t, unlimited(), unlimited())
			f.stub.answer = func(_ int, w http.ResponseWriter, _ *http.Request) { dapr(w, c.cause) }
			headers := append(c.headers, "Authorization", f.issuer.Bearer("x", web.RoleMD, web.RoleCustomer))
			res, body := f.do(c.method, c.path, "{}", headers...)
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") != "1" {
				t.Errorf("%d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
			}
			var problem struct{ Code, CorrelationID string }
			if err := json.Unmarshal([]byte(body), &problem); err != nil || problem.Code != c.code || problem.CorrelationID == "" {
				t.Errorf("problem %s", body)
			}
			if strings.Contains(body, c.cause) {
				t.Errorf("a peer's text is shown: %s", body)
			}
			if n := len(f.stub.seen()); n != c.calls {
				t.Errorf("called %d times, want %d", n, c.calls)
			}
		})
	}
}

func TestARepeatedCallThatArrivesIsAnswered(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	f.stub.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n < 3 {
			dapr(w, "connection refused")
			return
		}
		app(w, http.StatusOK, `{"n":3}`)
	}
	if res, body := f.do(http.MethodGet, "/api/view/board", ""); res.StatusCode != http.StatusOK || body != `{"n":3}` {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestTheDeadlineIsKeptAndNotRepeated(t *testing.T) {
	f := start(t, unlimited(), unlimited()) // the deadline of these tests is a second
	f.stub.answer = func(_ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	began := time.Now()
	res, body := f.do(http.MethodGet, "/api/view/board", "")
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "UNAVAILABLE") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if took := time.Since(began); took > 3*time.Second || len(f.stub.seen()) != 1 {
		t.Errorf("took %v, %d calls", took, len(f.stub.seen()))
	}
}

// A reconciliation reads all of a day. It began before a usual call that ended by its deadline, and is still waited for.
func TestAReconciliationMayTakeLonger(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	asked, release := make(chan struct{}), make(chan struct{})
	f.stub.answer = func(_ int, w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/ops/") {
			close(asked)
			<-release
			app(w, http.StatusOK, `{}`)
			return
		}
		<-r.Context().Done()
	}
	boss := f.issuer.Bearer("operator-1", web.RoleOperator)
	status := make(chan int)
	go func() {
		res, _ := f.do(http.MethodGet, "/api/ops/reconciliation?date=2026-11-22", "", "Authorization", boss)
		status <- res.StatusCode
	}()
	<-asked
	if res, _ := f.do(http.MethodGet, "/api/view/board", ""); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a usual call: %d", res.StatusCode)
	}
	close(release)
	if got := <-status; got != http.StatusOK {
		t.Errorf("the reconciliation: %d", got)
	}
}

func TestABodyOfTenMegabytesIsRefusedCleanlyWhereverItIsSent(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	big := strings.Repeat("x", 10<<20)
	token := f.issuer.Bearer("customer-1", web.RoleCustomer)
	for path, want := range map[string]int{"/api/reservations": 413, "/api/products": 403, "/nothing": 404} {
		for range 3 {
			if res, body := f.do(http.MethodPost, path, big, "Authorization", token); res.StatusCode != want {
				t.Errorf("%s: %d %.200s", path, res.StatusCode, body)
			}
		}
	}
	if res, _ := f.do(http.MethodPost, "/api/reservations", big[:1<<20], "Authorization", token); res.StatusCode != http.StatusOK {
		t.Errorf("a body of exactly 1 MB: %d", res.StatusCode)
	}
	if n := len(f.stub.seen()); n != 1 {
		t.Errorf("%d calls", n)
	}
}

// TestABodyIsNeverTakenForTheNextRequest: what a refused request leaves on the connection must not be read as
// another one.
func TestABodyIsNeverTakenForTheNextRequest(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	smuggled := "GET /api/view/board HTTP/1.1\r\nHost: x\r\n\r\n"
	conn, err := net.Dial("tcp", strings.TrimPrefix(f.base, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, _ = fmt.Fprintf(conn, "POST /nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(smuggled), smuggled)
	_, _ = fmt.Fprint(conn, "GET /also-nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	answers := bufio.NewReader(conn)
	for range 2 {
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		if res.StatusCode != http.StatusNotFound {
			t.Errorf("status %d", res.StatusCode)
		}
	}
	if calls := f.stub.seen(); len(calls) > 0 {
		t.Errorf("a body became a request: %+v", calls)
	}
}

func TestNoTokenIsLogged(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	token := f.issuer.Token("customer-1", web.RoleCustomer)
	f.do(http.MethodGet, "/api/view/mine?access_token="+token, "", "Authorization", "Bearer "+token)
	f.do(http.MethodGet, "/api/view/mine", "", "Authorization", "Bearer "+token+"x")
	f.do(http.MethodGet, "/api/view/mine", "", "Authorization", "Bearer made-up-secret")
	if log := f.log.String(); strings.Contains(log, token) || strings.Contains(log, "made-up-secret") || !strings.Contains(log, "correlationId") {
		t.Errorf("log: %s", log)
	}
}

func TestProblemsAreExplained(t *testing.T) {
	f := start(t, unlimited(), unlimited())
	if res, body := f.do(http.MethodGet, "/problems/SOLD_OUT", ""); res.StatusCode != 200 || !strings.Contains(body, "매진") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body := f.do(http.MethodGet, "/problems/SOLD_OUT", "", "Accept", "text/html,*/*;q=0.8", "Accept-Language", "en")
	if !strings.Contains(body, "<h1>Sold out</h1>") || !strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := f.do(http.MethodGet, "/problems/NONE", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("%d", res.StatusCode)
	}
	if res, body := f.do(http.MethodGet, "/", ""); res.StatusCode != 200 || !strings.Contains(body, "/api/store/items") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
