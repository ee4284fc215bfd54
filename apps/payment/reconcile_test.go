package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/mysql"
	"oneqtour/apps/payment/usecase"
)

// today in Seoul, unless it is about to end.
func today(t *testing.T) terms.Date {
	t.Helper()
	day := terms.DateOf(time.Now())
	if terms.DateOf(time.Now().Add(time.Minute)) != day {
		t.Skip("midnight in Seoul")
	}
	return day
}

// reconciled gives all pages of a day, by order id.
func (s *service) reconciled(day terms.Date, limit int) (all map[string]contract.ReconciledItem, pages int) {
	s.t.Helper()
	all = map[string]contract.ReconciledItem{}
	var order []string
	for after := ""; ; pages++ {
		status, word, page := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day), Limit: limit, After: after})
		if status != 200 || page.Date != string(day) || limit > 0 && len(page.Items) > limit || pages > 100 {
			s.t.Fatalf("%d %s %+v", status, word, page)
		}
		for _, i := range page.Items {
			all[i.OrderID] = i
			order = append(order, i.OrderID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if !slices.IsSorted(order) || len(order) != len(all) {
		s.t.Errorf("not sorted, or twice: %q", order)
	}
	return all, pages + 1
}

func side(i contract.ReconciledItem) string {
	theirs := "unknown"
	if p := i.Provider; p != nil {
		theirs = fmt.Sprint(p.State, " ", p.Total, " ", p.Balance, " ", len(p.Cancels))
	}
	ours := "unknown"
	if i.PaymentID != "" {
		ours = fmt.Sprint(i.Status, " ", i.Amount, " ", i.Charged)
		for _, r := range i.Refunds {
			ours += fmt.Sprint(" ", r.Cause, " ", r.Amount, " ", r.Status)
		}
	}
	return ours + " | " + theirs
}

// Every kind of agreement and difference that one day can hold.
func TestADayIsPutSideBySideWithWhatTheProviderSays(t *testing.T) {
	day := today(t)
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	want := map[string]string{}
	pay := func(token, sides string) string {
		reservation := newID()
		s.approve(charge(reservation, 10_000, token))
		want[reservation+"-PRICE"] = sides
		return reservation
	}
	pay("tok_ok", "APPROVED 10000 10000 | DONE 10000 10000 0")
	pay("tok_declined", "DECLINED 10000 0 | ABORTED 10000 10000 0")
	pay("tok_unknown", "UNKNOWN 10000 0 | unknown")

	refunded, first, second := pay("tok_ok", "APPROVED 10000 10000 CANCELLATION 7000 DONE WAIVER 3000 DONE | CANCELED 10000 0 2"), newID(), newID()
	s.say(contract.ReservationCancelled, refunded, part(first, "", 7_000, "REQUESTED"), part(second, "WAIVER", 3_000, "REQUESTED"))
	s.refundOf(refunded, first, domain.RefundDone)
	s.refundOf(refunded, second, domain.RefundDone)

	settled, byBank := pay("tok_refund_refused", "APPROVED 10000 10000 CANCELLATION 7000 DONE | DONE 10000 10000 0"), newID()
	s.cancel(settled, byBank, 7_000)
	s.refundOf(settled, byBank, domain.RefundStuck)
	s.settle(byBank, "BANK-1")

	// Requested the day before, and returned today.
	older, back := pay("tok_ok", "APPROVED 10000 10000 CANCELLATION 7000 DONE | PARTIAL_CANCELED 10000 3000 1"), newID()
	s.cancel(older, back, 7_000)
	s.refundOf(older, back, domain.RefundDone)
	if _, err := s.db.Exec("UPDATE payments SET requested_at = requested_at - INTERVAL 2 DAY WHERE reservation_id = ?", older); err != nil {
		t.Fatal(err)
	}

	// The provider has charged what nobody here knows of.
	stranger, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(newID()),
		Purpose: domain.Deposit, Method: domain.Card, Amount: 500}, domain.Moment{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	token, _ := domain.NewToken("tok_ok")
	s.provider.Confirm(t.Context(), stranger, token)
	want[stranger.OrderID()] = "unknown | DONE 500 500 0"

	// A tombstone was never requested: there is nothing to compare.
	s.voidOrder(newID())

	for _, limit := range []int{0, 2} {
		all, pages := s.reconciled(day, limit)
		if limit == 2 && pages != 4 || limit == 0 && pages != 1 {
			t.Errorf("%d pages of %d", pages, limit)
		}
		for order, sides := range want {
			if got := side(all[order]); got != sides {
				t.Errorf("%s: %s, want %s", order, got, sides)
			}
		}
		if len(all) != len(want) {
			t.Errorf("%d orders, want %d", len(all), len(want))
		}
		bank := all[settled+"-PRICE"].Refunds[0]
		if bank.Reference != "BANK-1" || bank.SettledBy != "operator-2" {
			t.Errorf("%+v", bank)
		}
		if cancel := all[refunded+"-PRICE"].Provider.Cancels[1]; !strings.Contains(cancel.Reason, second) || cancel.Amount != 3_000 {
			t.Errorf("%+v", cancel)
		}
		if i := all[stranger.OrderID()]; i.Purpose != "DEPOSIT" || i.ReservationID == "" || i.RequestedAt != nil {
			t.Errorf("%+v", i)
		}
	}
	if all, _ := s.reconciled(day.AddDays(-1), 0); len(all) != 0 {
		t.Errorf("the day before: %v", all)
	}
	if all, _ := s.reconciled(day.AddDays(-2), 0); len(all) != 1 {
		t.Errorf("two days before: %v", all)
	}
}

func TestTheEndsOfADayInSeoulBelongToIt(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url)
	for requested, on := range map[string]terms.Date{"2026-03-01 14:59:59.999999": "2026-03-01", "2026-03-01 15:00:00": "2026-03-02", "2026-03-02 14:59:59.999999": "2026-03-02"} {
		reservation := newID()
		s.approve(charge(reservation, 10_000, "tok_declined"))
		if _, err := s.db.Exec("UPDATE payments SET requested_at = ? WHERE reservation_id = ?", requested, reservation); err != nil {
			t.Fatal(err)
		}
		for _, day := range []terms.Date{"2026-02-28", "2026-03-01", "2026-03-02", "2026-03-03"} {
			if all, _ := s.reconciled(day, 0); (all[reservation+"-PRICE"].PaymentID != "") != (day == on) {
				t.Errorf("%s UTC on %s", requested, day)
			}
		}
	}
}

