package httpapi

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"oneqtour/apps/internal/web"
)

func TestAQuotaIsABurstAndThenARate(t *testing.T) {
	l, now := NewLimiter(50, 200), time.Now()
	for n := range 200 {
		if l.takeAt("a", now) != 0 {
			t.Fatalf("request %d of the burst is refused", n+1)
		}
	}
	if wait := l.takeAt("a", now); wait <= 0 || wait > 20*time.Millisecond {
		t.Errorf("after the burst wait %v, want up to 20ms", wait)
	}
	if l.takeAt("b", now) != 0 {
		t.Error("another caller pays for it")
	}
	allowed := 0
	for ms := range 1000 {
		if l.takeAt("a", now.Add(time.Duration(ms+1)*time.Millisecond)) == 0 {
			allowed++
		}
	}
	if allowed < 49 || allowed > 51 {
		t.Errorf("%d in a second, want 50", allowed)
	}
}

func TestNoRateIsNoLimit(t *testing.T) {
	l := NewLimiter(0, 0)
	for range 10_000 {
		if l.Take("a") != 0 {
			t.Fatal("refused")
		}
	}
	if len(l.keys) > 0 {
		t.Error("and nothing to remember")
	}
}

func TestMadeUpCallersDoNotFillTheMemory(t *testing.T) {
	l, now := NewLimiter(1, 10), time.Now()
	for n := range 5 * maxKeys {
		l.takeAt(strconv.Itoa(n), now)
	}
	if len(l.keys) > maxKeys || l.used.Len() != len(l.keys) {
		t.Errorf("%d keys", len(l.keys))
	}
	for n := range maxKeys {
		l.takeAt("x", now.Add(time.Minute+time.Duration(n)))
	}
	if len(l.keys) != 1 {
		t.Errorf("%d keys a minute later", len(l.keys))
	}
}

func TestK7_OneSubjectBeyondItsQuotaLeavesTheOthersAlone(t *testing.T) {
	f := start(t, NewLimiter(1, 5), NewLimiter(1, 3))
	get := func(token string) *http.Response {
		res, _ := f.do(http.MethodGet, "/api/view/mine", "", "Authorization", token)
		return res
	}
	greedy := f.issuer.Bearer("greedy", web.RoleCustomer)
	for range 5 {
		if res := get(greedy); res.StatusCode != http.StatusOK {
			t.Fatalf("within the quota: %d", res.StatusCode)
		}
	}
	if res := get(greedy); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "1" {
		t.Errorf("beyond it: %d, Retry-After %q", res.StatusCode, res.Header.Get("Retry-After"))
	}
	// Tokens that nobody signed count for the address, whatever subject they claim, and cost the greedy's
	// neighbours nothing.
	answers := map[int]int{}
	for n := range 6 {
		answers[get(fmt.Sprintf("Bearer made.up.%d", n)).StatusCode]++
	}
	if answers[http.StatusUnauthorized] != 3 || answers[http.StatusTooManyRequests] != 3 {
		t.Errorf("made-up tokens: %v", answers)
	}
	if res, _ := f.do(http.MethodGet, "/api/view/board", ""); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("without a token, from the same address: %d", res.StatusCode)
	}
	if res := get(f.issuer.Bearer("modest", web.RoleCustomer)); res.StatusCode != http.StatusOK {
		t.Errorf("another subject of the same address: %d", res.StatusCode)
	}
}

func TestAnIPv6NetworkIsOneSource(t *testing.T) {
	if a, b := source("2001:db8::1"), source("2001:db8::ffff:2"); a != b {
		t.Errorf("%s and %s", a, b)
	}
	if a, b := source("192.0.2.1"), source("::ffff:192.0.2.1"); a != b || a == source("192.0.2.2") {
		t.Errorf("%s and %s", a, b)
	}
}
