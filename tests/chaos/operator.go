package chaos

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// waivers that customers claim.
var waivers = []string{"OWN_ILLNESS", "RELATIVE_DIED", "EPIDEMIC_ADVISORY", "EPIDEMIC_ORDER"}

// desk is where claims of waivers, and travellers who will not come, wait for whoever sees to them.
type desk struct {
	claims queue[claim]
	absent queue[absentee]
}

type claim struct{ reservation, reason string }

func (d *desk) claim(reservation string, reason any) {
	if text, ok := reason.(string); ok {
		d.claims.put(claim{reservation, text})
	}
}

// queue is first in, first out, for many.
type queue[T any] struct {
	mu    sync.Mutex
	items []T
}

func (q *queue[T]) put(x T) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.items = append(q.items, x)
}

// take gives the first that is such a one.
func (q *queue[T]) take(such func(T) bool) (x T, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.IndexFunc(q.items, such)
	if i < 0 {
		return x, false
	}
	x = q.items[i]
	q.items = slices.Delete(q.items, i, i+1)
	return x, true
}

func anybody[T any](T) bool { return true }

// operator decides waivers, pays compensations, records no-shows, sees to refunds that are stuck, and looks at what
// there is.
type operator struct{ *load }

func (o *operator) step(_ context.Context, dice *rand.Rand) {
	switch dice.IntN(7) {
	case 0, 1:
		if c, ok := o.desk.claims.take(anybody); ok {
			o.decide(c, dice.IntN(3) > 0)
		}
	case 2:
		owed := decode[struct {
			Items []struct{ ReservationID string }
		}](o.do("compensations", "GET", "/api/ops/compensations?status=DUE", nil)).Items
		if len(owed) > 0 && dice.IntN(2) == 0 {
			o.about(oracle.OpPay, owed[0].ReservationID, "/api/ops/compensations/"+owed[0].ReservationID+"/payment", object{"reference": "bank-" + newID()})
		}
	case 3:
		o.seeToRefunds(dice)
	case 4:
		o.recordNoShow("operator-1", anybody, dice)
	case 5:
		o.do("stuck", "GET", "/api/ops/reservations?stuckLongerThan=30s", nil)
	default:
		o.do("dead-letters", "GET", "/api/ops/dead-letters", nil)
	}
}

// seeToRefunds has a stuck refund tried again, or transfers the money. Some are left as they are.
func (o *operator) seeToRefunds(dice *rand.Rand) {
	stuck := decode[struct{ Items []struct{ RefundID string } }](o.do("stuck-refunds", "GET", "/api/ops/refunds?status=STUCK", nil)).Items
	if len(stuck) == 0 {
		return
	}
	id := stuck[dice.IntN(len(stuck))].RefundID
	path := "/api/ops/refunds/" + id
	switch dice.IntN(3) {
	case 0:
		o.do("retry-refund", "POST", path+"/retry", nil)
	case 1:
		o.about(oracle.OpSettle, id, path+"/settlement", object{"reference": "bank-" + newID()})
	}
}

func (o *operator) decide(c claim, granted bool) {
	wish := map[bool]string{true: "GRANTED", false: "REFUSED"}[granted]
	o.ask(oracle.Call{User: "operator-1", Op: oracle.OpWaiver, Service: "operations", Of: c.reservation, Wish: wish},
		"POST", "/api/ops/reservations/"+c.reservation+"/waiver", object{"reason": c.reason, "granted": granted, "note": "확인"})
}

// about changes something, which the oracle will look for.
func (o *operator) about(op, id, path string, body any) {
	o.ask(oracle.Call{User: "operator-1", Op: op, Service: "operations", Of: id}, "POST", path, body)
}

func (o *operator) do(op, method, path string, body any) stack.Answer {
	return o.ask(oracle.Call{User: "operator-1", Op: op, Service: "operations"}, method, path, body)
}
