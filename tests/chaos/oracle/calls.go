package oracle

import (
	"maps"
	"slices"
	"sync"
	"time"
)

// Call is one request of a client: what was asked and what the client was told, by the client's own clock.
type Call struct {
	User    string    `json:"user"`
	Op      string    `json:"op"`
	Service string    `json:"service"` // whose answer it is
	Start   time.Time `json:"start"`
	End     time.Time `json:"end"`
	Status  int       `json:"status"` // 0: no answer
	Code    string    `json:"code,omitempty"`
	Err     string    `json:"err,omitempty"`
	Body    string    `json:"body,omitempty"` // of answers of 500 and more

	// The reservation, departure or refund that it is about; of reserving, the id that the client made for it, if any.
	Of   string `json:"of,omitempty"`
	Wish string `json:"wish,omitempty"` // of a waiver: GRANTED or REFUSED

	// Of reserving.
	Key        string `json:"key,omitempty"`
	Token      string `json:"token,omitempty"`
	Product    string `json:"product,omitempty"`
	Departure  string `json:"departure,omitempty"`
	Travellers int    `json:"travellers,omitempty"`
	Quoted     int64  `json:"quoted,omitempty"` // won that the store said, and that the client agreed to

	// The reservations of which the owner said in this answer what state they have.
	Seen []Seen `json:"seen,omitempty"`
}

// Seen is a reservation in an answer. The status is empty where the answer was kept and is only repeated.
type Seen struct {
	ID      string `json:"id"`
	Status  string `json:"status"`
	Payable int64  `json:"payable,omitempty"` // won
}

// Operations of calls that the oracle judges by themselves.
const (
	OpReserve  = "reserve"
	OpMisuse   = "misuse-id"     // reserves with an id that is somebody's: must be refused and change nothing
	OpNoShow   = "no-show"       // on the departure date or later
	OpTooEarly = "no-show-early" // before it: must be refused
	OpClose    = "close"         // a departure
	OpWaiver   = "waiver"        // decides one
	OpPay      = "pay"           // a compensation
	OpSettle   = "settle-refund" // by a bank transfer
)

// Reserves says whether a call asked for seats, rightly or wrongly.
func (c Call) Reserves() bool { return c.Op == OpReserve || c.Op == OpMisuse }

// Names is the reservation that an answer to reserving names; "" when none.
func (c Call) Names() string {
	if len(c.Seen) == 0 {
		return ""
	}
	return c.Seen[0].ID
}

// Log is what all clients together were told, and what they asked products to be.
type Log struct {
	mu       sync.Mutex
	calls    []Call
	capacity map[string]int         // the most that was ever asked for a departure
	asked    map[string]map[int]int // how often each capacity was asked for
	prices   map[string][]Price     // all that a product ever had
}

// Price of a product as its MD set it.
type Price struct{ Won, DiscountRate int64 }

// NewLog is an empty one.
func NewLog() *Log {
	return &Log{capacity: map[string]int{}, asked: map[string]map[int]int{}, prices: map[string][]Price{}}
}

// Add notes a call.
func (l *Log) Add(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, c)
}

// Calls so far.
func (l *Log) Calls() []Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[:len(l.calls):len(l.calls)]
}

// AskCapacity notes what an MD is about to ask for a departure.
func (l *Log) AskCapacity(departure string, capacity int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked[departure] == nil {
		l.asked[departure] = map[int]int{}
	}
	l.asked[departure][capacity]++
	l.capacity[departure] = max(l.capacity[departure], capacity)
}

// AskPrice notes a price that an MD is about to set.
func (l *Log) AskPrice(product string, p Price) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prices[product] = append(l.prices[product], p)
}

// Capacity is the most that was ever asked for a departure; fixed when no other was ever asked for.
func (l *Log) Capacity(departure string) (most int, fixed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.capacity[departure], len(l.asked[departure]) == 1
}

// askedOnce says whether a capacity was asked for a departure once only: while a departure has it, it had no other.
func (l *Log) askedOnce(departure string, capacity int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked[departure][capacity] == 1
}

// Altered is a copy with other calls, for showing that the difference is noticed.
func (l *Log) Altered(change func([]Call) []Call) *Log {
	calls := change(slices.Clone(l.Calls()))
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Log{calls: calls, capacity: maps.Clone(l.capacity), asked: maps.Clone(l.asked), prices: maps.Clone(l.prices)}
}

func (l *Log) pricesOf(product string) []Price {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.prices[product]
}
