package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// reserving lets all customers reserve and pay, one seat after the other; pace nil: as fast as they are answered. Those
// who look ask the view for each reservation at once, and lag is how long it took until they saw it.
func (m *market) reserving(ctx context.Context, p plan, length time.Duration, pace *rate.Limiter) (all, lag Figures) {
	seen, took := newTiming(), newTiming()
	working, stop := context.WithTimeout(ctx, length)
	defer stop()
	crowd(working, p.Customers, length, func(person int) bool {
		if pace != nil && pace.Wait(working) != nil {
			<-working.Done()
			return false
		}
		begun := time.Now()
		r := m.reserve(customer(person), m.anySeat())
		answered := time.Now()
		ok := r.status == http.StatusCreated
		if working.Err() == nil {
			took.note(answered.Sub(begun), ok)
		}
		if ok && person < p.Lookers {
			if err := m.awaitView(customer(person), r.id); err == nil {
				seen.note(time.Since(answered), true)
			} else if ctx.Err() == nil {
				seen.note(0, false)
			}
		}
		return ok
	})
	// The figures are those of reserving alone, without waiting for a turn and looking.
	return took.figures(length), seen.figures(0)
}

// awaitView asks until the customer's page shows the reservation as confirmed.
func (m *market) awaitView(user, id string) error {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		a := m.api.call(request{http.MethodGet, "/api/view/mine?limit=1&after=" + id + ":2", "", m.as(user)})
		var page struct {
			Items []struct {
				ReservationID, Status string
				Version               int64
			}
		}
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
			return fmt.Errorf("the view answered %d %s", a.status, a.body)
		}
		if len(page.Items) == 1 && page.Items[0].ReservationID == id && page.Items[0].Version >= 2 {
			return nil
		}
	}
	return errors.New("the view did not show " + id + " within 20 s")
}

// hot lets a whole crowd ask for one departure's few seats at the same instant, and says how many have one in the end.
func (m *market) hot(ctx context.Context, p plan) (l Load, confirmed int64, err error) {
	var users []string
	for n := range p.Crowd {
		users = append(users, customer(1000+n))
	}
	m.signIn(users...)
	seats, err := m.register(ctx, 1, p.Seats)
	if err == nil {
		err = m.onSale(ctx, seats[0])
	}
	if err != nil {
		return l, 0, err
	}
	m.refused()
	took, before := newTiming(), m.confirmed.Load()
	var all sync.WaitGroup
	begun := time.Now()
	for _, user := range users {
		all.Go(func() {
			begun := time.Now()
			r := m.reserve(user, seats[0])
			took.note(time.Since(begun), r.status == http.StatusCreated || r.status == http.StatusConflict)
		})
	}
	all.Wait()
	l.Figures, l.Refused = took.figures(time.Since(begun)), m.refused()
	l.Refused["201"] = m.confirmed.Load() - before
	if err := m.quiet(ctx); err != nil {
		return l, 0, err
	}
	err = m.sys.Database(strict{}, "reservation").QueryRowContext(ctx, "SELECT confirmed FROM departures WHERE id = ?", seats[0].departure).Scan(&confirmed)
	return l, confirmed, err
}

// onSale waits until reservation knows the departure.
func (m *market) onSale(ctx context.Context, s seat) error {
	return await(ctx, 30*time.Second, "a departure can be reserved", func() error {
		var n int
		err := m.sys.Database(strict{}, "reservation").QueryRowContext(ctx, "SELECT COUNT(*) FROM departures WHERE id = ?", s.departure).Scan(&n)
		if err == nil && n == 0 {
			err = errors.New("it is not known yet")
		}
		return err
	})
}
