package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Listener hears what is published, as one more service with a sidecar of its own: whatever the broker is, that is how
// one looks into it from outside.
type Listener struct {
	server  *http.Server
	sidecar *exec.Cmd

	mu    sync.Mutex
	heard map[string][]json.RawMessage
}

const listenerPort, listenerDapr = 8095, 3595

// Listen hears the topics from now on; where the broker keeps what was said, also what was said before.
func (s *Stack) Listen(topics ...string) (*Listener, error) {
	l := &Listener{heard: map[string][]json.RawMessage{}}
	socket, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(listenerPort+Offset))
	if err != nil {
		return nil, err
	}
	l.server = &http.Server{Handler: l.routes(topics), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = l.server.Serve(socket) }()
	if err := l.startSidecar(s); err != nil {
		return nil, errors.Join(err, l.Stop())
	}
	return l, nil
}

func (l *Listener) routes(topics []string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dapr/subscribe", func(w http.ResponseWriter, _ *http.Request) {
		var list []map[string]string
		for _, topic := range topics {
			list = append(list, map[string]string{"pubsubname": "pubsub", "topic": topic, "route": "/heard/" + topic})
		}
		_ = json.NewEncoder(w).Encode(list)
	})
	mux.HandleFunc("POST /heard/{topic}", func(_ http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sidecar has hung up, and brings it again
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		topic := r.PathValue("topic")
		l.heard[topic] = append(l.heard[topic], raw)
	})
	return mux
}

// startSidecar runs daprd with the stack's own component, in which the listener is let in.
func (l *Listener) startSidecar(s *Stack) error {
	folder := filepath.Join(s.Dir, "listener")
	component, err := os.ReadFile(filepath.Join(s.Root, "components/pubsub", Broker, "pubsub.yaml"))
	if err != nil {
		return err
	}
	let := strings.Replace(string(component), "\nscopes: [", "\nscopes: [listener, ", 1)
	if err := errors.Join(os.MkdirAll(folder, 0o700), os.WriteFile(filepath.Join(folder, "pubsub.yaml"), []byte(let), 0o600)); err != nil {
		return err
	}
	at := func(port int) string { return strconv.Itoa(port + Offset) }
	l.sidecar = exec.Command(filepath.Join(s.Root, ".run/bin/daprd"), "--app-id", "listener", "--app-port", at(listenerPort),
		"--dapr-http-port", at(listenerDapr), "--dapr-grpc-port", at(listenerDapr+100), "--dapr-internal-grpc-port", at(listenerDapr+200),
		"--metrics-port", at(listenerDapr+300), "--dapr-listen-addresses", "127.0.0.1", "--dapr-internal-grpc-listen-address", "127.0.0.1",
		"--metrics-listen-address", "127.0.0.1", "--resources-path", folder,
		"--config", filepath.Join(s.Dir, "components/common/configuration.yaml"))
	l.sidecar.Dir = s.Root
	access, err := os.ReadFile(filepath.Join(s.Dir, "env", "product.daprd.env"))
	if err != nil {
		return err
	}
	l.sidecar.Env = append(os.Environ(), "ONEQ_RUN_DIR="+s.Dir, "DAPR_HOST_IP=127.0.0.1")
	for line := range strings.Lines(string(access)) {
		if name, value, _ := strings.Cut(strings.TrimSpace(line), "="); !strings.HasSuffix(name, "_TOKEN") {
			l.sidecar.Env = append(l.sidecar.Env, name+"="+strings.Trim(value, "'"))
		}
	}
	log, err := os.Create(filepath.Join(s.Dir, "logs", "listener.daprd.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	l.sidecar.Stdout, l.sidecar.Stderr = log, log
	if err := l.sidecar.Start(); err != nil {
		return err
	}
	// Noted as the launcher notes its own, which ends it should this test not live to do so.
	note := filepath.Join(s.Dir, "pids", "listener.daprd.pid")
	if err := os.WriteFile(note, []byte(strconv.Itoa(l.sidecar.Process.Pid)), 0o600); err != nil {
		return err
	}
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if res, err := HTTP.Get(s.URL(listenerDapr) + "/v1.0/healthz"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusNoContent {
				return nil
			}
		}
	}
	return fmt.Errorf("the listener's sidecar is not ready; see %s", log.Name())
}

// Heard is what was said on a topic, in the order in which it came.
func (l *Listener) Heard(topic string) []json.RawMessage {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.heard[topic])
}

// Stop ends it.
func (l *Listener) Stop() error {
	err := l.server.Close()
	if l.sidecar != nil && l.sidecar.Process != nil {
		_ = l.sidecar.Process.Signal(syscall.SIGTERM)
		_ = l.sidecar.Wait()
	}
	return err
}
