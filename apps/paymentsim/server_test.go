package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestItStartsInDevelopmentOnly(t *testing.T) {
	if err := run(t.Context(), settings{Environment: "production"}); !errors.Is(err, errNotDevelopment) {
		t.Errorf("got %v", err)
	}
}

func TestTheSecretKeyIsAskedFor(t *testing.T) {
	s := start(t)
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for _, c := range []struct {
		header string
		status int
		code   string
	}{
		{"", 401, "UNAUTHORIZED_KEY"},
		{"Bearer test_sk_1", 401, "UNAUTHORIZED_KEY"},
		{basic("test_sk_2:"), 401, "UNAUTHORIZED_KEY"},
		{basic("test_sk_1:password"), 401, "UNAUTHORIZED_KEY"},
		{basic("test_sk_1"), 403, "INCORRECT_BASIC_AUTH_FORMAT"},
		{"Basic §", 403, "INCORRECT_BASIC_AUTH_FORMAT"},
		{basic("test_sk_1:"), 404, "NOT_FOUND_PAYMENT"},
	} {
		request, _ := http.NewRequest(http.MethodGet, s.url+"/v1/payments/orders/nobody-1", nil)
		request.Header.Set("Authorization", c.header)
		r, err := do(request)
		if err != nil {
			t.Fatal(err)
		}
		want(t, r, c.status, c.code)
	}
}

func TestMalformedCallsAreRefused(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_ok", "order-good", 1000)
	confirm, cancel := "/v1/payments/confirm", "/v1/payments/"+paid.PaymentKey+"/cancel"
	for _, c := range []struct {
		path, key, body string
		status          int
		code            string
	}{
		{confirm, "k", "{", 400, "INVALID_REQUEST"},
		{confirm, "k", confirmBody("tok_ok", "short", 1000), 400, "INVALID_REQUEST"},
		{confirm, "k", confirmBody("tok_ok", "order 1", 1000), 400, "INVALID_REQUEST"},
		{confirm, "k", confirmBody("tok_ok", strings.Repeat("o", 65), 1000), 400, "INVALID_REQUEST"},
		{confirm, "k", confirmBody("tok_ok", "order-1", -1), 400, "INVALID_REQUEST"},
		{confirm, "k", `{"paymentKey":"tok_ok","orderId":"order-1","amount":1000.5}`, 400, "INVALID_REQUEST"},
		{confirm, "k", confirmBody("tok_ok", "order-1", 99), 400, "BELOW_MINIMUM_AMOUNT"},
		{confirm, "k", confirmBody("tok_other", "order-1", 1000), 404, "NOT_FOUND_PAYMENT_SESSION"},
		{confirm, "k", confirmBody("tok_okay.1", "order-1", 1000), 404, "NOT_FOUND_PAYMENT_SESSION"},
		{confirm, strings.Repeat("k", 301), confirmBody("tok_ok", "order-1", 1000), 400, "INVALID_IDEMPOTENCY_KEY"},
		{cancel, "k", `{"cancelAmount":100}`, 400, "INVALID_REQUEST"},
		{cancel, "k", cancelBody(0), 400, "INVALID_REQUEST"},
		{cancel, "k", cancelBody(-5), 400, "INVALID_REQUEST"},
		{"/v1/nothing", "k", "{}", 404, "NOT_FOUND"},
	} {
		want(t, s.must(http.MethodPost, c.path, c.key, c.body), c.status, c.code)
	}
	s.wantLedger("order-good", charge(1000))
	s.wantLedger("order-1")
	want(t, s.must(http.MethodPost, confirm, strings.Repeat("가", 300), confirmBody("tok_ok", "order-1", 100)), 200, "")
}

func TestTheWeatherActsOnEveryCall(t *testing.T) {
	s := start(t)
	change := func(text string) (reply weather, status int) {
		t.Helper()
		response, err := http.Post(s.url+"/_control", "application/json", bytes.NewReader([]byte(text)))
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		_ = json.NewDecoder(response.Body).Decode(&reply)
		return reply, response.StatusCode
	}
	for _, wrong := range []string{`{"errorRate":1.1}`, `{"lostRate":-1}`, `{"latencyMs":-1}`, `{"latency":5}`, `nonsense`} {
		if _, status := change(wrong); status != 400 {
			t.Errorf("%s: %d", wrong, status)
		}
	}
	change(`{"errorRate":1}`)
	want(t, s.confirm("tok_ok", "order-e", 1000), 500, "FAILED_PAYMENT_INTERNAL_SYSTEM_PROCESSING")
	change(`{"lostRate":1}`)
	if r, err := s.call(http.MethodPost, "/v1/payments/confirm", "lost", confirmBody("tok_ok", "order-l", 1000)); err == nil {
		t.Errorf("heard %s", r.text)
	}
	if now, status := change(`{"latencyMs":150}`); status != 200 || now != (weather{LatencyMS: 150}) {
		t.Errorf("%d %+v", status, now)
	}
	begun := time.Now()
	want(t, s.inquire("order-l"), 200, "")
	if took := time.Since(begun); took < 150*time.Millisecond {
		t.Errorf("took %v", took)
	}
	change(`{}`)
	want(t, s.inquire("order-e"), 404, "NOT_FOUND_PAYMENT")
	s.wantLedger("order-e")
	s.wantLedger("order-l", charge(1000))
	want(t, s.must(http.MethodPost, "/v1/payments/confirm", "lost", confirmBody("tok_ok", "order-l", 1000)), 200, "")
}
