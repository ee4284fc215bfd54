package chaos

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// The one system of this package, its links, and everybody who uses it: what they were told is the oracle's to judge,
// whichever test they were part of.
var (
	sys   *stack.Stack
	proxy links
	crowd *load
)

func TestMain(m *testing.M) {
	flag.Parse()
	if testing.Short() { // a matter of minutes; only what needs no system is left
		os.Exit(m.Run())
	}
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir := cmp.Or(os.Getenv("ONEQ_TEST_RUN_DIR"), ".run/chaos")
	if err := os.Setenv("ONEQ_TEST_RUN_DIR", dir); err != nil {
		panic(err)
	}
	if os.Getenv("ONEQ_TEST_PORT_OFFSET") == "" {
		stack.Offset = 14000
	}
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var err error
	if dir, err = stack.Fresh(); err != nil {
		return fail(err)
	}
	proxy, err = openLinks(dir, stack.Offset)
	defer func() { proxy.close() }()
	if err != nil {
		return fail(err)
	}
	if sys, err = stack.Start(); err != nil {
		return fail(err)
	}
	code = m.Run()
	if err := errors.Join(sys.Stop(), sys.Complaints()); err != nil {
		return fail(err)
	}
	return code
}

// whole skips what needs the system when there is none, and gives everybody who uses it.
func whole(t *testing.T) *load {
	t.Helper()
	if sys == nil {
		t.Skip("a matter of minutes; make test has it")
	}
	if crowd == nil {
		crowd = newLoad(t, sys)
		sys.As(t, "operator-1").Do("GET", "/api/ops/compensations?status=DUE", nil).Is(t, http.StatusOK)
		crowd.open(t)
	}
	return crowd
}

// open puts the first products on the market and waits until they can be reserved.
func (l *load) open(t *testing.T) {
	t.Helper()
	dice := rand.New(rand.NewPCG(1, 1))
	for i := range 10 {
		m := &travelMD{load: l, name: mds[i%len(mds)]}
		m.register(dice)
	}
	if n := len(l.market.tours); n != 10 {
		t.Fatalf("%d products registered", n)
	}
	stack.Eventually(t, 30*time.Second, "the products are displayed", func() error {
		for _, p := range l.market.tours {
			if a := l.ask(oracle.Call{Op: "item", Service: "store"}, "GET", "/api/store/items/"+p.id, nil); a.Status != http.StatusOK {
				return fmt.Errorf("%d %s", a.Status, a.Body)
			}
		}
		return nil
	})
}

// sources of the oracle.
func sources(t testing.TB) oracle.Sources {
	s := oracle.Sources{DB: map[string]*sql.DB{}, Redis: redisOf(t)}
	for _, service := range []string{"product", "store", "reservation", "payment"} {
		s.DB[service] = sys.Database(t, service)
	}
	s.Get = func(ctx context.Context, user, path string) ([]byte, error) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("GET %s: %w", path, err)
		}
		a, err := sys.As(t, user).Try("GET", path, nil)
		for range 20 { // the gateway counts how much somebody asks for
			if err != nil || ctx.Err() != nil || a.Status != http.StatusTooManyRequests {
				break
			}
			<-time.After(250 * time.Millisecond)
			a, err = sys.As(t, user).Try("GET", path, nil)
		}
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("GET %s as %q: %d %s %s", path, user, a.Status, http.StatusText(a.Status), a.Body)
		}
		return a.Body, err
	}
	s.Ledger = func() ([]byte, error) {
		a, err := sys.As(t, "").At(sys.URL(8099)).Try("GET", "/_ledger", nil)
		if err == nil && a.Status != http.StatusOK {
			err = fmt.Errorf("ledger: %d", a.Status)
		}
		return a.Body, err
	}
	return s
}

func redisOf(t testing.TB) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", 6390+stack.Offset), Password: sys.Env(t, "servers", "REDIS_PASSWORD")})
	t.Cleanup(func() { _ = client.Close() })
	return client
}
