package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// crowd reserves one seat after the other until it is told to go home, and remembers what it heard.
type crowd struct {
	p    product
	home chan struct{}
	wg   sync.WaitGroup

	mu        sync.Mutex
	answers   map[int]int // by status; 0: none at all
	confirmed []string    // ids that were answered with 201
	fickle    int         // every so many of them are cancelled again; 0: none
	regretted map[string]string
}

// reserving lets so many customers reserve the product's first departure.
func reserving(t *testing.T, p product, customers int) *crowd {
	t.Helper()
	c := &crowd{p: p, home: make(chan struct{}), answers: map[int]int{}, regretted: map[string]string{}}
	for i := range customers {
		customer := sys.As(t, fmt.Sprintf("customer-%d", 1+i))
		c.wg.Go(func() {
			for {
				a, err := customer.With("Idempotency-Key", newID()).Try("POST", "/api/reservations", wish(p, 1, "tok_ok"))
				if err != nil {
					a.Status = 0
				}
				if id := c.hear(t, a); id != "" {
					c.regret(customer, id)
				}
				select {
				case <-c.home:
					return
				case <-time.After(50 * time.Millisecond): // a person's pace
				}
			}
		})
	}
	t.Cleanup(func() { c.goHome() })
	return c
}

// hear notes an answer and gives the id of what is to be cancelled again.
func (c *crowd) hear(t *testing.T, a stack.Answer) (regrets string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[a.Status]++
	if a.Status == 201 {
		id := stack.Read[reservation](t, a).ReservationID
		c.confirmed = append(c.confirmed, id)
		if c.fickle > 0 && len(c.confirmed)%c.fickle == 0 {
			return id
		}
	}
	return ""
}

// regret cancels. Who hears nothing of it does not know: both states are right then.
func (c *crowd) regret(customer stack.Client, id string) {
	a, err := customer.With("Idempotency-Key", newID()).Try("POST", "/api/reservations/"+id+"/cancellation", object{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.regretted[id] = "perhaps"
	if err == nil && a.Status < 300 {
		c.regretted[id] = "CANCELLED"
	}
}

// cancelOneIn lets one in so many of the reservations that are confirmed from now on be cancelled at once.
func (c *crowd) cancelOneIn(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fickle = n
}

func (c *crowd) answered(status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers[status]
}

// areConfirmed waits until so many in all have heard 201.
func (c *crowd) areConfirmed(t *testing.T, n int) {
	t.Helper()
	stack.Eventually(t, 60*time.Second, fmt.Sprintf("%d reservations are confirmed", n), func() error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.answers[201] < n {
			return fmt.Errorf("answers %v", c.answers)
		}
		return nil
	})
}

// goHome ends it and says how many answers there were of each status.
func (c *crowd) goHome() map[int]int {
	c.mu.Lock()
	select {
	case <-c.home:
	default:
		close(c.home)
	}
	c.mu.Unlock()
	c.wg.Wait()
	return maps.Clone(c.answers)
}

// haveWhatTheyHeard proves that each 201 was true, and stayed true unless they cancelled.
func (c *crowd) haveWhatTheyHeard(t *testing.T) {
	t.Helper()
	states := map[string]string{}
	for _, r := range reservationsOf(t, c.p) {
		states[r.id] = r.status
	}
	if len(c.confirmed) == 0 {
		t.Error("nobody heard anything")
	}
	var wrong []error
	for _, id := range c.confirmed {
		want := cmp.Or(c.regretted[id], "CONFIRMED")
		if states[id] != want && (want != "perhaps" || states[id] != "CONFIRMED" && states[id] != "CANCELLED") {
			wrong = append(wrong, fmt.Errorf("%s was answered with 201 and is %q, not %s", id, states[id], want))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		t.Error(err)
	}
}
