package e2e

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

// soon is what the requirements allow between an event and its display.
const soon = 2 * time.Second

func storeItem(t testing.TB, id string) (item, int) {
	t.Helper()
	a := sys.As(t, "").Do("GET", "/api/store/items/"+id, nil)
	if a.Status != 200 {
		return item{}, a.Status
	}
	return stack.Read[item](t, a), 200
}

// displayed waits until the store shows the product as the condition wants it.
func displayed(t testing.TB, id string, condition func(item) bool) {
	t.Helper()
	stack.Eventually(t, 15*time.Second, "the store's display", func() error {
		i, status := storeItem(t, id)
		if status != 200 || !condition(i) {
			return fmt.Errorf("%d %+v", status, i)
		}
		return nil
	})
}

func find(t testing.TB, customer, id string) reservation {
	t.Helper()
	return stack.Read[reservation](t, sys.As(t, customer).Do("GET", "/api/reservations/"+id, nil).Is(t, 200))
}

// becomes waits until the reservation has one of the states.
func becomes(t testing.TB, customer, id string, within time.Duration, states ...string) reservation {
	t.Helper()
	var r reservation
	stack.Eventually(t, within, "reservation "+id, func() error {
		r = find(t, customer, id)
		for _, s := range states {
			if r.Status == s {
				return nil
			}
		}
		return errors.New("is " + r.Status)
	})
	return r
}

func TestF1_AnMDRegistersATourProduct(t *testing.T) {
	md := sys.As(t, "md-1")
	a := md.Do("POST", "/api/products", osaka(20)).Is(t, 201)
	p := stack.Read[product](t, a)
	if a.Header.Get("Location") != "/api/products/"+p.ProductID || a.Header.Get("ETag") != `"1"` || p.MDID != "md-1" {
		t.Errorf("Location %q ETag %q %+v", a.Header.Get("Location"), a.Header.Get("ETag"), p)
	}
	got := stack.Read[object](t, sys.As(t, "").Do("GET", a.Header.Get("Location"), nil).Is(t, 200))
	sameMembers(t, "", got, osaka(20))
	if got["productId"] != p.ProductID || got["mdId"] != "md-1" || got["status"] != "OPEN" {
		t.Errorf("%v", got)
	}
	sys.As(t, "customer-1").Do("POST", "/api/products", osaka(20)).Is(t, 403, "WRONG_ROLE")
	sys.As(t, "").Do("POST", "/api/products", osaka(20)).Is(t, 401)
	for field, change := range map[string]func(object){
		"price":                  func(b object) { b["price"] = 999 },
		"departures[0].date":     func(b object) { b["departures"] = []object{{"date": inDays(0), "capacity": 20, "minParticipants": 1}} },
		"departures[0].capacity": func(b object) { b["departures"] = []object{{"date": inDays(9), "capacity": 0, "minParticipants": 1}} },
	} {
		body := osaka(20)
		change(body)
		refused := md.Do("POST", "/api/products", body).Is(t, 422, "INVALID")
		if !strings.Contains(string(refused.Body), `"field":"`+field+`"`) {
			t.Errorf("%s is not named: %s", field, refused.Body)
		}
	}
}

