package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"oneqtour/tests/chaos/oracle"
	"oneqtour/tests/stack"
)

// cards are the provider's tokens with their weights: most are good.
var cards = []struct {
	token  string
	weight int
}{
	{"tok_ok", 78}, {"tok_declined", 3}, {"tok_insufficient", 2}, {"tok_lost", 4}, {"tok_unknown", 2}, {"tok_slow", 2}, {"tok_error", 2},
	{"tok_wrong_amount", 2}, {"tok_refund_lost", 3}, {"tok_refund_refused", 1}, {"tok_no_partial", 1},
}

func card(dice *rand.Rand) string {
	sum := 0
	for _, c := range cards {
		sum += c.weight
	}
	n := dice.IntN(sum)
	for _, c := range cards {
		if n -= c.weight; n < 0 {
			return c.token + "." + strconv.Itoa(dice.IntN(1_000_000))
		}
	}
	return "tok_ok"
}

// traveller is one customer, who does one thing at a time.
type traveller struct {
	*load
	name string
	own  []string // reservations that may be alive
}

func (c *traveller) step(ctx context.Context, dice *rand.Rand) {
	switch n := dice.IntN(100); {
	case n < 46 || len(c.own) == 0:
		c.reserve(ctx, dice)
	case n < 50:
		c.misuse(dice)
	case n < 70:
		c.cancel(ctx, dice)
	case n < 80:
		c.ask(oracle.Call{User: c.name, Op: "find", Service: "reservation"}, "GET", "/api/reservations/"+c.any(dice), nil)
	case n < 85:
		c.ask(oracle.Call{User: c.name, Op: "history", Service: "reservation"}, "GET", "/api/reservations/"+c.any(dice)+"/history", nil)
	case n < 90:
		c.ask(oracle.Call{User: c.name, Op: "list", Service: "reservation"}, "GET", "/api/reservations", nil)
	case n < 95:
		p, d := c.market.pick(dice)
		c.quote(p, d, 2)
	default:
		c.ask(oracle.Call{User: c.name, Op: "mine", Service: "viewpage"}, "GET", "/api/view/mine", nil)
	}
}

func (c *traveller) any(dice *rand.Rand) string { return c.own[dice.IntN(len(c.own))] }

// quote is what the store says that it costs; 0 when it says nothing.
func (c *traveller) quote(p tour, d departure, travellers int) (won int64) {
	a := c.ask(oracle.Call{Op: "quote", Service: "store"}, "GET",
		fmt.Sprintf("/api/store/items/%s/quote?departureId=%s&travellers=%d&paymentPlan=FULL", p.id, d.id, travellers), nil)
	if a.Status != http.StatusOK {
		return 0
	}
	return decode[struct{ Price struct{ Payable int64 } }](a).Price.Payable
}

// reserve wants seats, and repeats with the same key while it does not know whether it has them. Some make the id of
// their reservation, and come back with it when nothing was charged, with the same key or another.
func (c *traveller) reserve(ctx context.Context, dice *rand.Rand) {
	p, d := c.market.pick(dice)
	wish := oracle.Call{User: c.name, Op: oracle.OpReserve, Service: "reservation", Key: newID(), Token: card(dice), Product: p.id, Departure: d.id, Travellers: 1 + dice.IntN(3)}
	body := object{"productId": p.id, "departureId": d.id, "travellers": wish.Travellers, "paymentPlan": "FULL", "paymentMethod": object{"type": "CARD", "token": wish.Token}}
	if dice.IntN(3) == 0 {
		wish.Of = newID()
		body["reservationId"] = wish.Of
	}
	if dice.IntN(4) == 0 {
		if wish.Quoted = c.quote(p, d, wish.Travellers); wish.Quoted != 0 {
			body["expectedPrice"] = wish.Quoted
		}
	}
	a := c.insist(ctx, dice, wish, body)
	id := decode[struct{ ReservationID string }](a).ReservationID
	switch a.Status {
	case http.StatusCreated:
		if dice.IntN(12) == 0 {
			c.desk.absent.put(absentee{id, p.md}) // whatever happens, they will not come
			return
		}
		c.own = append(c.own, id)
	case http.StatusAccepted:
		c.own = append(c.own, id)
		if dice.IntN(3) == 0 { // does not want to wait
			c.withdraw(id)
		}
	}
}

// insist asks until the answer is known, or patience ends.
func (c *traveller) insist(ctx context.Context, dice *rand.Rand, wish oracle.Call, body object) (a stack.Answer) {
	tries, named := 4, false
	if wish.Of != "" {
		tries = 12 // who has shown an id to a bank does not give it up soon
	}
	for range tries {
		a = c.ask(wish, "POST", "/api/reservations", body)
		rejected := a.Code() == oracle.Busy && len(seenIn(a)) > 0
		named = named || len(seenIn(a)) > 0
		if known(a) || ctx.Err() != nil {
			break
		}
		if wish.Of != "" && rejected && dice.IntN(2) == 0 {
			wish.Key = newID()
		}
		pause(ctx, patience(a))
	}
	if wish.Of != "" && named {
		c.ids.note(takenID{wish, body, a.Status == http.StatusCreated || a.Status == http.StatusAccepted})
	}
	return a
}

// known says whether an answer settles whether there is a reservation.
func known(a stack.Answer) bool {
	return a.Status != 0 && a.Status < 500 && a.Code() != "IDEMPOTENCY_IN_PROGRESS" && a.Status != http.StatusTooManyRequests
}

// patience is what the answer asks for, and at most two seconds.
func patience(a stack.Answer) time.Duration {
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil {
		return min(time.Duration(n)*time.Second, 2*time.Second)
	}
	return 500 * time.Millisecond
}

func (c *traveller) withdraw(id string) {
	c.ask(oracle.Call{User: c.name, Op: "withdraw", Service: "reservation", Key: newID()}, "POST", "/api/reservations/"+id+"/cancellation", object{})
}

// cancel asks what it costs and cancels at exactly that.
func (c *traveller) cancel(ctx context.Context, dice *rand.Rand) {
	i := dice.IntN(len(c.own))
	id := c.own[i]
	path := "/api/reservations/" + id
	quote := c.ask(oracle.Call{User: c.name, Op: "cancellation-quote", Service: "reservation"}, "GET", path+"/cancellation-quote", nil)
	if quote.Status == http.StatusConflict || quote.Status == http.StatusNotFound { // it has ended by itself
		c.own = append(c.own[:i], c.own[i+1:]...)
		return
	}
	if quote.Status != http.StatusOK {
		return
	}
	body := object{"expectedFee": decode[struct{ Fee int64 }](quote).Fee, "reason": "일정 변경"}
	if dice.IntN(6) == 0 {
		body["waiver"] = waivers[dice.IntN(len(waivers))]
	}
	wish := oracle.Call{User: c.name, Op: "cancel", Service: "reservation", Key: newID()}
	for range 3 {
		a := c.ask(wish, "POST", path+"/cancellation", body)
		if known(a) || ctx.Err() != nil {
			if a.Status < 300 && a.Status > 0 {
				c.own = append(c.own[:i], c.own[i+1:]...)
				c.desk.claim(id, body["waiver"])
			}
			return
		}
		pause(ctx, patience(a))
	}
}
