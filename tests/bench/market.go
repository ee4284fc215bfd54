package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"oneqtour/tests/stack"
)

// A departure's capacity; the API's most.
const plenty = 10_000

// market is the running system as its users see it, with what they have heard.
type market struct {
	sys    *stack.Stack
	api    caller
	bearer map[string]string // by user
	tours  []seat            // departures that are reserved

	confirmed atomic.Int64 // answers 201, in all
	open      atomic.Int64 // answers after which it may be confirmed yet: 202, 5xx, none
	refusals  sync.Map     // other answers of the load: status and code → *atomic.Int64
}

// seat is where one can be had.
type seat struct{ product, departure string }

func newMarket(sys *stack.Stack) *market {
	return &market{sys: sys, api: newCaller(8080 + stack.Offset), bearer: map[string]string{}}
}

func customer(n int) string { return fmt.Sprintf("customer-%d", n+1) }

// signIn gets everybody's token, once.
func (m *market) signIn(users ...string) {
	for _, user := range users {
		m.bearer[user] = "Bearer " + m.sys.Token(strict{}, user)
	}
}

func (m *market) as(user string) [][2]string { return [][2]string{{"Authorization", m.bearer[user]}} }

// register puts so many products with two departures each on the market, several MDs at a time.
func (m *market) register(ctx context.Context, n, capacity int) ([]seat, error) {
	seats := make([][]seat, n)
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range n {
		group.Go(func() (err error) {
			if working.Err() == nil {
				seats[i], err = m.registerOne(fmt.Sprintf("md-%d", 1+i%2), i, capacity)
			}
			return err
		})
	}
	err := errors.Join(group.Wait(), ctx.Err())
	var all []seat
	for _, s := range seats {
		all = append(all, s...)
	}
	return all, err
}

func (m *market) registerOne(md string, n, capacity int) ([]seat, error) {
	type object = map[string]any
	day := func(n int) string {
		return time.Now().In(time.FixedZone("Asia/Seoul", 9*60*60)).AddDate(0, 0, n).Format(time.DateOnly)
	}
	body, err := json.Marshal(object{
		"kind": "OVERSEAS", "name": object{"ko": fmt.Sprintf("오사카 3일 + 5%% 적금 %d", n), "en": fmt.Sprintf("Osaka 3 days %d", n)},
		"description": object{"ko": strings.Repeat("벚꽃이 피는 오사카. ", 10), "en": strings.Repeat("Osaka in bloom. ", 10)},
		"country":     "JP", "nights": 2, "price": 800_000, "discountRate": 500, "recommendation": 5, "cancellationPolicy": object{"type": "STANDARD"},
		"departures": []object{
			{"date": day(60), "capacity": capacity, "minParticipants": 1}, {"date": day(90), "capacity": capacity, "minParticipants": 1}},
	})
	if err != nil {
		return nil, err
	}
	a := m.api.call(request{http.MethodPost, "/api/products", string(body), m.as(md)})
	var made struct {
		ProductID  string
		Departures []struct{ DepartureID string }
	}
	if err := json.Unmarshal(a.body, &made); err != nil || a.status != http.StatusCreated {
		return nil, fmt.Errorf("registering answered %d %s", a.status, a.body)
	}
	var seats []seat
	for _, d := range made.Departures {
		seats = append(seats, seat{made.ProductID, d.DepartureID})
	}
	return seats, nil
}

// reserved is what a customer is told.
type reserved struct {
	answer
	id string
}

// reserve takes and pays for one seat.
func (m *market) reserve(user string, s seat) reserved {
	body := `{"productId":"` + s.product + `","departureId":"` + s.departure + `","travellers":1,"paymentPlan":"FULL","paymentMethod":{"type":"CARD","token":"tok_ok"}}`
	header := append(m.as(user), [2]string{"Idempotency-Key", uuid.Must(uuid.NewV7()).String()})
	r := reserved{answer: m.api.call(request{http.MethodPost, "/api/reservations", body, header})}
	var said struct{ ReservationID, Code string }
	_ = json.Unmarshal(r.body, &said)
	r.id = said.ReservationID
	if r.status == http.StatusCreated {
		m.confirmed.Add(1)
		return r
	}
	if r.status == http.StatusAccepted || r.status == 0 || r.status >= 500 {
		m.open.Add(1)
	}
	m.refuse(r.answer, said.Code)
	return r
}

func (m *market) refuse(a answer, code string) {
	n, _ := m.refusals.LoadOrStore(strings.TrimSpace(fmt.Sprint(a.status, " ", code)), new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (m *market) anySeat() seat { return m.tours[rand.IntN(len(m.tours))] }

// refused is how the answers that were not 201 read, since it was asked last.
func (m *market) refused() map[string]int64 {
	all := map[string]int64{}
	m.refusals.Range(func(k, v any) bool {
		all[k.(string)] = v.(*atomic.Int64).Load()
		m.refusals.Delete(k)
		return true
	})
	return all
}