// sameMembers fails unless got has every member of want, inside, too; it may have more.
func sameMembers(t testing.TB, at string, got, want any) {
	t.Helper()
	switch want := want.(type) {
	case object:
		members, _ := got.(object)
		for name, value := range want {
			sameMembers(t, at+"/"+name, members[name], value)
		}
	case []object:
		list, _ := got.([]any)
		if len(list) != len(want) {
			t.Errorf("%s: %v, want %v", at, got, want)
			return
		}
		for i, value := range want {
			sameMembers(t, fmt.Sprintf("%s/%d", at, i), list[i], value)
		}
	default:
		if fmt.Sprint(got) != fmt.Sprint(want) { // a number is a float64 here and an int there
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

func TestF2_DomesticAndOverseasHaveTheirOwnSchedules(t *testing.T) {
	domestic := osaka(20)
	domestic["kind"], domestic["country"], domestic["nights"] = "DOMESTIC", "KR", 1
	policies, fees := map[string]string{}, map[string]string{}
	for kind, body := range map[string]object{"DOMESTIC": domestic, "OVERSEAS": osaka(20)} {
		p := register(t, body)
		displayed(t, p.ProductID, func(i item) bool { return i.Kind == kind })
		list := sys.As(t, "").Do("GET", "/api/store/items?limit=100&kind="+kind, nil).Is(t, 200)
		listed := false
		for _, i := range stack.Read[struct{ Items []item }](t, list).Items {
			if i.Kind != kind {
				t.Errorf("%s among %s", i.Kind, kind)
			}
			listed = listed || i.ProductID == p.ProductID && len(i.Departures) == 1 && i.Departures[0].Date == p.Departures[0].Date
		}
		if !listed {
			t.Errorf("the %s product is not in its list", kind)
		}
		q := sys.As(t, "").Do("GET", "/api/store/items/"+p.ProductID+"/quote?travellers=1&paymentPlan=FULL&departureId="+p.Departures[0].DepartureID, nil).Is(t, 200)
		quote := stack.Read[struct {
			PolicyVersion string
			Policy        any
		}](t, q)
		policies[kind], fees[kind] = quote.PolicyVersion, fmt.Sprint(quote.Policy)
	}
	if fees["DOMESTIC"] == fees["OVERSEAS"] {
		t.Errorf("one schedule of fees for both: %v", fees)
	}
	if policies["DOMESTIC"] == policies["OVERSEAS"] || policies["DOMESTIC"] == "" {
		t.Errorf("%v", policies)
	}
}

// revise reads the product, changes it and puts it back.
func revise(t testing.TB, id string, change func(object)) stack.Answer {
	t.Helper()
	md := sys.As(t, "md-1")
	a := md.Do("GET", "/api/products/"+id, nil).Is(t, 200)
	body := stack.Read[object](t, a)
	change(body)
	return md.With("If-Match", a.Header.Get("ETag")).Do("PUT", "/api/products/"+id, body)
}

func TestF3_ARevisionKeepsOldReservationsAsTheyWere(t *testing.T) {
	p := register(t, osaka(20, 15))
	before := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 2, "tok_ok")).Is(t, 201))
	terms := func() object {
		q := stack.Read[object](t, sys.As(t, "customer-1").Do("GET", "/api/reservations/"+before.ReservationID+"/cancellation-quote", nil).Is(t, 200))
		return object{"feeRate": q["feeRate"], "fee": q["fee"], "refund": q["refund"], "policy": q["policy"]}
	}
	agreed := terms()
	revise(t, p.ProductID, func(b object) {
		b["price"], b["discountRate"] = 900000, 500
		b["cancellationPolicy"] = object{"type": "SPECIAL", "tiers": []object{{"fromDays": 30, "rate": 0}, {"fromDays": 0, "rate": 9000}},
			"consent": object{"ko": "90%에 동의합니다.", "en": "I agree to 90%."}}
	}).Is(t, 200)
	md := sys.As(t, "md-1")
	md.With("If-Match", `"1"`).Do("PUT", "/api/products/"+p.ProductID, osaka(20)).Is(t, 412, "STALE")
	md.Do("PUT", "/api/products/"+p.ProductID, osaka(20)).Is(t, 428, "IF_MATCH_REQUIRED")
	displayed(t, p.ProductID, func(i item) bool { return i.Price == 900000 })
	stack.Eventually(t, soon, "the new price reserves", func() error {
		body := wish(p, 1, "tok_ok")
		body["expectedPrice"] = 855000
		body["acceptedPolicyVersion"] = policyVersion(t, p)
		if a := reserve(t, "customer-1", body); a.Status != 201 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	if after := find(t, "customer-1", before.ReservationID); after.Price != before.Price {
		t.Errorf("%+v became %+v", before.Price, after.Price)
	}
	if now := terms(); !reflect.DeepEqual(now, agreed) {
		t.Errorf("the terms %v became %v", agreed, now)
	}
	cancelled := stack.Read[reservation](t, cancel(t, "customer-1", before.ReservationID, object{}).Is(t, 202))
	if cancelled.Cancellation.FeeRate != 1500 || cancelled.Cancellation.Fee != 228000 {
		t.Errorf("%+v", cancelled.Cancellation)
	}
}

// policyVersion of the terms that the store shows, which special terms want to be named.
func policyVersion(t testing.TB, p product) string {
	t.Helper()
	a := sys.As(t, "").Do("GET", "/api/store/items/"+p.ProductID, nil).Is(t, 200)
	return stack.Read[struct{ PolicyVersion string }](t, a).PolicyVersion
}

func TestF4_F7_ADiscontinuedProductIsGoneFromSaleNotFromMemory(t *testing.T) {
	p := register(t, osaka(20))
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201))
	displayed(t, p.ProductID, func(item) bool { return true })
	md := sys.As(t, "md-1")
	md.Do("DELETE", "/api/products/"+p.ProductID, nil).Is(t, 204)
	md.Do("DELETE", "/api/products/"+p.ProductID, nil).Is(t, 204)
	stack.Eventually(t, 10*time.Second, "the store withdraws it", func() error {
		if _, status := storeItem(t, p.ProductID); status != 404 {
			return fmt.Errorf("%d", status)
		}
		return nil
	})
	stack.Eventually(t, soon, "reserving is refused", func() error {
		if a := reserve(t, "customer-2", wish(p, 1, "tok_ok")); a.Status != 410 {
			return fmt.Errorf("%d %s", a.Status, a.Body)
		}
		return nil
	})
	sys.As(t, "").Do("GET", "/api/products/"+p.ProductID, nil).Is(t, 200)
	find(t, "customer-1", r.ReservationID)
	cancel(t, "customer-1", r.ReservationID, object{}).Is(t, 202)
}

