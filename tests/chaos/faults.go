package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"oneqtour/tests/stack"
)

// linked are the servers that the services reach through a proxy, which can slow down or cut the connections.
var linked = []string{"mariadb", "redis", "paymentsim"}

var linkPorts = map[string]struct{ server, proxy int }{"mariadb": {3390, 3391}, "redis": {6390, 6391}, "paymentsim": {8099, 8199}}

// links are the running proxies.
type links map[string]*toxiproxy.Proxy

// openLinks starts the proxies and points the services to them, by the files of settings that win over the
// launcher's own. It runs before the system starts.
func openLinks(dir string, offset int) (links, error) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	all := links{}
	at := map[string]string{}
	for name, port := range linkPorts {
		p := toxiproxy.NewProxy(server, name, fmt.Sprintf("127.0.0.1:%d", port.proxy+offset), fmt.Sprintf("127.0.0.1:%d", port.server+offset))
		if err := p.Start(); err != nil {
			return all, fmt.Errorf("proxy of %s: %w", name, err)
		}
		all[name], at[name] = p, p.Listen
	}
	env := filepath.Join(dir, "env")
	if err := os.MkdirAll(env, 0o700); err != nil {
		return all, err
	}
	for _, service := range services {
		var own string
		if service != "gateway" && service != "viewpage" {
			// The secret stays in the launcher's file: this one only changes the address.
			own = fmt.Sprintf("ONEQ_DATABASE_DSN=\"${ONEQ_DATABASE_DSN/127.0.0.1:%d/%s}\"\n", linkPorts["mariadb"].server+offset, at["mariadb"])
		}
		if service == "payment" {
			own += "ONEQ_PROVIDER_URL=http://" + at["paymentsim"] + "\n"
		}
		if err := errors.Join(
			os.WriteFile(filepath.Join(env, service+".override.env"), []byte(own), 0o600),
			os.WriteFile(filepath.Join(env, service+".daprd.override.env"), []byte("[[ -z ${REDIS_HOST:-} ]] || REDIS_HOST="+at["redis"]+"\n"), 0o600),
		); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (l links) close() {
	for _, p := range l {
		p.Stop()
	}
}

func (l links) slow(name string, delay time.Duration) error {
	toxic, _ := json.Marshal(object{"name": "slow", "type": "latency", "attributes": object{"latency": delay.Milliseconds()}})
	_, err := l[name].Toxics.AddToxicJson(strings.NewReader(string(toxic)))
	return err
}

func (l links) fast(ctx context.Context, name string) error {
	return l[name].Toxics.RemoveToxic(ctx, "slow")
}

// struck is a fault as it really was.
type struck struct {
	fault
	Began  time.Time `json:"began"`
	Undone time.Time `json:"undone"` // when it began to be undone
	Ended  time.Time `json:"ended"`  // when whoever was hit was up again
	Err    string    `json:"err,omitempty"`
}

// faults lets a schedule happen. Undoing one may take longer than the schedule thought: at most two last at once, and
// nobody touches a process that another one is at.
type faults struct {
	sys   *stack.Stack
	links links
	two   chan struct{}

	mu   sync.Mutex
	at   map[string]*sync.Mutex // by process
	done []struck
}

func newFaults(sys *stack.Stack, l links) *faults {
	return &faults{sys: sys, links: l, two: make(chan struct{}, 2), at: map[string]*sync.Mutex{}}
}

// turn waits until a process is free and less than two faults last.
func (f *faults) turn(process string) (over func()) {
	f.mu.Lock()
	if f.at[process] == nil {
		f.at[process] = &sync.Mutex{}
	}
	own := f.at[process]
	f.mu.Unlock()
	own.Lock()
	f.two <- struct{}{}
	return func() { <-f.two; own.Unlock() }
}

// run lets everything of the schedule happen and waits until the last fault is over.
func (f *faults) run(ctx context.Context, plan []fault, say func(string, ...any)) {
	start := time.Now()
	var lasting sync.WaitGroup
	for _, next := range plan {
		pause(ctx, next.At-time.Since(start))
		if ctx.Err() != nil {
			break
		}
		lasting.Go(func() {
			defer f.turn(process(next.Victim))()
			if ctx.Err() != nil {
				return
			}
			say("%s", next)
			s := f.strike(ctx, next)
			if s.Err != "" {
				say("%s: %s", next, s.Err)
			}
			f.mu.Lock()
			defer f.mu.Unlock()
			f.done = append(f.done, s)
		})
	}
	lasting.Wait()
}

func (f *faults) strike(ctx context.Context, x fault) struck {
	s := struck{fault: x, Began: time.Now()}
	err := f.begin(x)
	if err == nil {
		pause(ctx, x.For)
		s.Undone = time.Now()
		err = f.end(x)
	}
	if s.Ended = time.Now(); err != nil {
		s.Err = err.Error()
	}
	return s
}

func (f *faults) begin(x fault) error {
	switch x.How {
	case "kill":
		return f.sys.Signal(x.Victim, syscall.SIGKILL)
	case "pause":
		return f.sys.Signal(x.Victim, syscall.SIGSTOP)
	case "slow":
		return f.links.slow(process(x.Victim), x.Delay)
	default:
		f.links[process(x.Victim)].Stop()
		return nil
	}
}

// end undoes a fault, also when the run was given up meanwhile.
func (f *faults) end(x fault) error {
	switch x.How {
	case "kill":
		switch kindOf(x.Victim) {
		case "service":
			return f.sys.Script("restart.sh", x.Victim)
		case "sidecar":
			return f.revive(x.Victim)
		default:
			return f.sys.Script("servers.sh", "start", x.Victim)
		}
	case "pause":
		return f.sys.Signal(x.Victim, syscall.SIGCONT)
	case "slow":
		return f.links.fast(context.Background(), process(x.Victim))
	default:
		return f.links[process(x.Victim)].Start()
	}
}

// revive starts a dead sidecar again. Its service has lived on and must find it by itself.
func (f *faults) revive(sidecar string) error {
	file := filepath.Join(f.sys.Dir, "pids", process(sidecar)+".pid")
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := f.sys.Script("restart.sh", sidecar); err != nil {
		return err
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		return fmt.Errorf("%s was started again with its sidecar: process %s, before %s (%w)", process(sidecar), after, before, err)
	}
	return f.sys.Signal(process(sidecar), 0)
}
