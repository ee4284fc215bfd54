// Package stack starts the whole system for tests: the same launcher, servers, sidecars and services as
// `make run`, on ports and in a folder of their own.
package stack

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Offset is added to every port of dapr.yaml and of the servers. ONEQ_TEST_PORT_OFFSET, together with
// ONEQ_TEST_RUN_DIR, lets two suites run beside each other.
var Offset = offset()

func offset() int {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("ONEQ_TEST_PORT_OFFSET"), "10000"))
	if err != nil {
		panic("ONEQ_TEST_PORT_OFFSET must be a number: " + err.Error())
	}
	return n
}

// Broker and Store are the folders of components/pubsub and components/state that the system runs with.
var (
	Broker = cmp.Or(os.Getenv("ONEQ_TEST_BROKER"), "redis")
	Store  = cmp.Or(os.Getenv("ONEQ_TEST_STATE"), "redis")
)

// Dir is where the stack of this program has its files.
func Dir(root string) string {
	name := "test"
	if Broker != "redis" || Store != "redis" {
		name += "-" + Broker + "-" + Store // events and documents of another broker and store are no use here
	}
	dir := cmp.Or(os.Getenv("ONEQ_TEST_RUN_DIR"), filepath.Join(".run", name))
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(root, dir)
	}
	return filepath.Clean(dir)
}

// Stack is a running system.
type Stack struct {
	Root   string // of the repository
	Dir    string // with logs, pids, secrets
	cmd    *exec.Cmd
	exited chan error

	mu        sync.Mutex
	databases map[string]*sql.DB
}

// Start runs the launcher and waits until it says that everything is ready. When it cannot, nothing is left
// running.
func Start() (*Stack, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	s := &Stack{Root: root, Dir: Dir(root), exited: make(chan error, 1), databases: map[string]*sql.DB{}}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	mark(s.Dir)
	log, err := os.Create(filepath.Join(s.Dir, "launcher.log"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command(filepath.Join(root, "deploy/local/run.sh"))
	s.cmd.Dir = root
	s.cmd.Env = s.environ("ONEQ_SEED=no", "ONEQ_BUILD=no", "BROKER="+Broker, "STATE="+Store)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { s.exited <- s.cmd.Wait() }()
	deadline := time.After(4 * time.Minute)
	for {
		select {
		case err := <-s.exited:
			out, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("the launcher ended (%w):\n%s", err, out)
		case <-deadline:
			return nil, errors.Join(errors.New("the system was not up after 4 minutes; see "+log.Name()), s.Stop())
		case <-time.After(200 * time.Millisecond):
			if out, _ := os.ReadFile(log.Name()); bytes.Contains(out, []byte("oneqtour is running")) {
				return s, nil
			}
		}
	}
}

// mark a folder as the launcher marks one of its own, which it could not do with one that holds files already.
func mark(dir string) {
	if held, err := os.ReadDir(dir); err == nil && len(held) == 0 {
		_ = os.WriteFile(filepath.Join(dir, ".oneqtour"), nil, 0o600)
	}
}

// Fresh ends what an earlier test left running in this test's folder and removes its data, so that a system begins
// with nothing. It gives the folder.
func Fresh() (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	s := &Stack{Root: root, Dir: Dir(root)}
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return "", err
	}
	mark(s.Dir)
	return s.Dir, errors.Join(s.Script("stop.sh"), os.RemoveAll(filepath.Join(s.Dir, "data")))
}

// Stop ends the system as Ctrl-C does and waits until it has ended.
func (s *Stack) Stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(90 * time.Second):
		return errors.New("the launcher did not end in 90 s")
	}
}

// Complaints are what no log of a service may hold: data races, panics, tokens and secrets.
func (s *Stack) Complaints() error {
	logs, err := filepath.Glob(filepath.Join(s.Dir, "logs", "*.log"))
	if err != nil || len(logs) < 10 {
		return fmt.Errorf("only %d logs in %s (%w)", len(logs), s.Dir, err)
	}
	secrets, err := os.ReadFile(filepath.Join(s.Dir, "env", "secrets"))
	if err != nil {
		return err
	}
	bad := []string{"DATA RACE", "panic", "tok_ok", "tok_lost", "Bearer ey"}
	for line := range strings.Lines(string(secrets)) {
		if _, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			bad = append(bad, value)
		}
	}
	var complaints []error
	for _, name := range logs {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, b := range bad {
			if at := bytes.Index(text, []byte(b)); at >= 0 {
				complaints = append(complaints, fmt.Errorf("%s says: %.600s", name, text[max(0, at-200):]))
			}
		}
	}
	return errors.Join(complaints...)
}

func (s *Stack) environ(more ...string) []string {
	// BROKER and STATE are empty, which is: as the stack has them.
	env := append(os.Environ(), "BROKER=", "STATE=", "ONEQ_RUN_DIR="+s.Dir, "ONEQ_PORT_OFFSET="+strconv.Itoa(Offset))
	return append(env, more...)
}

// Root of the repository, above the working directory.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil && dir != "/" {
		if _, missing := os.Stat(filepath.Join(dir, "dapr.yaml")); missing == nil {
			return dir, nil
		}
		dir = filepath.Dir(dir)
	}
	return "", errors.Join(err, errors.New("no dapr.yaml above the working directory"))
}