func TestF5_RegisteredIsDisplayed(t *testing.T) {
	calm := register(t, osaka(20)) // whatever happened before this test is over when this one is displayed
	displayed(t, calm.ProductID, func(item) bool { return true })
	p := register(t, osaka(20))
	at := time.Now()
	defer func() { t.Logf("displayed after %s", time.Since(at).Round(time.Millisecond)) }()
	displayed(t, p.ProductID, func(i item) bool {
		return i.DiscountedPrice == 760000 && i.Recommendation == 5 && len(i.Departures) == 1 && i.Departures[0].SeatsLeft == 20
	})
}

func TestF8_F9_ReserveAndPayInOneCall(t *testing.T) {
	p := register(t, osaka(20))
	a := reserve(t, "customer-1", wish(p, 2, "tok_ok")).Is(t, 201)
	r := stack.Read[reservation](t, a)
	if r.Status != "CONFIRMED" || r.Price.List != 1600000 || r.Price.Discount != 80000 || r.Price.Payable != 1520000 ||
		r.Price.DueNow != 1520000 || r.Payment == nil || r.Payment.Status != "APPROVED" || r.Payment.Amount != 1520000 {
		t.Errorf("%s", a.Body)
	}
	if a.Header.Get("Location") != "/api/reservations/"+r.ReservationID {
		t.Error(a.Header.Get("Location"))
	}
	if charged, returned := money(t, r.ReservationID); charged != 1520000 || returned != 0 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
}

// money is what the provider charged and returned for a reservation, by the provider's own ledger.
func money(t testing.TB, id string) (charged, returned int64) {
	t.Helper()
	for _, e := range ledger(t) {
		if strings.HasPrefix(e.OrderID, id) {
			if e.Kind == "CHARGE" {
				charged += e.Amount
			} else {
				returned += e.Amount
			}
		}
	}
	return charged, returned
}

func TestF9_DeclinedLeavesTheSeatsFree(t *testing.T) {
	p := register(t, osaka(2))
	for _, token := range []string{"tok_declined", "tok_insufficient", "tok_wrong_amount"} {
		a := reserve(t, "customer-1", wish(p, 2, token)).Is(t, 402, "PAYMENT_DECLINED")
		id := stack.Read[struct{ ReservationID string }](t, a).ReservationID
		if r := find(t, "customer-1", id); r.Status != "REJECTED" {
			t.Errorf("%s: %s", token, r.Status)
		}
		stack.Eventually(t, 20*time.Second, token+": nothing stays charged", func() error {
			if charged, returned := money(t, id); charged != returned {
				return fmt.Errorf("charged %d, returned %d", charged, returned)
			}
			return nil
		})
	}
	reserve(t, "customer-2", wish(p, 2, "tok_ok")).Is(t, 201)
	refused := reserve(t, "customer-3", wish(p, 1, "tok_ok")).Is(t, 409, "SOLD_OUT")
	if !strings.Contains(string(refused.Body), `"seatsLeft":0`) {
		t.Errorf("%s", refused.Body)
	}
}

func cancel(t testing.TB, customer, id string, body object) stack.Answer {
	t.Helper()
	return sys.As(t, customer).With("Idempotency-Key", newID()).Do("POST", "/api/reservations/"+id+"/cancellation", body)
}

