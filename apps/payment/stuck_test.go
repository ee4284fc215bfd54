package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/payment/domain"
)

// operate calls a route for operators; the word is the code of a refusal.
func operate[T any](s *service, path string, request any) (status int, word string, answer T) {
	s.t.Helper()
	status, raw := s.call(path, request, "reservation")
	var problem struct{ Code string }
	_ = json.Unmarshal(raw, &problem)
	if status == 200 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			s.t.Fatalf("%s: %s", path, raw)
		}
		problem.Code = ""
	}
	return status, problem.Code, answer
}

func (s *service) retry(refund string) (int, string) {
	s.t.Helper()
	status, word, _ := operate[contract.RefundItem](s, contract.RefundRetryPath, contract.RefundRetryRequest{RefundID: refund, Actor: "운영자 1"})
	return status, word
}

func (s *service) settle(refund, reference string) (int, string, contract.RefundItem) {
	s.t.Helper()
	return operate[contract.RefundItem](s, contract.RefundSettlementPath,
		contract.RefundSettlementRequest{RefundID: refund, Reference: reference, Actor: "operator-2"})
}

// say tells of the parts of a cancellation in an event of any type.
func (s *service) say(eventType, reservation string, parts ...contract.RefundPart) {
	s.t.Helper()
	r := contract.Reservation{ReservationState: state(reservation)}
	r.Cancellation = &contract.Cancellation{Parts: parts}
	if got := s.hear(eventType, r); got != "SUCCESS" {
		s.t.Fatalf("%s: %s", eventType, got)
	}
}

func part(refund, cause string, amount money.KRW, status string) contract.RefundPart {
	return contract.RefundPart{RefundID: refund, Purpose: contract.PurposePrice, Method: contract.MethodCard, Cause: cause, Amount: amount, Status: status}
}

// refund is one of a reservation's refunds as it is stored now.
func (s *service) refund(reservation, refund string) domain.Refund {
	s.t.Helper()
	for _, r := range s.stored(reservation).Refunds {
		if string(r.ID) == refund {
			return r
		}
	}
	return domain.Refund{}
}

func (s *service) refundOf(reservation, refund string, status domain.RefundStatus) {
	s.t.Helper()
	eventually(s.t, "refund "+refund+" is "+string(status), func() bool { return s.refund(reservation, refund).Status == status })
}

func TestF11_AWaiverIsASecondRefundWhateverEventTellsOfIt(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	for _, kind := range []string{contract.ReservationCancelRequested, contract.ReservationCancelled} {
		reservation, cancellation, waiver := newID(), newID(), newID()
		s.approve(charge(reservation, 10_000, "tok_ok"))
		s.say(contract.ReservationCancelRequested, reservation, part(cancellation, "", 7_000, contract.RefundRequested))
		s.refundOf(reservation, cancellation, domain.RefundDone)
		for range 3 {
			s.say(kind, reservation, part(cancellation, "CANCELLATION", 7_000, contract.RefundDone), part(waiver, "WAIVER", 3_000, contract.RefundRequested))
		}
		s.refundOf(reservation, waiver, domain.RefundDone)
		if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 10_000 || entries != 3 {
			t.Errorf("%s: charged %d, returned %d in %d entries", kind, charged, returned, entries)
		}
		_, events := s.events(reservation)
		last := events[len(events)-1]
		if len(last.Refunds) != 2 || last.Refunds[1].Cause != contract.RefundCauseWaiver || last.Refunds[1].RefundID != waiver {
			t.Errorf("%s: %+v", kind, last.Refunds)
		}
	}
}

func TestAWaiverNeverReturnsMoreThanIsLeft(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation, cancellation := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_ok"))
	s.say(contract.ReservationCancelRequested, reservation, part(cancellation, "", 7_000, contract.RefundRequested))
	s.say(contract.ReservationCancelled, reservation, part(newID(), "WAIVER", 3_001, contract.RefundRequested))
	s.refundOf(reservation, cancellation, domain.RefundDone)
	if n := strings.Count(s.log.String(), "OPERATOR: a refund is asked for that cannot be"); n != 1 || len(s.stored(reservation).Refunds) != 1 {
		t.Errorf("%d alarms, %v", n, s.stored(reservation).Refunds)
	}
	// VOID is nobody's to ask for.
	r := contract.Reservation{ReservationState: state(reservation)}
	r.Cancellation = &contract.Cancellation{Parts: []contract.RefundPart{part(newID(), "VOID", 1, contract.RefundRequested)}}
	s.buries(contract.ReservationCancelled, r)
}

