package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
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

// today in Seoul; when it is about to end, the day that then begins.
func today() terms.Date {
	day := terms.DateOf(time.Now())
	if left := time.Until(day.AddDays(1).Begin()); left < time.Minute {
		<-time.After(left)
		day = day.AddDays(1)
	}
	return day
}

// reconciled gives both sides of all orders of a day, as reservation asks for them, by order id, and on how many pages
// the day was.
func (s *service) reconciled(day terms.Date, limit int) (all map[string]contract.ReconciledItem, pages int) {
	s.t.Helper()
	all = map[string]contract.ReconciledItem{}
	var ask []string
	for after := ""; ; pages++ {
		status, word, page := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day), Limit: limit, After: after})
		if status != 200 || page.Date != string(day) || limit > 0 && len(page.Items)+len(page.Orders) > limit || pages > 100 {
			s.t.Fatalf("%d %s %+v", status, word, page)
		}
		for _, i := range page.Items {
			all[i.OrderID] = i
		}
		ask = append(ask, page.Orders...)
		if after = page.Next; after == "" {
			break
		}
	}
	slices.Sort(ask)
	ask = slices.DeleteFunc(slices.Compact(ask), func(order string) bool { return all[order].OrderID != "" })
	s.ask(ask, all)
	return all, pages + 1
}

// ask asks for orders by their ids until all are answered, and says how often that was.
func (s *service) ask(orders []string, into map[string]contract.ReconciledItem) (times int) {
	s.t.Helper()
	for ; len(orders) > 0; times++ {
		status, word, answer := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{OrderIDs: orders[:min(200, len(orders))]})
		if status != 200 || len(answer.Items) == 0 || len(answer.Items) > len(orders) || answer.Next != "" {
			s.t.Fatalf("%d %s %+v", status, word, answer)
		}
		for _, i := range answer.Items {
			into[i.OrderID] = i
		}
		orders = slices.DeleteFunc(orders, func(order string) bool { return into[order].OrderID != "" })
	}
	return times
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
	day := today()
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
		if limit == 2 && pages < 7 || limit == 0 && pages != 2 {
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

// A declined or voided payment that is charged after all looks like a void in good order when all is back; what tells
// them apart is said.
func TestAChargeThatCameLaterIsToldFromAVoidInGoodOrder(t *testing.T) {
	day := today()
	s := serve(t, simulate(t, freeAddr(t)).url)
	obeyed, found, declined, voided := newID(), newID(), newID(), newID()
	for reservation, token := range map[string]string{obeyed: "tok_ok", found: "tok_lost", declined: "tok_declined", voided: "tok_unknown"} {
		s.approve(charge(reservation, 10_000, token))
	}
	for _, reservation := range []string{obeyed, found, voided} {
		s.voidOrder(reservation)
	}
	s.resumes()
	for _, reservation := range []string{obeyed, found, voided} {
		s.becomes(reservation, "VOIDED")
	}
	for _, reservation := range []string{declined, voided} {
		again, err := domain.Request(domain.Intent{ID: domain.PaymentID(newID()), Reservation: domain.ReservationID(reservation),
			Purpose: domain.Price, Method: domain.Card, Amount: 10_000}, domain.Moment{Now: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		token, _ := domain.NewToken("tok_ok")
		if r := s.provider.Confirm(t.Context(), again, token); r.Kind != domain.Answered {
			t.Fatal(r.Cause)
		}
	}
	s.ahead.Store(int64(time.Hour))
	for _, reservation := range []string{obeyed, found, declined, voided} {
		s.refundIs(reservation, domain.RefundDone)
	}
	all, _ := s.reconciled(day, 0)
	for reservation, status := range map[string]string{obeyed: "VOIDED", found: "VOIDED", declined: "DECLINED", voided: "VOIDED"} {
		item := all[contract.OrderID(reservation, contract.PurposePrice)]
		if got := side(item); got != status+" 10000 10000 VOID 10000 DONE | CANCELED 10000 0 1" || item.ChargedLater != (reservation == declined || reservation == voided) {
			t.Errorf("%s, charged later: %v", got, item.ChargedLater)
		}
	}
}

// The provider has heard nothing of a refund of an older charge: it is among the orders of each day on which it moved.
func TestARefundOfAnOlderChargeBelongsToTheDaysOnWhichItMoved(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url).resumes()
	reservation, refund := newID(), newID()
	s.approve(charge(reservation, 10_000, "tok_refund_refused"))
	s.cancel(reservation, refund, 7_000)
	s.refundOf(reservation, refund, domain.RefundStuck)
	for _, statement := range []string{"UPDATE payments SET requested_at = '2026-03-01 03:00:00'",
		"UPDATE payment_steps SET at = '2026-03-05 14:59:59' WHERE kind = 'REFUND' ORDER BY step_id LIMIT 1",
		"UPDATE payment_steps SET at = '2026-03-05 15:00:00' WHERE kind = 'REFUND' AND at > '2026-03-06'"} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	for day, belongs := range map[terms.Date]bool{"2026-03-01": true, "2026-03-02": false, "2026-03-04": false, "2026-03-05": true, "2026-03-06": true, "2026-03-07": false} {
		all, _ := s.reconciled(day, 0)
		item, found := all[reservation+"-PRICE"]
		if found != belongs {
			t.Errorf("%s: %v", day, found)
		}
		if found && (len(item.Refunds) != 1 || item.Refunds[0].MovedAt == nil || item.Refunds[0].MovedAt.Format(time.DateTime) != "2026-03-05 15:00:00") {
			t.Errorf("%s: %+v", day, item.Refunds)
		}
	}
}

// What the provider's list explains is not asked for one by one; what the day does not hold can be asked for.
func TestOnlyWhatTheListDoesNotExplainIsAskedForByItsID(t *testing.T) {
	day := today()
	s := serve(t, simulate(t, freeAddr(t)).url)
	plain, declined, refunded := newID(), newID(), newID()
	s.approve(charge(plain, 10_000, "tok_ok"))
	s.approve(charge(declined, 10_000, "tok_declined"))
	s.approve(charge(refunded, 10_000, "tok_ok"))
	s.cancel(refunded, newID(), 7_000)
	_, _, page := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day)})
	if len(page.Items) != 1 || page.Items[0].ReservationID != plain || side(page.Items[0]) != "APPROVED 10000 10000 | DONE 10000 10000 0" {
		t.Errorf("explained: %+v", page.Items)
	}
	if len(page.Orders) != 1 || page.Orders[0] != contract.OrderID(refunded, contract.PurposePrice) {
		t.Errorf("to be asked for: %q", page.Orders)
	}
	stranger := contract.OrderID(newID(), contract.PurposePrice)
	all := map[string]contract.ReconciledItem{}
	s.ask([]string{contract.OrderID(declined, contract.PurposePrice), stranger}, all)
	if got := side(all[stranger]); got != "unknown | unknown" {
		t.Errorf("a stranger: %s", got)
	}
	if got := side(all[contract.OrderID(declined, contract.PurposePrice)]); got != "DECLINED 10000 0 | ABORTED 10000 10000 0" {
		t.Errorf("declined: %s", got)
	}
}

