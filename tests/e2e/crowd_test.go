package e2e

import (
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
}

// reserving lets so many customers reserve the product's first departure.
func reserving(t *testing.T, p product, customers int) *crowd {
	t.Helper()
	c := &crowd{p: p, home: make(chan struct{}), answers: map[int]int{}}
	for i := range customers {
		customer := sys.As(t, fmt.Sprintf("customer-%d", 1+i))
		c.wg.Go(func() {
			for {
				a, err := customer.With("Idempotency-Key", newID()).Try("POST", "/api/reservations", wish(p, 1, "tok_ok"))
				if err != nil {
					a.Status = 0
				}
				c.hear(t, a)
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

func (c *crowd) hear(t *testing.T, a stack.Answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers[a.Status]++
	if a.Status == 201 {
		c.confirmed = append(c.confirmed, stack.Read[reservation](t, a).ReservationID)
	}
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

// haveWhatTheyHeard proves that each 201 was true.
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
		if states[id] != "CONFIRMED" {
			wrong = append(wrong, fmt.Errorf("%s was answered with 201 and is %q", id, states[id]))
		}
	}
	if err := errors.Join(wrong...); err != nil {
		t.Error(err)
	}
}
