package chaos

import (
	"context"
	"math/rand/v2"
	"sync"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// waivers that customers claim.
var waivers = []string{"OWN_ILLNESS", "RELATIVE_DIED", "EPIDEMIC_ADVISORY", "EPIDEMIC_ORDER"}

// desk is where claims of waivers wait for an operator.
type desk struct {
	mu     sync.Mutex
	claims []claim
}

type claim struct{ reservation, reason string }

func (d *desk) claim(reservation string, reason any) {
	if text, ok := reason.(string); ok {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.claims = append(d.claims, claim{reservation, text})
	}
}

func (d *desk) next() (claim, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.claims) == 0 {
		return claim{}, false
	}
	c := d.claims[0]
	d.claims = d.claims[1:]
	return c, true
}

// operator decides waivers, pays compensations, sees to refunds that are stuck, and looks at what there is.
type operator struct{ *load }

func (o *operator) step(_ context.Context, dice *rand.Rand) {
	switch dice.IntN(6) {
	case 0, 1:
		if c, ok := o.desk.next(); ok {
			o.do("waiver", "POST", "/api/ops/reservations/"+c.reservation+"/waiver", object{"reason": c.reason, "granted": dice.IntN(3) > 0, "note": "확인"})
		}
	case 2:
		owed := decode[struct {
			Items []struct{ ReservationID string }
		}](o.do("compensations", "GET", "/api/ops/compensations?status=DUE", nil)).Items
		if len(owed) > 0 && dice.IntN(2) == 0 {
			o.do("pay", "POST", "/api/ops/compensations/"+owed[0].ReservationID+"/payment", object{"reference": "bank-" + newID()})
		}
	case 3:
		o.seeToRefunds(dice)
	case 4:
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
	path := "/api/ops/refunds/" + stuck[dice.IntN(len(stuck))].RefundID
	switch dice.IntN(3) {
	case 0:
		o.do("retry-refund", "POST", path+"/retry", nil)
	case 1:
		o.do("settle-refund", "POST", path+"/settlement", object{"reference": "bank-" + newID()})
	}
}

func (o *operator) do(op, method, path string, body any) stack.Answer {
	return o.ask(oracle.Call{User: "operator-1", Op: op, Service: "operations"}, method, path, body)
}
