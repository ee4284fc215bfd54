package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// environment is what a running process was started with.
func environment(t testing.TB, program string) map[string]string {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(sys.Dir, "pids", program+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(pid)), "environ"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for one := range strings.SplitSeq(string(raw), "\x00") {
		if name, value, ok := strings.Cut(one, "="); ok {
			found[name] = value
		}
	}
	if len(found) < 5 {
		t.Fatalf("%s was started with %d variables", program, len(found))
	}
	return found
}

// The view's process is told the password of no store, not even of its own: that one its sidecar keeps. What it
// shows it has to itself, so it shows it with every database away.
func TestI7_TheViewHasNoCredentialOfAStore(t *testing.T) {
	secrets := map[string]string{"the state store": sys.Env(t, "servers", "REDIS_PASSWORD")}
	for app := range appPorts {
		if _, rest, ok := strings.Cut(environment(t, app)["ONEQ_DATABASE_DSN"], ":"); ok {
			secrets[app], _, _ = strings.Cut(rest, "@")
		}
	}
	if len(secrets) != 5 {
		t.Fatalf("%d stores: the databases of four services and the state store are expected", len(secrets))
	}
	for _, program := range []string{"viewpage", "viewpage.daprd"} {
		for name, value := range environment(t, program) {
			for of, password := range secrets {
				if strings.Contains(value, password) && (program == "viewpage" || of != "the state store") {
					t.Errorf("%s of %s holds the password of %s", name, program, of)
				}
			}
		}
	}
	sys.Server(t, "stop", "mariadb")
	defer func() {
		sys.Server(t, "start", "mariadb")
		stack.Eventually(t, 30*time.Second, "the database is there again", func() error {
			if a := sys.As(t, "md-1").Do("POST", "/api/products", osaka(1)); a.Status != 201 {
				return fmt.Errorf("%d %s", a.Status, a.Body)
			}
			return nil
		})
		calm(t)
	}()
	sys.As(t, "").Do("GET", "/api/view/board?limit=1", nil).Is(t, 200)
	sys.As(t, "customer-1").Do("GET", "/api/view/mine?limit=1", nil).Is(t, 200)
}
