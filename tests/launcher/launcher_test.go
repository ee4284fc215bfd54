// Package launcher shows what deploy/local/run.sh promises to whoever types `make run`: on ports and in a folder of
// its own, with the services as they were built.
package launcher

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// launcher is one start of run.sh.
type launcher struct {
	t      *testing.T
	dir    string
	offset int
	cmd    *exec.Cmd
	log    string
	ended  chan error
}

// start runs the launcher in a folder that may hold the data of a start before.
func start(t *testing.T, dir string, more ...string) *launcher {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	l := &launcher{t: t, dir: dir, offset: stack.Offset + 500, log: filepath.Join(t.TempDir(), "log"), ended: make(chan error, 1)}
	log, err := os.Create(l.log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	l.cmd = exec.Command(filepath.Join(root, "deploy/local/run.sh"))
	l.cmd.Env = append(os.Environ(), "ONEQ_RUN_DIR="+dir, "ONEQ_PORT_OFFSET="+strconv.Itoa(l.offset), "ONEQ_BUILD=no")
	l.cmd.Env = append(l.cmd.Env, more...)
	l.cmd.Stdout, l.cmd.Stderr = log, log
	l.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { l.ended <- l.cmd.Wait() }()
	t.Cleanup(func() { // whatever a test that failed has left
		stop := exec.Command(filepath.Join(root, "deploy/local/stop.sh"))
		stop.Env = l.cmd.Env
		_ = stop.Run()
	})
	return l
}

func (l *launcher) said() string {
	out, err := os.ReadFile(l.log)
	if err != nil {
		l.t.Fatal(err)
	}
	return string(out)
}

// runs waits until it says that the system runs, and tells how long that took.
func (l *launcher) runs() time.Duration {
	l.t.Helper()
	begun := time.Now()
	stack.Eventually(l.t, 60*time.Second, "it runs", func() error {
		select {
		case err := <-l.ended:
			l.t.Fatalf("the launcher ended (%v): %s", err, l.said())
		default:
		}
		if !strings.Contains(l.said(), "oneqtour is running") {
			return errors.New(l.said())
		}
		return nil
	})
	return time.Since(begun)
}

// exit waits for its end and gives its status.
func (l *launcher) exit() int {
	l.t.Helper()
	select {
	case <-l.ended:
		return l.cmd.ProcessState.ExitCode()
	case <-time.After(60 * time.Second):
		l.t.Fatalf("it does not end: %s", l.said())
		return 0
	}
}

// processes are those that have the run folder in their environment: all of a stack, whoever started them.
func processes(t *testing.T, dir string) (pids []int) {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range entries {
		environ, err := os.ReadFile(name)
		if err == nil && slices.Contains(strings.Split(string(environ), "\x00"), "ONEQ_RUN_DIR="+dir) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

func nothingIsLeft(t *testing.T, dir string) {
	t.Helper()
	stack.Eventually(t, 5*time.Second, "nothing is left running", func() error {
		if left := processes(t, dir); len(left) != 0 {
			return fmt.Errorf("%v", left)
		}
		return nil
	})
	if files, _ := filepath.Glob(filepath.Join(dir, "pids", "*.pid")); len(files) != 0 {
		t.Errorf("%v", files)
	}
}

// refuses fails unless the launcher has ended with one sentence that holds the words, and nothing is left.
func (l *launcher) refuses(words ...string) {
	l.t.Helper()
	status, said := l.exit(), l.said()
	if status == 0 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "oneqtour: ") {
		l.t.Errorf("status %d: %s", status, said)
	}
	for _, w := range words {
		if !strings.Contains(said, w) {
			l.t.Errorf("it does not say %q: %s", w, said)
		}
	}
	nothingIsLeft(l.t, l.dir)
}

func TestD2_ATakenPortIsNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(8080+stack.Offset+500))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	start(t, t.TempDir()).refuses("port "+strconv.Itoa(8080+stack.Offset+500), "gateway", "ONEQ_PORT_OFFSET")
}

func TestD2_AMissingToolIsNamed(t *testing.T) {
	bin := t.TempDir()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		tools, _ := filepath.Glob(filepath.Join(dir, "*"))
		for _, tool := range tools {
			if filepath.Base(tool) != "setsid" {
				_ = os.Symlink(tool, filepath.Join(bin, filepath.Base(tool))) // the first of a name wins, as in a PATH
			}
		}
	}
	start(t, t.TempDir(), "PATH="+bin).refuses("setsid is missing")
}

func TestD2_AFolderOfSomebodyElseIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	theirs := filepath.Join(dir, "components")
	if err := os.Mkdir(theirs, 0o700); err != nil {
		t.Fatal(err)
	}
	start(t, dir).refuses(dir, "please name another one")
	if _, err := os.Stat(theirs); err != nil {
		t.Error(err)
	}
}

func TestD2_ADatabaseThatDoesNotComeUpIsNamed(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{".oneqtour": "", "data/mariadb/ibdata1": "no database"} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := start(t, dir)
	status, said := l.exit(), l.said()
	if status == 0 || !strings.Contains(said, "oneqtour: mariadb did not come up: ") || strings.Contains(said, "is running") {
		t.Errorf("status %d: %s", status, said)
	}
	nothingIsLeft(t, dir)
}