func TestF10_F11_F12_CancelRefundsAndIsRecorded(t *testing.T) {
	p := register(t, osaka(20, 15)) // fifteen days before an overseas trip: 15 %
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 2, "tok_ok")).Is(t, 201))
	path := "/api/reservations/" + r.ReservationID
	quote := stack.Read[struct{ DaysBefore, FeeRate, Fee, Paid, Refund int64 }](t, sys.As(t, "customer-1").Do("GET", path+"/cancellation-quote", nil).Is(t, 200))
	if quote.DaysBefore != 15 || quote.FeeRate != 1500 || quote.Fee != 228000 || quote.Paid != 1520000 || quote.Refund != 1292000 {
		t.Errorf("%+v", quote)
	}
	cancel(t, "customer-2", r.ReservationID, object{}).Is(t, 404, "NOT_FOUND")
	cancel(t, "customer-1", r.ReservationID, object{"expectedFee": 0}).Is(t, 409, "FEE_CHANGED")
	first := cancel(t, "customer-1", r.ReservationID, object{"expectedFee": 228000, "reason": "일정 변경"}).Is(t, 202)
	if c := stack.Read[reservation](t, first); c.Status != "CANCEL_REQUESTED" || c.Cancellation.Fee != 228000 {
		t.Errorf("%s", first.Body)
	}
	done := becomes(t, "customer-1", r.ReservationID, 20*time.Second, "CANCELLED")
	if done.Payments[0].Refunded != 1292000 || done.Cancellation.Parts[0].Status != "DONE" {
		t.Errorf("%+v", done)
	}
	again := stack.Read[reservation](t, cancel(t, "customer-1", r.ReservationID, object{}).Is(t, 200))
	if again.Cancellation.Fee != 228000 || again.Status != "CANCELLED" {
		t.Errorf("%+v", again)
	}
	if charged, returned := money(t, r.ReservationID); charged != 1520000 || returned != 1292000 {
		t.Errorf("charged %d, returned %d", charged, returned)
	}
	history := stack.Read[struct {
		Items []struct {
			From, To, Actor, Cause string
			At                     time.Time
			Amount                 int64
		}
	}](t, sys.As(t, "customer-1").Do("GET", path+"/history", nil).Is(t, 200)).Items
	var steps []string
	last, asked := "", time.Time{}
	for _, h := range history {
		steps = append(steps, fmt.Sprintf("%s %s %d", h.To, h.Cause, h.Amount))
		if h.From != last || h.Actor == "" || h.At.IsZero() || h.At.Before(asked) {
			t.Errorf("%+v after %s at %s", h, last, asked)
		}
		last, asked = h.To, h.At
	}
	// What was paid, the fee that was asked for, and what came back in the end.
	if got := strings.Join(steps, ", "); got != "PENDING RESERVED 0, CONFIRMED PAYMENT_APPROVED 1520000, CANCEL_REQUESTED CUSTOMER_CANCELLED 228000, CANCEL_REQUESTED CANCELLATION 1292000, CANCELLED REFUNDED 1292000" {
		t.Errorf("history: %s", got)
	}
	if history[0].Actor != "customer-1" || history[2].Actor != "customer-1" {
		t.Errorf("%+v", history)
	}
	inboxHas(t, r.ReservationID, "CONFIRMED", "CANCEL_REQUESTED", "CANCEL_REQUESTED", "CANCELLED") // one of them: the refund is done
}

// inboxHas waits until md-1's inbox has exactly these notices of a reservation, in whatever order.
func inboxHas(t testing.TB, id string, want ...string) {
	t.Helper()
	stack.Eventually(t, 20*time.Second, "the MD's inbox", func() error {
		got := map[string]int{}
		for _, n := range inbox(t) {
			if n.ReservationID == id {
				got[n.Status]++
			}
		}
		wanted := map[string]int{}
		for _, status := range want {
			wanted[status]++
		}
		if !maps.Equal(got, wanted) {
			return fmt.Errorf("%v", got)
		}
		return nil
	})
}

type notice struct {
	Seq                              int64
	ReservationID, ProductID, Status string
}

