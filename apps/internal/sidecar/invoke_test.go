package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/sidecar"
)

// These tests pin what the real daprd says of calls that fail, under the project's own resiliency.yaml: daprd
// has no codes for it, and "certainly not sent" decides whether a customer may be told that nothing was charged.

// payment is a target whose behaviour a test sets.
type payment struct {
	mode  atomic.Value // of func(http.ResponseWriter)
	heard atomic.Int64
}

func (p *payment) set(f func(http.ResponseWriter)) { p.mode.Store(f) }

func (p *payment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet { // daprd asks for configuration and subscriptions
		w.WriteHeader(http.StatusNotFound)
		return
	}
	p.heard.Add(1)
	w.Header().Set(contract.HeaderApp, "payment")
	p.mode.Load().(func(http.ResponseWriter))(w)
}

func answer(status int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { w.WriteHeader(status) }
}

type pair struct {
	t       *testing.T
	dir     string
	caller  *sidecar.Client
	target  *payment
	app     *httptest.Server
	sidecar *exec.Cmd // the target's
}

// newPair starts payment behind its sidecar, and a sidecar to call it from.
func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, dir: t.TempDir(), target: &payment{}}
	if err := os.Mkdir(filepath.Join(p.dir, ".run"), 0o700); err != nil { // for the file of names
		t.Fatal(err)
	}
	p.target.set(answer(http.StatusOK))
	p.app = httptest.NewServer(p.target)
	t.Cleanup(p.app.Close)
	_, port, _ := net.SplitHostPort(p.app.Listener.Addr().String())
	p.sidecar, _, _ = p.daprd("payment", "--app-port", port)
	_, httpPort, grpcPort := p.daprd("reservation")
	caller, err := sidecar.New(config.Service{DaprHost: "127.0.0.1", DaprHTTPPort: httpPort, DaprGRPCPort: grpcPort})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = caller.Close() })
	p.caller = caller
	return p
}

func (p *pair) daprd(app string, args ...string) (cmd *exec.Cmd, httpPort, grpcPort int) {
	p.t.Helper()
	path := os.Getenv("ONEQ_DAPRD")
	if path == "" {
		p.t.Fatal("ONEQ_DAPRD is not set: run the tests by `make test`, or name the daprd to test with")
	}
	root, err := filepath.Abs("../../..")
	if err != nil {
		p.t.Fatal(err)
	}
	resources := filepath.Join(p.dir, "resources")
	_ = os.Mkdir(resources, 0o700)
	policy, err := os.ReadFile(filepath.Join(root, "components/common/resiliency.yaml"))
	if err == nil {
		err = os.WriteFile(filepath.Join(resources, "resiliency.yaml"), policy, 0o600)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	configuration := "configuration.yaml"
	if app == "reservation" { // the one that may invoke
		configuration = "configuration-reservation.yaml"
	}
	ports := free(p.t, 4)
	port := func(i int) string { return strconv.Itoa(ports[i]) }
	log, err := os.Create(filepath.Join(p.dir, app+".log"))
	if err != nil {
		p.t.Fatal(err)
	}
	cmd = exec.Command(path, append([]string{
		"--app-id", app, "--dapr-http-port", port(0), "--dapr-grpc-port", port(1), "--dapr-internal-grpc-port", port(2), "--metrics-port", port(3),
		"--dapr-listen-addresses", "127.0.0.1", "--dapr-internal-grpc-listen-address", "127.0.0.1", "--metrics-listen-address", "127.0.0.1",
		"--resources-path", resources, "--config", filepath.Join(root, "components/common", configuration),
	}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.Env = append(os.Environ(), "DAPR_HOST_IP=127.0.0.1")
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(p.t, 20*time.Second, func() error {
		res, err := http.Get("http://127.0.0.1:" + port(0) + "/v1.0/healthz/outbound")
		if err != nil {
			return err
		}
		_ = res.Body.Close()
		if res.StatusCode >= 300 {
			return errors.New(res.Status)
		}
		return nil
	})
	return cmd, ports[0], ports[1]
}

func free(t *testing.T, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}

func eventually(t *testing.T, within time.Duration, condition func() error) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		err := condition()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
		<-time.After(50 * time.Millisecond)
	}
}

func (p *pair) call(app string) (sidecar.Response, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 15*time.Second)
	defer cancel()
	return p.caller.Invoke(ctx, sidecar.Request{App: app, Method: http.MethodPost, Path: contract.ApprovePath, Body: []byte(`{}`)})
}

func wantUndelivered(t *testing.T, err error, refused bool, text string) {
	t.Helper()
	u, ok := errors.AsType[*sidecar.Undelivered](err)
	if !ok || u.Refused != refused || !strings.Contains(u.Reason, text) {
		t.Errorf("got %v, want undelivered (refused %v) for %q", err, refused, text)
	}
}

