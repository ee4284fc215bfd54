// Package chaos runs the whole system under load while its parts are killed, stopped, slowed and cut off, and lets
// the oracle judge: at every second, and when the dust has settled.
package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/time/rate"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// How many people are at work, and how fast together.
const (
	customers = 18
	readers   = 4
	perSecond = 40
)

var mds = []string{"md-1", "md-2"}

type object = map[string]any

// load is everybody who uses the system. What each of them asks and hears is in the log.
type load struct {
	sys    *stack.Stack
	t      testing.TB
	log    *oracle.Log
	market *market
	desk   *desk
	ids    *idBook
	pace   *rate.Limiter
}

func newLoad(t testing.TB, sys *stack.Stack) *load {
	l := &load{sys: sys, t: t, log: oracle.NewLog(), market: &market{}, desk: &desk{}, ids: &idBook{}, pace: rate.NewLimiter(perSecond, perSecond)}
	for n := range customers { // signed in before the issuer may be killed
		sys.Token(t, customer(n))
	}
	for _, md := range append(mds, "operator-1") {
		sys.Token(t, md)
	}
	return l
}

func customer(n int) string { return fmt.Sprintf("customer-%d", n+1) }

// run is the work of all until the context ends; each has dice of its own, so that a seed gives everybody the same
// wishes.
func (l *load) run(ctx context.Context, seed uint64) {
	var people sync.WaitGroup
	person := func(n uint64, step func(context.Context, *rand.Rand)) {
		dice := rand.New(rand.NewPCG(seed, n))
		people.Go(func() {
			for ctx.Err() == nil {
				if l.pace.Wait(ctx) != nil {
					return
				}
				step(ctx, dice)
				pause(ctx, time.Duration(50+dice.IntN(300))*time.Millisecond)
			}
		})
	}
	for n := range customers {
		c := &traveller{load: l, name: customer(n)}
		person(uint64(n), c.step)
	}
	for n, name := range mds {
		m := &travelMD{load: l, name: name}
		person(1000+uint64(n), m.step)
	}
	o := &operator{load: l}
	person(3000, o.step)
	for n := range readers {
		person(2000+uint64(n), l.look)
	}
	people.Wait()
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// ask calls the API as somebody, and notes in the log what was asked and answered.
func (l *load) ask(c oracle.Call, method, path string, body any, headers ...string) stack.Answer {
	client := l.sys.As(l.t, c.User)
	if c.Key != "" {
		client = client.With("Idempotency-Key", c.Key)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		client = client.With(headers[i], headers[i+1])
	}
	c.Start = time.Now()
	a, err := client.Try(method, path, body)
	c.End = time.Now()
	if err != nil {
		a.Status, c.Err = 0, err.Error()
	}
	c.Status = a.Status
	if a.Status >= 400 {
		c.Code = a.Code()
	}
	if a.Status >= 500 {
		c.Body = string(a.Body)
	}
	if c.Service == "reservation" && c.Op != "list" {
		c.Seen = seenIn(a)
	}
	l.log.Add(c)
	return a
}

// seenIn is the reservation that an answer of its owner shows, or refuses.
func seenIn(a stack.Answer) []oracle.Seen {
	var r struct {
		ReservationID, Status string
		Price                 struct{ Payable int64 }
	}
	_ = json.Unmarshal(a.Body, &r)
	if r.ReservationID == "" {
		return nil
	}
	switch {
	case a.Header.Get("Idempotent-Replayed") == "true":
		r.Status = ""
	case a.Status == http.StatusPaymentRequired || a.Code() == oracle.Busy: // refusals, whose status is a number
		r.Status = "REJECTED"
	case a.Status == http.StatusServiceUnavailable:
		r.Status = ""
	case a.Status >= 300:
		return nil
	}
	return []oracle.Seen{{ID: r.ReservationID, Status: r.Status, Payable: r.Price.Payable}}
}

func decode[T any](a stack.Answer) (v T) {
	_ = json.Unmarshal(a.Body, &v)
	return v
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }

// look is what people do who only look around.
func (l *load) look(_ context.Context, dice *rand.Rand) {
	switch p, _ := l.market.pick(dice); dice.IntN(4) {
	case 0:
		l.ask(oracle.Call{Op: "items", Service: "store"}, "GET", "/api/store/items?limit=20", nil)
	case 1:
		l.ask(oracle.Call{Op: "item", Service: "store"}, "GET", "/api/store/items/"+p.id, nil)
	case 2:
		l.ask(oracle.Call{Op: "product", Service: "product"}, "GET", "/api/products/"+p.id, nil)
	default:
		l.ask(oracle.Call{Op: "board", Service: "viewpage"}, "GET", "/api/view/board?limit=20", nil)
	}
}