func TestAStuckRefundIsToldAndToldAgainUntilItIsKnown(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused"))
	ask := func(believed string) {
		t.Helper()
		s.say(contract.ReservationCancelRequested, reservation, part(refund, "", 7_000, believed))
	}
	ask(contract.RefundRequested)
	s.refundOf(reservation, refund, domain.RefundStuck)
	words, events := s.events(reservation)
	if words != "refund-stuck" || events[0].Refunds[0].Status != "STUCK" || events[0].Refunds[0].RefundID != refund {
		t.Errorf("%s %+v", words, events)
	}
	ask(contract.RefundRequested) // the word of it was lost
	if words, _ := s.events(reservation); words != "refund-stuck refund-stuck" {
		t.Errorf("events: %s", words)
	}
	ask(contract.RefundStuck)
	if words, _ := s.events(reservation); words != "refund-stuck refund-stuck" {
		t.Errorf("it is known, and yet: %s", words)
	}
	// Reservation believes it stuck, and here nobody has heard of it.
	lost := newID()
	s.approve(charge(lost, 10_000, "tok_ok"))
	s.say(contract.ReservationCancelRequested, lost, part(newID(), "", 7_000, contract.RefundStuck))
	s.refundIs(lost, domain.RefundDone)
}

func TestARetryIsANewCallAndTheSameRefund(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused_once"))
	if status, word := s.retry(refund); status != 404 || word != "NOT_FOUND" {
		t.Errorf("unknown: %d %s", status, word)
	}
	s.cancel(reservation, refund, 7_000)
	s.refundOf(reservation, refund, domain.RefundStuck)
	// The provider remembers its refusal under the first key.
	if status, word := s.retry(refund); status != 200 {
		t.Fatalf("%d %s", status, word)
	}
	s.refundOf(reservation, refund, domain.RefundDone)
	if status, word := s.retry(refund); status != 409 || word != "NOT_STUCK" {
		t.Errorf("done: %d %s", status, word)
	}
	if charged, returned, entries := sim.ledger(reservation); charged != 10_000 || returned != 7_000 || entries != 2 {
		t.Errorf("charged %d, returned %d in %d entries", charged, returned, entries)
	}
	if words, _ := s.events(reservation); words != "refund-stuck refunded" {
		t.Errorf("events: %s", words)
	}
	_, steps := s.told(reservation)
	tried := steps[len(steps)-2]
	if tried.Status != "REQUESTED" || tried.Actor != "운영자 1" || tried.Detail != "retry 1" || tried.RefundID != refund {
		t.Errorf("%+v", steps)
	}
}

func TestARetryThatIsRefusedAgainIsStuckAgain(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused"))
	s.cancel(reservation, refund, 7_000)
	for n := range 3 {
		s.refundOf(reservation, refund, domain.RefundStuck)
		if status, word := s.retry(refund); status != 200 {
			t.Fatalf("retry %d: %d %s", n+1, status, word)
		}
	}
	s.refundOf(reservation, refund, domain.RefundStuck)
	if words, _ := s.events(reservation); words != "refund-stuck refund-stuck refund-stuck refund-stuck" {
		t.Errorf("events: %s", words)
	}
	if r := s.refund(reservation, refund); r.Retries != 3 || r.Code != "NOT_CANCELABLE_PAYMENT" {
		t.Errorf("%+v", r)
	}
}

