package main

import (
	"fmt"
	"net/http"
	"testing"

	"oneqtour/apps/internal/contract"
)

// One request shows a full page with the states of all its reservations, and nobody else could have been asked: the
// view's sidecar calls no service for it.
func TestN4_OneRequestAndNoCallToAnotherService(t *testing.T) {
	customer := newID()
	for i := range 110 {
		p, totals := offer(t, newID(), "OVERSEAS")
		for range 1 + i%3 {
			reserve(t, customer, p, &totals, deliverConfirmed(t))
		}
	}
	res, raw := get(t, "/board?limit=100")
	page := decode(t, res, raw)
	if len(page.Items) != 100 || page.NextCursor == nil {
		t.Fatalf("%d items", len(page.Items))
	}
	for i, item := range page.Items { // the newest first
		if want := 1 + (109-i)%3; item.Reservations[contract.StatusConfirmed] != want || len(item.Departures) != 1 {
			t.Errorf("item %d shows %v, want %d confirmed", i, item.Reservations, want)
		}
	}
	front := fmt.Sprintf("http://127.0.0.1:%d/v1.0/invoke/product/method/products/%s", stack.cfg.DaprHTTPPort, newID())
	called, err := http.Get(front)
	if err != nil {
		t.Fatal(err)
	}
	_ = called.Body.Close()
	if called.StatusCode != http.StatusForbidden && called.StatusCode != http.StatusNotFound {
		t.Errorf("the sidecar answered an invocation with %d", called.StatusCode)
	}
}