// inbox is all notices of md-1, and proves that they are numbered without a gap.
func inbox(t testing.TB) []notice {
	t.Helper()
	var all []notice
	after := int64(0)
	for {
		a := sys.As(t, "md-1").Do("GET", fmt.Sprintf("/api/md/notices?limit=100&after=%d", after), nil).Is(t, 200)
		page := stack.Read[struct{ Items []notice }](t, a).Items
		if len(page) == 0 {
			return all
		}
		for _, n := range page {
			if n.Seq != after+1 {
				t.Fatalf("notice %d follows %d", n.Seq, after)
			}
			after = n.Seq
		}
		all = append(all, page...)
	}
}

func TestF13_OneScreenWithAllProductsAndReservationStates(t *testing.T) {
	p := register(t, osaka(20))
	r := stack.Read[reservation](t, reserve(t, "customer-9", wish(p, 2, "tok_ok")).Is(t, 201))
	mine := sys.As(t, "customer-9").Do("GET", fmt.Sprintf("/api/view/mine?after=%s:%d", r.ReservationID, r.Version), nil).Is(t, 200)
	if !strings.Contains(string(mine.Body), r.ReservationID) {
		t.Errorf("mine lacks it: %s", mine.Body)
	}
	for _, path := range []string{"/api/view/board?limit=100", "/api/view/md?limit=100"} {
		stack.Eventually(t, 10*time.Second, path, func() error {
			a := sys.As(t, "md-1").Do("GET", path, nil).Is(t, 200)
			for _, i := range stack.Read[struct {
				Items []struct {
					ProductID    string
					Reservations map[string]int
					Departures   []struct{ Held, Confirmed int }
				}
			}](t, a).Items {
				if i.ProductID == p.ProductID && i.Reservations["CONFIRMED"] == 1 && i.Departures[0].Confirmed == 2 && i.Departures[0].Held == 0 {
					return nil
				}
			}
			return fmt.Errorf("%s", a.Body)
		})
	}
}

// The board and a customer's trips stand while every other service is gone.
func TestF13_A4_TheViewStandsAlone(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	r := stack.Read[reservation](t, reserve(t, "customer-8", wish(p, 1, "tok_ok")).Is(t, 201))
	shown := fmt.Sprintf("/api/view/mine?after=%s:%d", r.ReservationID, r.Version)
	sys.As(t, "customer-8").Do("GET", shown, nil).Is(t, 200)
	others := []string{"product", "store", "reservation", "payment"}
	for _, app := range others {
		sys.Kill(t, app)
	}
	mine := sys.As(t, "customer-8").Do("GET", shown, nil).Is(t, 200)
	if !strings.Contains(string(mine.Body), r.ReservationID) {
		t.Errorf("%s", mine.Body)
	}
	if items := board(t); len(items) == 0 || items[0].ProductID != p.ProductID || items[0].Departures[0].Confirmed != 1 {
		t.Errorf("%+v", items)
	}
	sys.Restart(t, others...)
	consistent(t, p)
	calm(t)
}

// Displayed and for sale also if the product service stops as soon as its event has left.
func TestF5_A4_DisplayedAlthoughProductStopsRightAfter(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	stack.Eventually(t, 5*time.Second, "the event has left", func() error {
		if n := rows(t, sys.Database(t, "product"), "outbox"); n != 0 {
			return fmt.Errorf("%d wait", n)
		}
		return nil
	})
	sys.Kill(t, "product")
	displayed(t, p.ProductID, func(item) bool { return true })
	reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201)
	if a := sys.As(t, "").Do("GET", "/api/products/"+p.ProductID, nil); a.Status < 500 {
		t.Errorf("product was not away: %d", a.Status)
	}
	sys.Restart(t, "product")
	calm(t)
}

// And if it stops before that, the event waits in its database and leaves when it is back.
func TestF5_A3_DisplayedWhenProductIsBack(t *testing.T) {
	slow(t)
	p := register(t, osaka(20))
	sys.Kill(t, "product")
	sys.Restart(t, "product")
	displayed(t, p.ProductID, func(item) bool { return true })
	calm(t)
}

func TestF16_ReservedCountFollowsConfirmedAndCancelled(t *testing.T) {
	p := register(t, osaka(20))
	for range 3 {
		reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201)
	}
	r := stack.Read[reservation](t, reserve(t, "customer-1", wish(p, 1, "tok_ok")).Is(t, 201))
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 4 && i.Departures[0].SeatsLeft == 16 })
	cancel(t, "customer-1", r.ReservationID, object{}).Is(t, 202)
	displayed(t, p.ProductID, func(i item) bool { return i.ReservedCount == 3 && i.Departures[0].SeatsLeft == 17 })
}