// Somebody has returned the money at the provider meanwhile, under our reason: the retry finds it and asks nobody.
func TestARetryReadsTheProvidersRefundsFirst(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused_once"))
	s.cancel(reservation, refund, 7_000)
	s.resumes()
	s.refundOf(reservation, refund, domain.RefundStuck)
	seen := s.provider.Find(t.Context(), reservation+"-PRICE")
	ours := s.refund(reservation, refund)
	ours.Retries = 99
	if r := s.provider.Cancel(t.Context(), seen.Charge, ours); r.Kind != domain.Answered {
		t.Fatal(r.Cause)
	}
	s.retry(refund)
	s.refundOf(reservation, refund, domain.RefundDone)
	if _, returned, entries := sim.ledger(reservation); returned != 7_000 || entries != 2 {
		t.Errorf("returned %d in %d entries", returned, entries)
	}
}

func TestASettlementByBankTransferEndsAStuckRefund(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused"))
	s.cancel(reservation, refund, 7_000)
	s.refundOf(reservation, refund, domain.RefundStuck)
	for _, reference := range []string{"", "two words", "은행", strings.Repeat("x", 101)} {
		if status, word, _ := s.settle(refund, reference); status != 422 || word != "INVALID" {
			t.Errorf("%q: %d %s", reference, status, word)
		}
	}
	if status, word, _ := s.settle(newID(), "BANK-1"); status != 404 || word != "NOT_FOUND" {
		t.Errorf("unknown: %d %s", status, word)
	}
	for range 2 { // the answer to the first was lost
		status, word, item := s.settle(refund, "BANK-1")
		if status != 200 || item.Status != "DONE" || item.Reference != "BANK-1" || item.SettledBy != "operator-2" || item.SettledAt == nil ||
			item.Code != "NOT_CANCELABLE_PAYMENT" || item.ReservationID != reservation {
			t.Fatalf("%d %s %+v", status, word, item)
		}
	}
	if status, word, _ := s.settle(refund, "BANK-2"); status != 409 || word != "NOT_STUCK" {
		t.Errorf("settled otherwise: %d %s", status, word)
	}
	if status, word := s.retry(refund); status != 409 || word != "NOT_STUCK" {
		t.Errorf("retried: %d %s", status, word)
	}
	words, events := s.events(reservation)
	if words != "refund-stuck refunded" || events[1].Refunds[0].Status != "DONE" || events[1].Refunds[0].SettledBy != "operator-2" {
		t.Errorf("%s %+v", words, events)
	}
	if _, returned, _ := sim.ledger(reservation); returned != 0 {
		t.Errorf("the provider returned %d as well", returned)
	}
	lines, steps := s.told(reservation)
	if last := steps[len(steps)-1]; last.Status != "DONE" || last.Detail != "BANK-1" || last.Actor != "operator-2" {
		t.Errorf("%q", lines)
	}
}

// The void order waits for its money as well, and a settled one is not reported as charged ever after.
func TestASettlementEndsAVoid(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused"))
	s.voidOrder(reservation)
	refund := s.refundIs(reservation, domain.RefundStuck)
	if status, word, _ := s.settle(string(refund.ID), "BANK-1"); status != 200 {
		t.Fatalf("%d %s", status, word)
	}
	if got := s.stored(reservation).Status; got != domain.Voided {
		t.Errorf("%s", got)
	}
	s.ahead.Store(int64(25 * time.Hour))
	eventually(t, "the watch ends", func() bool { return s.stored(reservation).Next.IsZero() })
	if strings.Contains(s.log.String(), "is charged although its refund is") {
		t.Error("the operator is told of what he has settled")
	}
}