// A database of one's own that is not there: only the first stack of a machine uses one, so this asks the step alone.
func TestD2_ADatabaseOfOnesOwnThatIsAwayIsNamed(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(closed.Addr().String())
	_ = closed.Close()
	dir := t.TempDir()
	step := exec.Command("../../deploy/local/servers.sh", "start", "mariadb")
	step.Env = append(os.Environ(), "ONEQ_RUN_DIR="+dir, "ONEQ_PORT_OFFSET=0", "MYSQL_HOST=127.0.0.1", "MYSQL_PORT="+port)
	out, err := step.CombinedOutput()
	if said := string(out); err == nil || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "oneqtour: MySQL at 127.0.0.1 does not let us make the databases: ") {
		t.Errorf("%v: %s", err, said)
	}
	nothingIsLeft(t, dir)
}

// A whole life: the first start, its end by SIGTERM, the second start with the data of the first, and the end of a
// stack whose launcher was killed.
func TestD2_StartStopAndStartAgain(t *testing.T) {
	dir := t.TempDir()
	l := start(t, dir)
	t.Logf("first start: %s", l.runs().Round(100*time.Millisecond))
	items := l.items()
	if len(items) != 4 {
		t.Errorf("%d demo products", len(items))
	}
	scale := exec.Command("../../deploy/local/scale.sh", "store", "2")
	scale.Env = l.cmd.Env
	if out, err := scale.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	l.listensOnLoopbackOnly()
	l.keepsItsSecrets()
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := l.exit(); status != 0 {
		t.Errorf("told to end, it ended with %d: %s", status, l.said())
	}
	nothingIsLeft(t, dir)

	l = start(t, dir)
	t.Logf("second start: %s", l.runs().Round(100*time.Millisecond))
	if again := l.items(); !slices.Equal(again, items) {
		t.Errorf("before %v, after %v", items, again)
	}
	if err := l.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	l.exit()
	stop := exec.Command("../../deploy/local/stop.sh")
	stop.Env = l.cmd.Env
	if out, err := stop.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	nothingIsLeft(t, dir)
}

// items are the ids that the store shows.
func (l *launcher) items() (ids []string) {
	l.t.Helper()
	stack.Eventually(l.t, 20*time.Second, "the store shows the products", func() error {
		res, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/api/store/items?limit=100", 8080+l.offset))
		if err != nil {
			return err
		}
		defer func() { _ = res.Body.Close() }()
		var list struct{ Items []struct{ ProductID string } }
		if err := json.NewDecoder(res.Body).Decode(&list); err != nil || len(list.Items) < 4 {
			return fmt.Errorf("%d items, %w", len(list.Items), err)
		}
		ids = nil
		for _, i := range list.Items {
			ids = append(ids, i.ProductID)
		}
		return nil
	})
	return ids
}

// listensOnLoopbackOnly looks at every listening socket of every process of the stack.
func (l *launcher) listensOnLoopbackOnly() {
	l.t.Helper()
	ours := map[string]bool{}
	for _, pid := range processes(l.t, l.dir) {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, fd := range open {
			if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:[") {
				ours[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
			}
		}
	}
	listening := 0
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		raw, err := os.ReadFile(table)
		if err != nil {
			continue // a machine without IPv6
		}
		for line := range strings.Lines(string(raw)) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != "0A" || !ours[f[9]] {
				continue
			}
			listening++
			// 127.0.0.1, alone or as an IPv6 address, and ::1, as the kernel writes them.
			at, _, _ := strings.Cut(f[1], ":")
			if !slices.Contains([]string{"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}, at) {
				l.t.Errorf("somebody listens at %s", f[1])
			}
		}
	}
	if listening < 30 {
		l.t.Errorf("only %d listening sockets were found", listening)
	}
}

// keepsItsSecrets: nobody but their owner may read them, in files or in the list of processes.
func (l *launcher) keepsItsSecrets() {
	l.t.Helper()
	file := filepath.Join(l.dir, "env", "secrets")
	about, err := os.Stat(file)
	if err != nil || about.Mode().Perm() != 0o600 {
		l.t.Fatalf("%v %v", about, err)
	}
	secrets, err := os.ReadFile(file)
	if err != nil {
		l.t.Fatal(err)
	}
	for _, pid := range processes(l.t, l.dir) {
		args, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		for line := range strings.Lines(string(secrets)) {
			_, secret, _ := strings.Cut(strings.TrimSpace(line), "=")
			if bytes.Contains(args, []byte(secret)) {
				l.t.Errorf("a secret is in the arguments of process %d", pid)
			}
		}
	}
}

// The scripts know a process by its environment, and while it becomes another program it has none.
func TestAProcessThatBecomesAnotherProgramIsNotTakenForDead(t *testing.T) {
	dir := t.TempDir()
	becoming := exec.Command("bash", "-c", `sleep 0.5; ONEQ_RUN_DIR=$0 exec sleep 60`, dir)
	becoming.Env = []string{}
	if err := becoming.Start(); err != nil {
		t.Fatal(err)
	}
	dead := sync.OnceFunc(func() { _ = becoming.Process.Kill(); _ = becoming.Wait() })
	defer dead()
	running := func() error {
		look := exec.Command("bash", "-c", `. ../../deploy/local/lib.sh; mkdir -p "$RUN/pids"; echo "$1" >"$RUN/pids/it.pid"; running it`, "look", strconv.Itoa(becoming.Process.Pid))
		look.Env = append(os.Environ(), "ONEQ_RUN_DIR="+dir)
		return look.Run()
	}
	if err := running(); err != nil {
		t.Errorf("it was taken for dead: %v", err)
	}
	dead()
	if err := running(); err == nil {
		t.Error("it is dead, and was taken for alive")
	}
}
