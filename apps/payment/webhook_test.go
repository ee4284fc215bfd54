package main

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"oneqtour/apps/internal/contract"
)

// hint is the provider's webhook as it sends and resends it.
func (s *service) hint(reservation, status, transmission string) {
	s.t.Helper()
	header := http.Header{"Tosspayments-Webhook-Transmission-Id": {transmission}, "Tosspayments-Webhook-Transmission-Retried-Count": {"1"}}
	body := `{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-11-22T10:00:00.000000","data":{"orderId":"` + reservation + `-PRICE","status":"` + status + `"}}`
	if code, raw := s.callWith(header, "/webhooks/payment", []byte(body), "gateway"); code != http.StatusOK {
		s.t.Errorf("webhook: %d %s", code, raw)
	}
}

// What reservation asks has no query; the address of the webhook is what was entered at the provider.
func TestNoCallTakesAQueryButTheProviders(t *testing.T) {
	s := serve(t, "http://127.0.0.1:1")
	for _, path := range []string{contract.ApprovePath, contract.InquirePath, contract.PaymentTimelinePath, contract.ReconcilePath,
		contract.RefundListPath, contract.RefundRetryPath, contract.RefundSettlementPath} {
		if code, raw := s.call(path+"?dryRun=true", struct{}{}, "reservation"); code != http.StatusBadRequest || !strings.Contains(string(raw), `"field":"dryRun"`) {
			t.Errorf("%s: %d %s", path, code, raw)
		}
	}
	if code, raw := s.call("/webhooks/payment?shop=7", struct{}{}, "gateway"); code != http.StatusOK {
		t.Errorf("webhook: %d %s", code, raw)
	}
}

// The same transmission many times, one behind the other and at once: the provider is asked, one event is told.
func TestAWebhookThatIsResentChangesNothingTwice(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_lost"))
	if _, err := s.db.Exec("UPDATE payments SET next_attempt_at = NOW(6) + INTERVAL 1 DAY"); err != nil {
		t.Fatal(err)
	}
	s.resumes()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { s.hint(reservation, "DONE", "transmission-1") })
	}
	all.Wait()
	s.becomes(reservation, "APPROVED")
	for range 3 {
		s.hint(reservation, "DONE", "transmission-1")
		s.hint(reservation, "CANCELED", "transmission-2") // a lie
	}
	if p := s.stored(reservation); p.Status != "APPROVED" || p.Version != 3 || !p.Next.IsZero() {
		t.Errorf("%+v", p)
	}
	if words, _ := s.events(reservation); words != "approved" {
		t.Errorf("events: %s", words)
	}
	if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 0 || entries != 1 {
		t.Errorf("charged %d, returned %d in %d entries", charged, returned, entries)
	}
}

// The webhook overtakes the answer: whichever is stored first, the caller hears APPROVED, once.
func TestAWebhookThatComesBeforeTheAnswerIsNoSecondApproval(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	sim.weather(`{"latencyMs":400}`)
	for range 8 {
		reservation := newID()
		answered := make(chan string)
		go func() {
			_, word := s.approve(charge(reservation, 10_000, "tok_ok"))
			answered <- word
		}()
		s.becomes(reservation, "REQUESTED")
		for word := ""; word == ""; { // from before the charge until after the answer
			s.hint(reservation, "DONE", "transmission-"+reservation)
			select {
			case word = <-answered:
				if word != "APPROVED" {
					t.Errorf("answered %s", word)
				}
			default:
			}
		}
		s.hint(reservation, "DONE", "transmission-"+reservation)
		if told, _ := s.events(reservation); told != "" && told != "approved" { // told by an event only if the hint was first
			t.Errorf("events: %s", told)
		}
	}
	if strings.Contains(s.log.String(), "OPERATOR") {
		t.Error("an alarm for nothing")
	}
}

func TestAWebhookForAnUnknownOrderAsksNobody(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t)).resumes()
	s.hint(newID(), "DONE", "transmission-1")
	var n int
	if err := s.db.QueryRow("SELECT COUNT(*) FROM payments").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d stored, %v", n, err)
	}
	if log := s.log.String(); strings.Contains(log, "not answered") {
		t.Errorf("the provider was asked: %s", log)
	}
}