func TestRefundsAreListedByStatusPageByPage(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	var stuck []string
	for range 5 {
		reservation, refund := newID(), newID()
		s.approve(charge(reservation, 10_000, "tok_refund_refused"))
		s.cancel(reservation, refund, 7_000)
		s.refundOf(reservation, refund, domain.RefundStuck)
		stuck = append(stuck, refund)
	}
	good, done := newID(), newID()
	s.approve(charge(good, 10_000, "tok_ok"))
	s.cancel(good, done, 7_000)
	s.refundOf(good, done, domain.RefundDone)
	var seen []string
	for after := ""; ; {
		status, word, page := operate[contract.RefundList](s, contract.RefundListPath, contract.RefundListRequest{Status: "STUCK", Limit: 2, After: after})
		if status != 200 || len(page.Items) > 2 || len(seen) > 5 {
			t.Fatalf("%d %s %+v", status, word, page)
		}
		for _, i := range page.Items {
			seen = append(seen, i.RefundID)
			if i.Amount != 7_000 || i.Purpose != "PRICE" || i.Cause != "CANCELLATION" || i.Code != "NOT_CANCELABLE_PAYMENT" || i.ReservationID == "" ||
				i.PaymentID == "" || time.Since(i.RequestedAt) > time.Minute {
				t.Errorf("%+v", i)
			}
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if fmt.Sprint(seen) != fmt.Sprint(stuck) {
		t.Errorf("%v, want %v", seen, stuck)
	}
	if _, _, page := operate[contract.RefundList](s, contract.RefundListPath, contract.RefundListRequest{Status: "DONE"}); len(page.Items) != 1 || page.Items[0].RefundID != done {
		t.Errorf("%+v", page)
	}
	for _, bad := range []contract.RefundListRequest{{}, {Status: "LOST"}, {Status: "DONE", Limit: 101}, {Status: "DONE", Limit: -1}, {Status: "DONE", After: "x"}} {
		if status, word, _ := operate[contract.RefundList](s, contract.RefundListPath, bad); status != 422 || word != "INVALID" {
			t.Errorf("%+v: %d %s", bad, status, word)
		}
	}
}

// Cancellations, waivers, void orders, retries and settlements, all at once, on two replicas in bad weather: what
// the provider returned and what was settled by bank is never more than what was charged.
func TestWhateverIsDoneAtOnceNoMoreGoesBackThanWasCharged(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	twin := serveOn(t, s.db, sim.url).resumes()
	tokens := []string{"tok_ok", "tok_refund_refused", "tok_refund_refused_once", "tok_refund_lost", "tok_no_partial"}
	type trip struct{ reservation, cancellation, waiver string }
	trips := make([]trip, 20)
	for i := range trips {
		trips[i] = trip{newID(), newID(), newID()}
		s.approve(charge(trips[i].reservation, 10_000, tokens[i%len(tokens)]))
	}
	sim.weather(`{"latencyMs":2,"errorRate":0.2,"lostRate":0.2}`)
	var all sync.WaitGroup
	for i, tr := range trips {
		for _, on := range []*service{s, twin} {
			all.Go(func() {
				for range 5 {
					on.say(contract.ReservationCancelRequested, tr.reservation, part(tr.cancellation, "", 7_000, "REQUESTED"))
					on.say(contract.ReservationCancelled, tr.reservation, part(tr.cancellation, "", 7_000, "REQUESTED"), part(tr.waiver, "WAIVER", 3_000, "REQUESTED"))
					if i%4 == 0 {
						on.voidOrder(tr.reservation)
					}
					for _, r := range s.stored(tr.reservation).Refunds {
						on.retry(string(r.ID))
						if i%2 == 0 {
							on.settle(string(r.ID), "BANK-"+string(r.ID)[:8])
						}
					}
				}
			})
		}
	}
	all.Wait()
	sim.weather(`{}`)
	for _, tr := range trips {
		eventually(t, "nothing is open", func() bool {
			s.ahead.Add(int64(time.Second))
			twin.ahead.Add(int64(time.Second))
			p := s.stored(tr.reservation)
			for _, r := range p.Refunds {
				if r.Status == domain.RefundRequested {
					return false
				}
			}
			return len(p.Refunds) > 0
		})
		charged, returned, _ := sim.ledger(tr.reservation)
		var settled, done money.KRW
		for _, r := range s.stored(tr.reservation).Refunds {
			if r.Reference != "" {
				settled += r.Amount
			} else if r.Status == domain.RefundDone {
				done += r.Amount
			}
		}
		if charged != 10_000 || returned+settled > charged || returned != done {
			t.Errorf("charged %d, returned %d, said to be returned %d, settled %d: %+v", charged, returned, done, settled, s.stored(tr.reservation).Refunds)
		}
	}
}
