package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
)

// simulator is the real server on a free port of the loopback, with its own ledger file.
type simulator struct {
	t    testing.TB
	url  string
	file string
	stop func()
}

func start(t testing.TB) *simulator {
	t.Helper()
	s := &simulator{t: t, file: filepath.Join(t.TempDir(), "ledger", "ledger.jsonl")}
	s.run()
	t.Cleanup(func() { s.stop() })
	return s
}

func (s *simulator) run() {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	cfg := settings{SecretKey: "test_sk_1", LedgerFile: s.file, DrainTime: 10 * time.Second}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, cfg, listener, zerolog.Nop()) }()
	s.url = "http://" + listener.Addr().String()
	s.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("the server ended with: %v", err)
		}
		s.stop = func() {}
	}
	response, err := http.Get(s.url + "/readyz") // accepted as soon as it serves
	if err != nil {
		s.t.Fatal(err)
	}
	response.Body.Close()
}

// restart stops the server and starts another on the same ledger file.
func (s *simulator) restart() {
	s.stop()
	s.run()
}

// answered is an answer in the shape of a payment or of a refusal.
type answered struct {
	status  int
	text    string
	Code    string `json:"code"`
	Message string `json:"message"`
	payment
}

func (s *simulator) call(method, path, key, body string) (answered, error) {
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return answered{}, err
	}
	request.SetBasicAuth("test_sk_1", "")
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	return do(request)
}

func do(request *http.Request) (answered, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answered{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answered{}, err
	}
	r := answered{status: response.StatusCode, text: string(text)}
	return r, json.Unmarshal(text, &r)
}

// must is call for an answer that has to come.
func (s *simulator) must(method, path, key, body string) answered {
	s.t.Helper()
	r, err := s.call(method, path, key, body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

func confirmBody(token, orderID string, amount int64) string {
	text, _ := json.Marshal(map[string]any{"paymentKey": token, "orderId": orderID, "amount": amount})
	return string(text)
}

func (s *simulator) confirm(token, orderID string, amount int64) answered {
	s.t.Helper()
	return s.must(http.MethodPost, "/v1/payments/confirm", "approve-"+orderID, confirmBody(token, orderID, amount))
}

func (s *simulator) cancel(paymentKey, key string, amount int64) answered {
	s.t.Helper()
	return s.must(http.MethodPost, "/v1/payments/"+paymentKey+"/cancel", key, cancelBody(amount))
}

func cancelBody(amount int64) string {
	text, _ := json.Marshal(map[string]any{"cancelReason": "고객 취소", "cancelAmount": amount})
	return string(text)
}

func (s *simulator) inquire(orderID string) answered {
	s.t.Helper()
	return s.must(http.MethodGet, "/v1/payments/orders/"+orderID, "", "")
}

// ledger gives the entries of an order.
func (s *simulator) ledger(orderID string) []entry {
	s.t.Helper()
	response, err := http.Get(s.url + "/_ledger?orderId=" + orderID)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	var all struct{ Entries []entry }
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		s.t.Fatal(err)
	}
	return all.Entries
}

func (s *simulator) wantLedger(orderID string, want ...entry) {
	s.t.Helper()
	got := s.ledger(orderID)
	if len(got) != len(want) {
		s.t.Errorf("ledger of %s: %+v, want %+v", orderID, got, want)
		return
	}
	for i, e := range got {
		if e.Kind != want[i].Kind || e.Amount != want[i].Amount || e.OrderID != orderID || e.PaymentKey == "" || time.Since(e.At) > time.Minute {
			s.t.Errorf("ledger of %s: %+v, want %+v", orderID, e, want[i])
		}
	}
}

func charge(won int64) entry { return entry{Kind: "CHARGE", Amount: won} }

func refund(won int64) entry { return entry{Kind: "REFUND", Amount: won} }

func want(t testing.TB, got answered, status int, code string) {
	t.Helper()
	if got.status != status || got.Code != code || (code != "" && got.Message == "") {
		t.Errorf("answered %d %s, want %d %s", got.status, got.text, status, code)
	}
}