// URL of a port of dapr.yaml or of a server, as it is in this stack.
func (s *Stack) URL(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port+Offset) }

// pid of a service, sidecar (product.daprd) or server by the launcher's own files.
func (s *Stack) pid(name string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(s.Dir, "pids", name+".pid"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(raw)))
}

// Pids of everything that runs: product, product.daprd, mariadb …
func (s *Stack) Pids() (map[string]int, error) {
	files, err := filepath.Glob(filepath.Join(s.Dir, "pids", "*.pid"))
	if err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".pid")
		if all[name], err = s.pid(name); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Kill ends a process with -9.
func (s *Stack) Kill(t testing.TB, name string) { s.signal(t, name, syscall.SIGKILL) }

// End tells processes to end and waits until they have.
func (s *Stack) End(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		s.signal(t, name, syscall.SIGTERM)
	}
	s.gone(t, names...)
}

// Killed is Kill that waits until the process is gone.
func (s *Stack) Killed(t testing.TB, name string) {
	t.Helper()
	s.Kill(t, name)
	s.gone(t, name)
}

func (s *Stack) gone(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		Eventually(t, 30*time.Second, name+" has ended", func() error {
			if s.Signal(name, 0) == nil {
				return errors.New("it still runs")
			}
			return nil
		})
	}
}

// Pause stops a process without ending it; Continue lets it go on.
func (s *Stack) Pause(t testing.TB, name string) { s.signal(t, name, syscall.SIGSTOP) }

// Continue ends a pause.
func (s *Stack) Continue(t testing.TB, name string) { s.signal(t, name, syscall.SIGCONT) }

func (s *Stack) signal(t testing.TB, name string, sig syscall.Signal) {
	t.Helper()
	if err := s.Signal(name, sig); err != nil {
		t.Fatal(err)
	}
}

// Signal is sent to a service, sidecar (product.daprd) or server.
func (s *Stack) Signal(name string, sig syscall.Signal) error {
	pid, err := s.pid(name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// A number in an old file may belong to somebody else by now.
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil || !slices.Contains(strings.Split(string(environ), "\x00"), "ONEQ_RUN_DIR="+s.Dir) {
		return fmt.Errorf("%s: process %d is not one of %s (%w)", name, pid, s.Dir, err)
	}
	if err := syscall.Kill(pid, sig); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// Restart starts services again, all at once, as `make restart APP=…`, and waits until they are ready.
func (s *Stack) Restart(t testing.TB, apps ...string) {
	t.Helper()
	failed := make([]error, len(apps))
	var all sync.WaitGroup
	for i, app := range apps {
		all.Go(func() { failed[i] = s.Script("restart.sh", app) })
	}
	all.Wait()
	if err := errors.Join(failed...); err != nil {
		t.Fatal(err)
	}
}

// Scale lets so many replicas of a service run, as `make scale`: app, app-2, app-3 …, each with a sidecar (app-2.daprd).
func (s *Stack) Scale(t testing.TB, app string, n int) { s.script(t, "scale.sh", app, strconv.Itoa(n)) }

// Server starts or stops one of the servers, such as mariadb or paymentsim.
func (s *Stack) Server(t testing.TB, verb, name string) { s.script(t, "servers.sh", verb, name) }

func (s *Stack) script(t testing.TB, name string, args ...string) {
	t.Helper()
	if err := s.Script(name, args...); err != nil {
		t.Fatal(err)
	}
}

// Script runs one of deploy/local for this stack; its error says what the script said.
func (s *Stack) Script(name string, args ...string) error {
	_, err := s.Say(name, args...)
	return err
}

// Say is Script for whoever wants to know what the script said.
func (s *Stack) Say(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(s.Root, "deploy/local", name), args...)
	cmd.Dir, cmd.Env = s.Root, s.environ()
	// To a file: the servers that it starts keep their output open, and a pipe would wait for them.
	out, err := os.CreateTemp("", "oneqtour")
	if err != nil {
		return "", err
	}
	defer func() { _ = errors.Join(out.Close(), os.Remove(out.Name())) }()
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	said, _ := os.ReadFile(out.Name())
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said), nil
}

// Database is a service's database as its administrator sees it: for looking at it from outside.
func (s *Stack) Database(t testing.TB, service string) *sql.DB {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if db := s.databases[service]; db != nil {
		return db
	}
	cfg, err := mysql.ParseDSN(s.Env(t, "admin", "ONEQ_MYSQL_ADMIN_DSN") + "oneq_" + service + "?parseTime=true")
	if err != nil {
		t.Fatal(err)
	}
	cfg.Logger = &mysql.NopLogger{} // tests take the database away on purpose
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	s.databases[service] = db
	return db
}

// Env is what the launcher told a program: a secret that a test needs to prove that another one is refused.
func (s *Stack) Env(t testing.TB, program, variable string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.Dir, "env", program+".env"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), variable+"="); ok {
			return strings.Trim(value, "'")
		}
	}
	t.Fatalf("%s is not set for %s", variable, program)
	return ""
}

// Eventually waits for a condition; a test never sleeps for a guess.
func Eventually(t testing.TB, within time.Duration, what string, condition func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s: %v", what, within, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// HTTP is a client for tests, with room for many connections at once.
var HTTP = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 500}}