func TestK7_WhatDaprSaysOfATargetThatIsDown(t *testing.T) {
	p := newPair(t)
	eventually(t, 10*time.Second, func() error { _, err := p.call("payment"); return err })

	_, err := p.call("nobody")
	wantUndelivered(t, err, false, "no host found")

	// The app's own errors are the app's: they pass through whole.
	p.target.set(answer(http.StatusInternalServerError))
	if res, err := p.call("payment"); err != nil || res.Status != 500 {
		t.Errorf("%+v %v", res, err)
	}

	// The app is dead, its sidecar is not. A connection that was kept may be found closed first.
	p.app.Close()
	refused := func() error {
		if _, err = p.call("payment"); !strings.Contains(fmt.Sprint(err), "connection refused") {
			return err
		}
		return nil
	}
	eventually(t, 10*time.Second, refused)
	wantUndelivered(t, err, false, "connection refused")

	// The sidecar is dead, too.
	if err := p.sidecar.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.sidecar.Wait()
	eventually(t, 10*time.Second, refused)
	wantUndelivered(t, err, false, "connection refused")
}

func TestK7_WhatDaprSaysOfAnAppThatIsNotReady(t *testing.T) {
	p := newPair(t)
	_, port, _ := net.SplitHostPort(p.app.Listener.Addr().String())
	_ = p.sidecar.Process.Kill()
	_ = p.sidecar.Wait()
	// The health path is a GET, which this target answers 404.
	p.daprd("payment", "--app-port", port, "--enable-app-health-check", "--app-health-probe-interval", "1", "--app-health-threshold", "1")
	var err error
	eventually(t, 15*time.Second, func() error {
		if _, err = p.call("payment"); !strings.Contains(fmt.Sprint(err), "healthy") {
			return fmt.Errorf("still %w", errors.Join(err, errors.New("no word of health")))
		}
		return nil
	})
	wantUndelivered(t, err, false, "app is not in a healthy state")
}

// deadline is how a sidecar says that the time is over: its own words, or those of the stream that it has ended.
var deadline = regexp.MustCompile(`context deadline exceeded|code = DeadlineExceeded`)

func TestN3_WhatDaprSaysOfATimeoutAndOfAnOpenBreaker(t *testing.T) {
	p := newPair(t)
	eventually(t, 10*time.Second, func() error { _, err := p.call("payment"); return err })

	// A call that was delivered and not answered is of unknown fate: never "undelivered".
	release := make(chan struct{})
	p.target.set(func(w http.ResponseWriter) { <-release })
	_, err := p.call("payment")
	if _, undelivered := errors.AsType[*sidecar.Undelivered](err); err == nil || undelivered || !deadline.MatchString(err.Error()) {
		t.Errorf("timeout: %v", err)
	}
	close(release)

	// Twenty failures in a row open the breaker; then nothing reaches the target.
	p.target.set(answer(http.StatusGatewayTimeout))
	opened := false
	for range 30 {
		if _, err = p.call("payment"); err != nil {
			opened = true
			break
		}
	}
	if !opened {
		t.Fatal("the breaker did not open")
	}
	wantUndelivered(t, err, true, "circuit breaker is open")
	before := p.target.heard.Load()
	if _, err = p.call("payment"); p.target.heard.Load() != before {
		t.Error("an open breaker let a call through")
	}
	wantUndelivered(t, err, true, "circuit breaker is open")

	// Half-open: one call is the probe, the others are refused; when it succeeds, the breaker closes by itself.
	probe := make(chan struct{})
	p.target.set(func(w http.ResponseWriter) { <-probe; w.WriteHeader(http.StatusOK) })
	probed := make(chan error, 1)
	eventually(t, 15*time.Second, func() error {
		go func() { _, err := p.call("payment"); probed <- err }()
		select {
		case err := <-probed:
			return fmt.Errorf("still open: %w", err)
		case <-time.After(200 * time.Millisecond):
			return nil // it hangs in the target: it is the probe
		}
	})
	_, err = p.call("payment")
	wantUndelivered(t, err, true, "too many requests")
	close(probe)
	if err := <-probed; err != nil {
		t.Fatal(err)
	}
	if _, err = p.call("payment"); err != nil {
		t.Errorf("after a good probe: %v", err)
	}
}

func TestOwnSidecarDownIsUndelivered(t *testing.T) {
	ports := free(t, 2)
	c, err := sidecar.New(config.Service{DaprHost: "127.0.0.1", DaprHTTPPort: ports[0], DaprGRPCPort: ports[1]})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Invoke(t.Context(), sidecar.Request{App: "payment", Method: http.MethodPost, Path: "/"})
	wantUndelivered(t, err, false, "own sidecar is down")
}

// An app that answers without end does not fill our memory.
func TestAnAnswerThatIsTooLargeIsAnError(t *testing.T) {
	size := 16 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(contract.HeaderApp, "payment")
		_, _ = w.Write(make([]byte, size))
	}))
	defer server.Close()
	at := server.Listener.Addr().(*net.TCPAddr)
	c, err := sidecar.New(config.Service{DaprHost: "127.0.0.1", DaprHTTPPort: at.Port, DaprGRPCPort: 1})
	if err != nil {
		t.Fatal(err)
	}
	call := func() (sidecar.Response, error) {
		return c.Invoke(t.Context(), sidecar.Request{App: "payment", Method: http.MethodGet, Path: "/"})
	}
	if res, err := call(); err != nil || len(res.Body) != size {
		t.Errorf("%d bytes: %v", len(res.Body), err)
	}
	size++
	if _, err := call(); err == nil {
		t.Error("one more is taken")
	}
}
