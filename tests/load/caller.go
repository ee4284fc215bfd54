package load

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
)

// patience is how long one call is repeated while the system says that it cannot just now.
const patience = 2 * time.Minute

var client = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * atOnce}}

type object = map[string]any

type product struct {
	ProductID  string
	Status     string
	Departures []struct {
		DepartureID string
		Capacity    int
	}
}

// inOrder is all products by id, so that a fill that goes on means the same by a number.
func inOrder(offers [][]product) []product {
	all := slices.Concat(offers...)
	slices.SortFunc(all, func(a, b product) int { return cmp.Compare(a.ProductID, b.ProductID) })
	return all
}

// caller is one user of the API.
type caller struct {
	f    *Filler
	user string
	mu   sync.Mutex
	with string // token
}

func (f *Filler) as(user string) *caller { return &caller{f: f, user: user} }

// products lists at most so many of the MD's own that were made by a fill and are still open.
func (c *caller) products(ctx context.Context, most int) (all []product, err error) {
	err = pages(ctx, c, "/api/products", func(page []product) bool {
		for _, p := range page {
			if p.Status == "OPEN" && len(p.Departures) > 0 && p.Departures[0].Capacity == capacity && len(all) < most {
				all = append(all, p)
			}
		}
		return len(all) < most
	})
	return all, err
}

// reservations counts the customer's own, up to so many.
func (c *caller) reservations(ctx context.Context, most int) (n int, err error) {
	err = pages(ctx, c, "/api/reservations", func(page []struct{}) bool {
		n = min(n+len(page), most)
		return n < most
	})
	return n, err
}

func pages[T any](ctx context.Context, c *caller, path string, more func([]T) bool) error {
	for cursor := ""; ; {
		var page struct {
			Items      []T
			NextCursor *string
		}
		if err := c.call(ctx, http.MethodGet, path+"?limit=100"+cursor, "", nil, &page); err != nil {
			return err
		}
		if !more(page.Items) || page.NextCursor == nil {
			return nil
		}
		cursor = "&cursor=" + url.QueryEscape(*page.NextCursor)
	}
}

// register makes product number n of the MD: two departures, half a year ahead.
func (c *caller) register(ctx context.Context, n int) (p product, err error) {
	day := func(after int) string {
		return time.Now().In(time.FixedZone("Asia/Seoul", 9*60*60)).AddDate(0, 0, after).Format(time.DateOnly)
	}
	kind, country, name := "OVERSEAS", []string{"JP", "VN", "TH", "FR"}[n%4], "Night train tour"
	if n%3 == 0 {
		kind, country, name = "DOMESTIC", "KR", "Olle trail"
	}
	err = c.call(ctx, http.MethodPost, "/api/products", "", object{
		"kind": kind, "country": country, "nights": 1 + n%5, "price": 100_000 + 1000*(n%900), "discountRate": 100 * (n % 11),
		"recommendation": n % 6, "fxBenefitRate": 3300, "cancellationPolicy": object{"type": "STANDARD"},
		"name":         object{"ko": fmt.Sprintf("여행 %s %d", c.user, n), "en": fmt.Sprintf("%s %d", name, n)},
		"description":  object{"ko": "적금으로 모아 떠나는 여행", "en": "Save up for it and go"},
		"savingsOffer": object{"baseRate": 300, "preferentialRate": 50, "termMonths": 12},
		"departures": []any{object{"date": day(150 + n%100), "capacity": capacity, "minParticipants": 1},
			object{"date": day(260 + n%100), "capacity": capacity, "minParticipants": 1}},
	}, &p)
	return p, err
}

// reserve makes reservation number n of the customer. Its key is made of the number, so that one whose answer was
// lost is not made twice.
func (c *caller) reserve(ctx context.Context, p product, n int) error {
	return c.call(ctx, http.MethodPost, "/api/reservations", "load-"+strconv.Itoa(n), object{
		"productId": p.ProductID, "departureId": p.Departures[n%len(p.Departures)].DepartureID, "travellers": 1 + n%4,
		"paymentPlan": "FULL", "paymentMethod": object{"type": "CARD", "token": "tok_ok"},
	}, &struct{}{})
}

// call repeats a request while the answer is that the system cannot just now: too many, too busy, away, or not yet
// heard of a product. Any other refusal is an error.
func (c *caller) call(ctx context.Context, method, path, key string, body, into any) error {
	var refused error
	for end := time.Now().Add(patience); time.Now().Before(end); {
		status, after, raw, err := c.once(ctx, method, path, key, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			refused = err
		case status < 300:
			return json.Unmarshal(raw, into)
		case status == http.StatusUnauthorized:
			c.forget()
			refused = fmt.Errorf("%s %s: %d %.300s", method, path, status, raw)
		case status == http.StatusTooManyRequests, status >= 500,
			status == http.StatusConflict && bytes.Contains(raw, []byte("IDEMPOTENCY_IN_PROGRESS")),
			status == http.StatusNotFound && method == http.MethodPost:
			refused = fmt.Errorf("%s %s: %d %.300s", method, path, status, raw)
		default:
			return fmt.Errorf("%s %s: %d %.300s", method, path, status, raw)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(after + rand.N(200*time.Millisecond)):
		}
	}
	return fmt.Errorf("given up: %w", refused)
}

func (c *caller) once(ctx context.Context, method, path, key string, body any) (status int, after time.Duration, answer []byte, err error) {
	token, err := c.token()
	if err != nil {
		return 0, time.Second, nil, err
	}
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return 0, 0, nil, err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.f.Front+path, sent)
	if err != nil {
		return 0, 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, time.Second, nil, err
	}
	defer func() { _ = res.Body.Close() }()
	answer, err = io.ReadAll(res.Body)
	seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
	return res.StatusCode, time.Duration(seconds) * time.Second, answer, err
}

func (c *caller) token() (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.with == "" {
		token, err := c.f.Token(c.user)
		if err != nil {
			return "", fmt.Errorf("token of %s: %w", c.user, err)
		}
		c.with = token
	}
	return c.with, nil
}

func (c *caller) forget() { c.mu.Lock(); c.with = ""; c.mu.Unlock() }
