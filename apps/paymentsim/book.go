package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"
)

// book is what the provider knows: payments, the ledger and the answers it has given. Everything in it was
// written to the journal first.
type book struct {
	journal *journal
	now     func() time.Time

	mu      sync.RWMutex // guards the maps and the slice; taken after an order's lock, never before
	orders  map[string]*order
	byKey   map[string]*order // by paymentKey
	entries []entry
	listed  []transaction
	answers map[string]keptAnswer // by call
	running map[string]struct{}   // calls at work
}

// order holds one payment. Its lock is held from the decision until the disk has it, so that two calls on one
// order follow each other.
type order struct {
	mu      sync.Mutex
	token   token
	payment *payment
	refused bool // a refund was, once
}

// entry is one movement of money.
type entry struct {
	Kind       string    `json:"kind"` // CHARGE or REFUND
	OrderID    string    `json:"orderId"`
	PaymentKey string    `json:"paymentKey"`
	Amount     int64     `json:"amount"` // won
	At         time.Time `json:"at"`
}

// record is one line of the journal: what a call changed and what was answered.
type record struct {
	At      time.Time `json:"at"`
	Call    string    `json:"call,omitempty"` // empty: without an idempotency key
	Token   token     `json:"token,omitempty"`
	Payment *payment  `json:"payment,omitempty"`
	Status  int       `json:"status,omitempty"` // of the refusal
	Refusal *refusal  `json:"refusal,omitempty"`
	Entry   *entry    `json:"entry,omitempty"`
}

// answer is a payment or a refusal.
type answer struct {
	payment *payment
	refusal *refusal
	dropped bool // this time the caller does not hear it
}

// openBook reads the ledger file, which is made when absent.
func openBook(path string) (*book, error) {
	b := &book{
		now: time.Now, orders: map[string]*order{}, byKey: map[string]*order{}, answers: map[string]keptAnswer{},
		running: map[string]struct{}{},
	}
	var err error
	b.journal, err = openJournal(path, func(line []byte) error {
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return err
		}
		if r.Refusal != nil {
			r.Refusal.Status = r.Status
		}
		b.apply(r)
		return nil
	})
	return b, err
}

func (b *book) close() error { return b.journal.close() }

// commit makes a record durable and then true. Whoever commits a payment holds the lock of its order.
func (b *book) commit(r record) (answer, error) {
	r.At = b.now().UTC()
	if r.Refusal != nil {
		r.Status = r.Refusal.Status
	}
	line, err := json.Marshal(r)
	if err != nil {
		return answer{}, err
	}
	if err := b.journal.append(line); err != nil {
		return answer{}, fmt.Errorf("write the ledger: %w", err)
	}
	return b.apply(r), nil
}

func (b *book) apply(r record) answer {
	given := answer{payment: r.Payment, refusal: r.Refusal}
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Payment != nil {
		o := b.orders[r.Payment.OrderID]
		if o == nil {
			o = &order{}
			b.orders[r.Payment.OrderID] = o
		}
		o.token, o.payment = r.Token, r.Payment
		o.refused = o.refused || r.Refusal != nil && r.Payment.Status != stateAborted
		b.byKey[r.Payment.PaymentKey] = o
	}
	if r.Refusal != nil {
		given.payment = nil
	}
	if r.Entry != nil {
		b.entries = append(b.entries, *r.Entry)
		b.listed = append(b.listed, transactionOf(r.Payment, *r.Entry))
	}
	if r.Call != "" {
		b.answers[r.Call] = keptAnswer{answer: given, at: r.At}
	}
	return given
}

// announce makes a payment known under its key before it is committed. The caller holds the order's lock.
func (b *book) announce(o *order, p *payment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o.payment = p
	b.byKey[p.PaymentKey] = o
}

// orderFor finds an order or makes room for it.
func (b *book) orderFor(orderID string) *order {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.orders[orderID]
	if o == nil {
		o = &order{}
		b.orders[orderID] = o
	}
	return o
}

// ofOrder is the payment of an order.
func (b *book) ofOrder(orderID string) (*payment, error) {
	b.mu.RLock()
	o := b.orders[orderID]
	b.mu.RUnlock()
	return o.current()
}

// ofKey is the payment with a paymentKey.
func (b *book) ofKey(paymentKey string) (*payment, error) {
	b.mu.RLock()
	o := b.byKey[paymentKey]
	b.mu.RUnlock()
	p, err := o.current()
	if err != nil || p.PaymentKey != paymentKey { // an aborted attempt gives way to the next
		return nil, errNotFoundPayment
	}
	return p, nil
}

func (o *order) current() (*payment, error) {
	if o == nil {
		return nil, errNotFoundPayment
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.payment == nil {
		return nil, errNotFoundPayment
	}
	return o.payment, nil
}

// entriesOf lists the ledger, oldest first, of the orders whose id begins so.
func (b *book) entriesOf(prefix string) []entry {
	b.mu.RLock()
	defer b.mu.RUnlock()
	found := []entry{}
	for _, e := range b.entries {
		if strings.HasPrefix(e.OrderID, prefix) {
			found = append(found, e)
		}
	}
	return found
}
