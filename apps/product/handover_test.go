package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/internal/webtest"
)

// receiver is somebody's webhook. Of every second notice it refuses the first attempt, and takes the second but
// fails to say so: half of all its answers are failures.
type receiver struct {
	mu     sync.Mutex
	calls  map[string]int
	taken  map[string]int
	failed int
	wrong  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var n struct {
		ID, MDID, ReservationID, ProductID, Status, Kind string
		Seq                                              int64
		At                                               time.Time
		Text                                             contract.Text
	}
	err := json.NewDecoder(req.Body).Decode(&n)
	if err != nil || n.ID != fmt.Sprintf("%s:%d", n.MDID, n.Seq) || req.Header.Get("Idempotency-Key") != n.ID || n.Status != contract.StatusConfirmed ||
		n.Kind != "TRANSITION" || n.At.IsZero() || !strings.Contains(n.Text.Ko, "확정") || !strings.Contains(n.Text.En, n.ReservationID) {
		r.wrong = append(r.wrong, fmt.Sprintf("%+v %v", n, err))
	}
	r.calls[n.ID]++
	if attempt := r.calls[n.ID]; n.Seq%2 == 0 && attempt <= 2 {
		if attempt == 2 {
			r.taken[n.ID]++
		}
		r.failed++
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.taken[n.ID]++
}

// The whole program with a real sidecar, and the project's own component.
func TestN5_EveryNoticeReachesAnUnreliableReceiver(t *testing.T) {
	to := &receiver{calls: map[string]int{}, taken: map[string]int{}}
	outside := httptest.NewServer(to)
	defer outside.Close()
	base, issuer := program(t, outside.URL, settings{NoticeBinding: "notices"})

	// After a failure an MD's notices wait for a second, so several MDs have them at the same time.
	const mds, each = 5, 10
	for n := range mds * each {
		e := reservation(newID(), object{"productId": newID()}, newID(), contract.StatusPending, contract.StatusConfirmed)
		e.Data = bytes.Replace(e.Data, []byte(`"md-1"`), fmt.Appendf(nil, `"md-%d"`, 1+n%mds), 1)
		if status, body := ask(t, "POST", base+"/events/reservation", "", e); status != 200 || string(body) != `{"status":"SUCCESS"}` {
			t.Fatalf("an event was answered %d %s", status, body)
		}
	}
	for md := 1; md <= mds; md++ {
		_, inbox := ask(t, "GET", base+"/md/notices?limit=100", issuer.Bearer(fmt.Sprintf("md-%d", md), web.RoleMD), nil)
		if got := strings.Count(string(inbox), `"seq"`); got != each {
			t.Errorf("the inbox of md-%d has %d notices: %s", md, got, inbox)
		}
	}
	until(t, 60*time.Second, func() bool {
		to.mu.Lock()
		defer to.mu.Unlock()
		done := 0
		for md := 1; md <= mds; md++ {
			for seq := 1; seq <= each; seq++ {
				id := fmt.Sprintf("md-%d:%d", md, seq)
				if to.taken[id] > 0 && (seq%2 == 1 || to.calls[id] > 2) {
					done++
				}
			}
		}
		return done == mds*each
	})
	to.mu.Lock()
	defer to.mu.Unlock()
	if len(to.wrong) > 0 || to.failed != mds*each {
		t.Errorf("%d failures; wrong: %v", to.failed, to.wrong)
	}
}

func program(t *testing.T, url string, cfg settings) (base string, issuer *webtest.TestIssuer) {
	t.Helper()
	daprd := os.Getenv("ONEQ_DAPRD")
	if daprd == "" {
		t.Fatal("ONEQ_DAPRD is not set: run the tests by `make test`, or name the daprd to test with")
	}
	issuer = webtest.Issuer(t)
	dir := t.TempDir()
	ports := freePorts(t, 5)
	_, cfg.DatabaseDSN = dbtest.OpenDSN(t)
	cfg.Service = config.Service{
		Common:   config.Common{AppID: "product", Listen: "127.0.0.1", Port: ports[0], LogLevel: "error", DrainTime: time.Second},
		AppToken: webtest.AppToken, DaprHost: "127.0.0.1", DaprHTTPPort: ports[1], DaprGRPCPort: ports[2],
		OIDCIssuer: issuer.URL, OIDCAudience: webtest.Audience, PubSub: "pubsub",
	}
	side := sidecarOf(t, daprd, dir, url, ports)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		_ = side.Process.Signal(syscall.SIGTERM)
		killed := time.AfterFunc(10*time.Second, func() { _ = side.Process.Kill() })
		_ = side.Wait()
		killed.Stop()
		if log, _ := os.ReadFile(filepath.Join(dir, "daprd.log")); t.Failed() {
			t.Logf("%s", log)
		}
	})
	base = "http://" + cfg.Addr()
	until(t, 20*time.Second, func() bool {
		res, err := http.Get(base + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return base, issuer
}

func sidecarOf(t *testing.T, daprd, dir, url string, ports []int) *exec.Cmd {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, ".run"), 0o700); err != nil { // for the file of names
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "daprd.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(daprd, "--app-id", "product", "--app-port", strconv.Itoa(ports[0]),
		"--dapr-http-port", strconv.Itoa(ports[1]), "--dapr-grpc-port", strconv.Itoa(ports[2]),
		"--dapr-internal-grpc-port", strconv.Itoa(ports[3]), "--dapr-internal-grpc-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(ports[4]), "--metrics-listen-address", "127.0.0.1",
		"--dapr-listen-addresses", "127.0.0.1", "--disable-init-endpoints", "subscribe",
		"--resources-path", filepath.Join(root, "components/binding/webhook"),
		"--config", filepath.Join(root, "components/common/configuration.yaml"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(os.Environ(), "APP_API_TOKEN="+webtest.AppToken, "DAPR_HOST_IP=127.0.0.1", "NOTICE_URL="+url)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func freePorts(t *testing.T, n int) (ports []int) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func until(t *testing.T, most time.Duration, done func() bool) {
	t.Helper()
	for end := time.Now().Add(most); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v", most)
		}
	}
}

// ask calls the program as its sidecar does.
func ask(t *testing.T, method, url, bearer string, body any) (int, []byte) {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, url, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Dapr-Api-Token", webtest.AppToken)
	req.Header.Set("Authorization", bearer)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, answer
}