// Somebody gave back at the provider what a page before has explained. The book's own pages say no such thing.
func TestAChargeThatALaterPageReturnsIsNamedByTheList(t *testing.T) {
	day := today()
	s := serve(t, simulate(t, freeAddr(t)).url)
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_ok"))
	order := contract.OrderID(reservation, contract.PurposePrice)
	stranger := domain.Refund{ID: domain.RefundID(newID()), Cause: domain.CauseVoid, Amount: 10_000}
	if r := s.provider.Cancel(t.Context(), s.provider.Find(t.Context(), order).Charge, stranger); r.Kind != domain.Answered {
		t.Fatal(r.Cause)
	}
	var pages []string
	for after := ""; ; {
		_, _, page := operate[contract.Reconciliation](s, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day), Limit: 1, After: after})
		pages = append(pages, fmt.Sprint(len(page.Items), slices.Contains(page.Orders, order), page.Listed))
		if after = page.Next; after == "" {
			break
		}
	}
	if got := strings.Join(pages, ", "); !strings.HasPrefix(got, "1 false true, 0 true true, 0 false true, 0 true false") {
		t.Error(got)
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

// An answer comes in the time of a call, however slow the provider is; the rest is asked for again.
func TestAnAnswerToIDsEndsWhenTheTimeOfACallIsOver(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	patient := serveOn(t, db, sim.url)
	var orders []string
	for range 80 {
		reservation := newID()
		patient.approve(charge(reservation, 10_000, "tok_ok"))
		orders = append(orders, contract.OrderID(reservation, contract.PurposePrice))
	}
	sim.weather(`{"latencyMs":700}`)
	hasty := serveWith(t, db, sim.url, usecase.Settings{Pace: pace, AnswerWithin: time.Second})
	all := map[string]contract.ReconciledItem{}
	if times := hasty.ask(orders, all); len(all) != 80 || times != 3 {
		t.Errorf("%d orders in %d answers", len(all), times)
	}
}

// A day is many questions: one that the provider fails to answer is put again.
func TestAQuestionWithoutAnAnswerIsPutAgain(t *testing.T) {
	var asked atomic.Int64
	bank := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case asked.Add(1)%3 != 0:
			w.WriteHeader(http.StatusInternalServerError)
		case strings.HasPrefix(r.URL.Path, "/v1/transactions"):
			_, _ = w.Write([]byte(`[{"orderId":"order-1","transactionKey":"t"}]`))
		default:
			_, _ = w.Write([]byte(`{"orderId":"order-1","status":"DONE","totalAmount":500,"balanceAmount":500}`))
		}
	}))
	t.Cleanup(bank.Close)
	s := serve(t, bank.URL)
	if all, _ := s.reconciled(today(), 0); side(all["order-1"]) != "unknown | DONE 500 500 0" || asked.Load() != 6 {
		t.Errorf("%+v after %d calls", all, asked.Load())
	}
}

func TestAProviderThatDoesNotAnswerIsNoProviderThatKnowsNothing(t *testing.T) {
	day := today()
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
	if status, _, page := operate[contract.Reconciliation](silent, contract.ReconcilePath, contract.ReconcileRequest{Date: string(day)}); status != 200 || len(page.Orders) != 1 {
		t.Errorf("listed: %d %+v", status, page)
	}
	if status, word, _ := operate[contract.Reconciliation](silent, contract.ReconcilePath, contract.ReconcileRequest{OrderIDs: []string{"order-1"}}); status != 503 || word != "UNAVAILABLE" {
		t.Errorf("silent: %d %s", status, word)
	}
	for _, bad := range []contract.ReconcileRequest{{}, {Date: "2026-02-30"}, {Date: "26-02-03"}, {Date: string(day), Limit: 1001}, {Date: string(day), Limit: -1},
		{Date: string(day), After: "x"},
		{Date: string(day), After: "provider:" + strings.Repeat("x", 65)}, {OrderIDs: []string{""}}, {OrderIDs: make([]string, 501)}} {
		if status, word, _ := operate[contract.Reconciliation](s, contract.ReconcilePath, bad); status != 422 || word != "INVALID" {
			t.Errorf("%+v: %d %s", bad, status, word)
		}
	}
}
