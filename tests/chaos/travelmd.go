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

// mostTours bounds the market, so that departures stay sought after.
const mostTours = 40

// travelMD registers and revises products, closes departures, records no-shows and reads the inbox.
type travelMD struct {
	*load
	name string
	seq  int64 // the last notice that was read
}

func (m *travelMD) step(_ context.Context, dice *rand.Rand) {
	switch n := dice.IntN(100); {
	case n < 10:
		m.register(dice)
	case n < 40:
		m.revise(dice)
	case n < 43:
		m.close(dice)
	case n < 48:
		m.recordNoShow(m.name, func(a absentee) bool { return a.md == m.name }, dice)
	case n < 75:
		m.readInbox()
	case n < 90:
		m.ask(oracle.Call{User: m.name, Op: "md-board", Service: "viewpage"}, "GET", "/api/view/md", nil)
	default:
		m.ask(oracle.Call{User: m.name, Op: "own-products", Service: "product"}, "GET", "/api/products", nil)
	}
}

type product struct {
	ProductID  string
	Departures []struct{ DepartureID string }
}

// register offers a new product. One whose answer is lost may exist, and nobody will reserve it.
func (m *travelMD) register(dice *rand.Rand) {
	m.market.mu.Lock()
	full := len(m.market.tours) >= mostTours
	m.market.mu.Unlock()
	if full {
		return
	}
	body, capacities := newTour(dice)
	a := m.ask(oracle.Call{User: m.name, Op: "register", Service: "product"}, "POST", "/api/products", body)
	if a.Status != http.StatusCreated {
		return
	}
	p := decode[product](a)
	t := tour{id: p.ProductID, md: m.name, elastic: dice.IntN(4) == 0}
	for i, d := range p.Departures {
		m.log.AskCapacity(d.DepartureID, capacities[i])
		t.departures = append(t.departures, departure{d.DepartureID, capacities[i]})
	}
	m.log.AskPrice(t.id, oracle.Price{Won: int64(body["price"].(int)), DiscountRate: int64(body["discountRate"].(int))})
	m.market.add(t)
}

// revise changes price and discount, and the capacities of an elastic product.
func (m *travelMD) revise(dice *rand.Rand) {
	t, ok := m.market.of(m.name, dice)
	if !ok {
		return
	}
	now := m.ask(oracle.Call{User: m.name, Op: "product", Service: "product"}, "GET", "/api/products/"+t.id, nil)
	if now.Status != http.StatusOK {
		return
	}
	doc := decode[object](now)
	price := oracle.Price{Won: int64(10_000 + 7*dice.IntN(100_000)), DiscountRate: int64(100 * dice.IntN(20))}
	doc["price"], doc["discountRate"] = price.Won, price.DiscountRate
	if departures, _ := doc["departures"].([]any); t.elastic && len(departures) > 0 {
		d := departures[dice.IntN(len(departures))].(map[string]any)
		capacity := 5 + dice.IntN(60)
		d["capacity"] = capacity
		m.log.AskCapacity(d["departureId"].(string), capacity)
	}
	m.log.AskPrice(t.id, price) // before it is asked for: the answer may be lost
	m.ask(oracle.Call{User: m.name, Op: "revise", Service: "product"}, "PUT", "/api/products/"+t.id, doc, "If-Match", now.Header.Get("ETag"))
}

var closureReasons = []string{"UNDER_SUBSCRIBED", "SUPPLIER_FAULT", "FORCE_MAJEURE"}

// close lets a departure of one's own not take place; a new product takes its place on the market.
func (m *travelMD) close(dice *rand.Rand) {
	t, ok := m.market.of(m.name, dice)
	if !ok {
		return
	}
	m.closeDeparture(t, t.departures[dice.IntN(len(t.departures))], closureReasons[dice.IntN(len(closureReasons))])
}

func (l *load) closeDeparture(t tour, d departure, reason string) stack.Answer {
	return l.ask(oracle.Call{User: t.md, Op: oracle.OpClose, Service: "product", Product: t.id, Of: d.id}, "POST",
		"/api/products/"+t.id+"/departures/"+d.id+"/closure", object{"reason": reason})
}

// closeAtLast asks for a tour's closure, by its supplier's fault, until it is granted; for half a minute at most.
func (l *load) closeAtLast(ctx context.Context, t tour) {
	ctx, cancel := context.WithTimeout(ctx, mostRecovery)
	defer cancel()
	for ctx.Err() == nil {
		a := l.closeDeparture(t, t.departures[0], "SUPPLIER_FAULT")
		if a.Status == http.StatusAccepted || a.Code() == "DEPARTURE_CLOSED" {
			return
		}
		pause(ctx, time.Second)
	}
}

// readInbox reads on and acknowledges the newest notice.
func (m *travelMD) readInbox() {
	a := m.ask(oracle.Call{User: m.name, Op: "notices", Service: "product"}, "GET", fmt.Sprintf("/api/md/notices?limit=100&after=%d", m.seq), nil)
	for _, n := range decode[struct{ Items []struct{ Seq int64 } }](a).Items {
		m.seq = max(m.seq, n.Seq)
	}
	if m.seq > 0 {
		m.ask(oracle.Call{User: m.name, Op: "acknowledge", Service: "product"}, "POST", "/api/md/notices/"+strconv.FormatInt(m.seq, 10)+"/acknowledgement", nil)
	}
}