// An answer comes in the time of a call, however slow the provider is; the rest is on the next page.
func TestAPageEndsWhenTheTimeOfACallIsOver(t *testing.T) {
	day := today(t)
	sim := simulate(t, freeAddr(t))
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	patient := serveOn(t, db, sim.url)
	for range 20 {
		patient.approve(charge(newID(), 10_000, "tok_ok"))
	}
	sim.weather(`{"latencyMs":50}`)
	hasty := serveWith(t, db, sim.url, usecase.Settings{Pace: pace, AnswerWithin: time.Millisecond})
	if all, pages := hasty.reconciled(day, 0); len(all) != 20 || pages != 3 {
		t.Errorf("%d orders on %d pages", len(all), pages)
	}
}

func TestAProviderThatDoesNotAnswerIsNoProviderThatKnowsNothing(t *testing.T) {
	day := today(t)
	addr := freeAddr(t)
	s := serve(t, "http://"+addr)
	if status, word, _ := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day)}); status != 503 || word != "UNAVAILABLE" {
		t.Errorf("down: %d %s", status, word)
	}
	// It lists an order and is then silent about it.
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/v1/transactions") {
			_, _ = w.Write([]byte(`[{"orderId":"order-1","transactionKey":"t"}]`))
			return
		}
		w.WriteHeader(http.StatusInternalServerError)
	}))
	t.Cleanup(bank.Close)
	silent := serve(t, bank.URL)
	if status, word, _ := operate[contract.Reconciliation](silent, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day)}); status != 503 || word != "UNAVAILABLE" {
		t.Errorf("silent: %d %s", status, word)
	}
	for _, bad := range []contract.ReconcileRequest{{}, {Date: "2026-02-30"}, {Date: "26-02-03"}, {Date: string(day), Limit: 501}, {Date: string(day), Limit: -1},
		{Date: string(day), After: strings.Repeat("x", 65)}} {
		if status, word, _ := operate[contract.Reconciliation](s, contract.ReconcilePath, bad); status != 422 || word != "INVALID" {
			t.Errorf("%+v: %d %s", bad, status, word)
		}
	}
}
