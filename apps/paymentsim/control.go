package main

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
)

// weather is how badly the provider behaves towards every call of its API.
type weather struct {
	LatencyMS int64   `json:"latencyMs"` // before a call is looked at
	ErrorRate float64 `json:"errorRate"` // share of calls that are answered 500 and do nothing
	LostRate  float64 `json:"lostRate"`  // share of calls that do their work and lose the answer
}

// controls hold the present weather; the zero value is fair.
type controls struct{ now atomic.Pointer[weather] }

func (s *controls) current() weather {
	if w := s.now.Load(); w != nil {
		return *w
	}
	return weather{}
}

func (s *controls) show(c *fiber.Ctx) error { return c.JSON(s.current()) }

// change replaces the weather; a member left out is 0, so {} makes it fair again.
func (s *controls) change(c *fiber.Ctx) error {
	var w weather
	decoder := json.NewDecoder(bytes.NewReader(c.Body()))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&w)
	isShare := func(rate float64) bool { return rate >= 0 && rate <= 1 }
	if err != nil || w.LatencyMS < 0 || w.LatencyMS > 60_000 || !isShare(w.ErrorRate) || !isShare(w.LostRate) {
		return errInvalidRequest
	}
	s.now.Store(&w)
	return c.JSON(w)
}

// disturb lets the weather act on a call.
func (s *controls) disturb(c *fiber.Ctx) error {
	w := s.current()
	time.Sleep(time.Duration(w.LatencyMS) * time.Millisecond)
	if rand.Float64() < w.ErrorRate {
		return errInternal
	}
	err := c.Next()
	if rand.Float64() < w.LostRate {
		return dropAnswer(c)
	}
	return err
}

// ledger tells what really happened, for tests to compare with; ?orderId= is the beginning of an order id.
func (s *server) ledger(c *fiber.Ctx) error {
	return c.JSON(fiber.Map{"entries": s.book.entriesOf(c.Query("orderId"))})
}

// onlyLoopback hides the routes that have no authentication from other machines.
func onlyLoopback(c *fiber.Ctx) error {
	if !c.Context().RemoteIP().IsLoopback() {
		return errNotFound
	}
	return c.Next()
}
