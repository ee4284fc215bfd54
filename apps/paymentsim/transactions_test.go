package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func (s *simulator) list(query string) (found []transaction, answer answered) {
	s.t.Helper()
	req, _ := http.NewRequest(http.MethodGet, s.url+"/v1/transactions?"+query, nil)
	req.SetBasicAuth("test_sk_1", "")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, _ := io.ReadAll(res.Body)
	answer.status, answer.text = res.StatusCode, string(raw)
	if err := json.Unmarshal(raw, &found); err != nil {
		_ = json.Unmarshal(raw, &answer)
	}
	return found, answer
}

func second(at time.Time) string { return at.In(korea).Format("2006-01-02T15:04:05") }

func TestTransactionsAreListedOldestFirstAndPageByPage(t *testing.T) {
	s := start(t)
	begun := time.Now()
	paid := s.confirm("tok_ok", "order-1", 10000)
	s.confirm("tok_declined", "order-2", 10000)
	s.cancel(paid.PaymentKey, "refund-1", 3000)
	s.confirm("tok_ok", "order-3", 500)
	s.cancel(paid.PaymentKey, "refund-2", 7000)
	s.restart() // what is listed was written down
	day := "startDate=" + second(begun) + "&endDate=" + second(time.Now())
	all, _ := s.list(day)
	var told []string
	for _, one := range all {
		told = append(told, fmt.Sprint(one.OrderID, " ", one.Status, " ", one.Amount))
		if one.TransactionKey == "" || one.PaymentKey == "" || !strings.HasSuffix(one.TransactionAt, "+09:00") || one.Currency != "KRW" {
			t.Errorf("%+v", one)
		}
	}
	if got := strings.Join(told, ", "); got != "order-1 DONE 10000, order-1 PARTIAL_CANCELED 3000, order-3 DONE 500, order-1 CANCELED 7000" {
		t.Fatal(got)
	}
	first, _ := s.list(day + "&limit=3")
	rest, _ := s.list(day + "&limit=3&startingAfter=" + all[2].TransactionKey)
	if len(first) != 3 || len(rest) != 1 || rest[0].TransactionKey != all[3].TransactionKey {
		t.Errorf("%d and %d", len(first), len(rest))
	}
	if none, _ := s.list("startDate=" + second(begun.Add(-time.Hour)) + "&endDate=" + second(begun.Add(-2*time.Second))); len(none) != 0 {
		t.Errorf("%d before it began", len(none))
	}
}

func TestATransactionListThatCannotBeIsRefused(t *testing.T) {
	s := start(t)
	day := "startDate=2026-11-22T00:00:00&endDate=2026-11-22T23:59:59"
	for query, code := range map[string]string{
		"":                              "INVALID_REQUEST",
		"startDate=2026-11-22":          "INVALID_REQUEST",
		"startDate=2026-11-22T00:00:00": "INVALID_REQUEST",
		"startDate=2026-11-23T00:00:00&endDate=2026-11-22T23:59:59": "INVALID_REQUEST",
		day + "&limit=0":         "INVALID_REQUEST",
		day + "&limit=5001":      "INVALID_REQUEST",
		day + "&startingAfter=x": "INVALID_TRANSACTION_KEY",
	} {
		_, answer := s.list(query)
		want(t, answer, 400, code)
	}
	if found, answer := s.list(day); answer.text != "[]" || found == nil {
		t.Errorf("nothing is %s", answer.text)
	}
}
