package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/webtest"
	"oneqtour/apps/viewpage/statestore"
)

// These tests run the whole program with a real sidecar and a real Redis of their own.
var stack struct {
	base  string // of the app
	token string // that its sidecar shows it
	redis string // host:port
	cfg   settings
	store statestore.Store
	dapr  *sidecar.Client

	issuer *webtest.TestIssuer

	readyBeforeSidecar int // status
}

// whole lends the tests' issuer, which must run before the program does, a life as long as all tests.
type whole struct {
	testing.TB
	ends []func()
}

func (w *whole) Helper()           {}
func (w *whole) Cleanup(f func())  { w.ends = append(w.ends, f) }
func (w *whole) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

func TestMain(m *testing.M) {
	code, err := withStack(m.Run)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the stack of these tests did not start:", err)
		os.Exit(1)
	}
	os.Exit(code)
}

func withStack(test func() int) (code int, err error) {
	daprd := os.Getenv("ONEQ_DAPRD")
	if daprd == "" {
		return 0, errors.New("ONEQ_DAPRD is not set: run the tests by `make test`, or name the daprd to test with")
	}
	dir, err := os.MkdirTemp("", "viewpage")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ports, err := freePorts(6)
	if err != nil {
		return 0, err
	}
	redis, err := startRedis(dir, ports[0])
	if err != nil {
		return 0, err
	}
	defer end(redis)

	stack.redis = "127.0.0.1:" + strconv.Itoa(ports[0])
	stack.token = "token-of-the-tests"
	var life whole
	stack.issuer = webtest.Issuer(&life)
	defer life.ends[0]()
	stack.cfg = settings{StateStore: "statestore", Wait: 2 * time.Second, Service: config.Service{
		Common:   config.Common{AppID: "viewpage", Listen: "127.0.0.1", Port: ports[1], LogLevel: "error", DrainTime: time.Second},
		AppToken: stack.token, DaprHost: "127.0.0.1", DaprHTTPPort: ports[2], DaprGRPCPort: ports[3],
		OIDCIssuer: stack.issuer.URL, OIDCAudience: webtest.Audience, PubSub: "pubsub",
	}}
	stack.base = "http://" + stack.cfg.Addr()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, stack.cfg) }()
	if stack.readyBeforeSidecar, err = firstAnswer(stack.base + "/readyz"); err != nil {
		return 0, err
	}

	side, err := startDaprd(daprd, dir, ports)
	if err != nil {
		return 0, err
	}
	defer end(side)
	if err := await(20*time.Second, func() bool { return status(stack.base+"/readyz") == http.StatusOK }); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "daprd.log"))
		return 0, fmt.Errorf("never ready: %w\n%s", err, log)
	}
	if stack.dapr, err = sidecar.New(stack.cfg.Service); err != nil {
		return 0, err
	}
	stack.store = statestore.New(stack.dapr.State("statestore"))
	code = test()
	stop()
	return code, <-ended
}

func startRedis(dir string, port int) (*exec.Cmd, error) {
	for _, name := range []string{os.Getenv("ONEQ_REDIS_SERVER"), "redis-server", "valkey-server"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			cmd := exec.Command(path, "--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir)
			if err := cmd.Start(); err != nil {
				return nil, err
			}
			return cmd, await(10*time.Second, func() bool {
				conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(port))
				if err == nil {
					_ = conn.Close()
				}
				return err == nil
			})
		}
	}
	return nil, errors.New("there is no redis-server or valkey-server in the PATH: install one, or name it by ONEQ_REDIS_SERVER")
}

// startDaprd runs the sidecar with the project's own configuration and state store. No broker: the tests
// deliver events as the sidecar would, with its token.
func startDaprd(path, dir string, ports []int) (*exec.Cmd, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, ".run"), 0o700); err != nil { // for the file of names
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "daprd.log"))
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--app-id", "viewpage", "--app-port", strconv.Itoa(ports[1]),
		"--dapr-http-port", strconv.Itoa(ports[2]), "--dapr-grpc-port", strconv.Itoa(ports[3]),
		"--dapr-internal-grpc-port", strconv.Itoa(ports[4]), "--dapr-internal-grpc-listen-address", "127.0.0.1",
		"--metrics-port", strconv.Itoa(ports[5]), "--metrics-listen-address", "127.0.0.1",
		"--dapr-listen-addresses", "127.0.0.1", "--disable-init-endpoints", "subscribe",
		"--resources-path", filepath.Join(root, "components/state/redis"),
		"--config", filepath.Join(root, "components/common/configuration.yaml"))
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append(os.Environ(), "APP_API_TOKEN="+stack.token, "DAPR_HOST_IP=127.0.0.1",
		"REDIS_HOST=127.0.0.1:"+strconv.Itoa(ports[0]), "REDIS_PASSWORD=")
	return cmd, cmd.Start()
}

func end(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	killed := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait()
	killed.Stop()
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func await(most time.Duration, done func() bool) error {
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if done() {
			return nil
		}
	}
	return fmt.Errorf("not within %v", most)
}

// firstAnswer is the status with which the address answers for the first time.
func firstAnswer(url string) (code int, err error) {
	err = await(10*time.Second, func() bool { code = status(url); return code != 0 })
	return code, err
}

func status(url string) int {
	res, err := http.Get(url)
	if err != nil {
		return 0
	}
	_ = res.Body.Close()
	return res.StatusCode
}
