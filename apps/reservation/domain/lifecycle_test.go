package domain

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

var noon = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

func tour() TourProduct {
	return TourProduct{ID: "p", MDID: "md-1", Kind: terms.Overseas, Nights: 2, Price: 800_000, DiscountRate: 500}
}

func wish(n int) Wish { return Wish{ID: "r", Customer: "c", Travellers: n, Plan: PlanFull, At: noon} }

func TestF8_PriceVectorP1(t *testing.T) {
	r, err := Reserve(wish(2), tour(), OpenDeparture("d", "p", "2027-03-14", 20))
	if err != nil {
		t.Fatal(err)
	}
	s := r.Snapshot()
	if s.Price != (terms.Price{List: 1_600_000, Discount: 80_000, Payable: 1_520_000}) || s.DueNow != 1_520_000 {
		t.Errorf("%+v due %d", s.Price, s.DueNow)
	}
}

func TestN1_OnlyExactlyTheAmountDueConfirms(t *testing.T) {
	for _, amount := range []money.KRW{0, 1_519_999, 1_520_001, -1_520_000} {
		d := OpenDeparture("d", "p", "2027-03-14", 20)
		r, _ := Reserve(wish(2), tour(), d)
		if err := r.Confirm(d, Payment{Amount: amount}, noon); err == nil || r.Status() != Pending {
			t.Errorf("confirmed with %d won", amount)
		}
	}
}

func TestF8_RefusalsInTheirOrder(t *testing.T) {
	price, terms2 := money.KRW(1), "OTHER"
	special := tour()
	special.SpecialTerms = &terms.Schedule{Version: "SPECIAL-1", Tiers: []terms.Tier{{FromDays: 0, Rate: 5000}}}
	gone := tour()
	gone.Discontinued = true
	closed := func() *Departure {
		d := OpenDeparture("d", "p", "2027-03-14", 20)
		d.Close(Closure{Reason: "UNDER_SUBSCRIBED", ClosedOn: "2026-11-22"})
		return d
	}
	open := func() *Departure { return OpenDeparture("d", "p", "2027-03-14", 1) }
	for _, c := range []struct {
		name    string
		change  func(*Wish)
		product TourProduct
		d       *Departure
		want    fault.Code
	}{
		{"discontinued before closed", nil, gone, closed(), fault.Discontinued},
		{"closed before price", func(w *Wish) { w.ExpectedPrice = &price }, tour(), closed(), fault.DepartureClosed},
		{"on the departure date", nil, tour(), OpenDeparture("d", "p", "2026-11-22", 20), fault.TooLate},
		{"after the departure date", nil, tour(), OpenDeparture("d", "p", "2026-11-21", 20), fault.TooLate},
		{"price before seats", func(w *Wish) { w.ExpectedPrice = &price }, tour(), open(), fault.PriceChanged},
		{"terms before seats", func(w *Wish) { w.AcceptedPolicyVersion = terms2 }, tour(), open(), fault.TermsChanged},
		{"special terms need consent", nil, special, open(), fault.ConsentRequired},
		{"more travellers than seats", nil, tour(), open(), fault.SoldOut},
		{"savings are not offered yet", func(w *Wish) { w.Plan = PlanSavingsFunded }, tour(), open(), fault.PlanNotOffered},
	} {
		w := wish(2)
		if c.change != nil {
			c.change(&w)
		}
		before := c.d.Snapshot()
		_, err := Reserve(w, c.product, c.d)
		if fault.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		if after := c.d.Snapshot(); after.Held != before.Held || after.Version != before.Version {
			t.Errorf("%s: the departure changed", c.name)
		}
	}
}

// Seoul's date decides, not UTC's: 15:00 UTC is midnight in Seoul.
func TestF8_TheDateIsSeouls(t *testing.T) {
	for at, want := range map[string]fault.Code{"2027-03-13T14:59:59Z": "", "2027-03-13T15:00:00Z": fault.TooLate} {
		w := wish(1)
		w.At, _ = time.Parse(time.RFC3339, at)
		_, err := Reserve(w, tour(), OpenDeparture("d", "p", "2027-03-14", 20))
		if got := fault.CodeOf(err); err != nil && got != want || err == nil && want != "" {
			t.Errorf("%s: %v, want %q", at, err, want)
		}
	}
}

func TestF10_HistoryListsEveryTransitionInOrder(t *testing.T) {
	d := OpenDeparture("d", "p", "2027-03-14", 20)
	r, _ := Reserve(wish(2), tour(), d)
	must(t, r.Confirm(d, Payment{ID: "pay", Amount: 1_520_000}, noon.Add(time.Second)))
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: noon.Add(2 * time.Second), NewID: func() string { return "ref" }}))
	changed, err := r.RefundDone(d, "ref", noon.Add(3*time.Second))
	must(t, err)
	again, err := r.RefundDone(d, "ref", noon.Add(4*time.Second))
	must(t, err)
	if !changed || again {
		t.Errorf("the refund counted %v, then %v", changed, again)
	}
	got := ""
	for i, e := range r.Snapshot().History {
		got += fmt.Sprintf("%s→%s %s by %s; ", e.From, e.To, e.Cause, e.Actor)
		if e.Version != int64(i+1) || e.At != noon.Add(time.Duration(min(i, 3))*time.Second) {
			t.Errorf("entry %d: %+v", i, e)
		}
	}
	want := "→PENDING RESERVED by c; PENDING→CONFIRMED PAYMENT_APPROVED by payment; " +
		"CONFIRMED→CANCEL_REQUESTED CUSTOMER_CANCELLED by c; CANCEL_REQUESTED→CANCEL_REQUESTED CANCELLATION by payment; CANCEL_REQUESTED→CANCELLED REFUNDED by payment; "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestF11_WithdrawingAPendingOneOrdersAVoid(t *testing.T) {
	d := OpenDeparture("d", "p", "2027-03-14", 20)
	r, _ := Reserve(wish(2), tour(), d)
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: noon}))
	if r.Status() != Rejected || !r.VoidOrder() || d.SeatsLeft() != 20 {
		t.Errorf("%s, void %v, %d seats left", r.Status(), r.VoidOrder(), d.SeatsLeft())
	}
	if err := r.Confirm(d, Payment{Amount: 1_520_000}, noon); err == nil {
		t.Error("an approval after the withdrawal has confirmed")
	}
}

// Whatever happens to however many reservations: no seat is sold twice and every count is right.
func TestSeatsAreNeverSoldTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := OpenDeparture("d", "p", "2027-03-14", rapid.IntRange(1, 12).Draw(t, "capacity"))
		var all []*Reservation
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				r, err := Reserve(wish(rapid.IntRange(1, 5).Draw(t, "travellers")), tour(), d)
				if err == nil {
					all = append(all, r)
				} else if !errors.Is(err, ErrSoldOut) {
					t.Fatal(err)
				}
			case 1:
				d.Resize(rapid.IntRange(1, 12).Draw(t, "resize"))
			default:
				if len(all) == 0 {
					continue
				}
				r := rapid.SampledFrom(all).Draw(t, "which")
				switch rapid.IntRange(0, 3).Draw(t, "what") {
				case 0:
					_ = r.Confirm(d, Payment{ID: "p", Amount: r.Snapshot().DueNow}, noon)
				case 1:
					_ = r.Reject(d, Rejection{Actor: "x", Cause: CauseHoldLimit, Void: true, At: noon})
				case 2:
					_ = r.RequestCancellation(d, Cancelling{Actor: "c", At: noon, NewID: func() string { return "ref" }})
				case 3:
					_, _ = r.RefundDone(d, "ref", noon)
				}
			}
			checkSeats(t, d, all)
		}
	})
}

func checkSeats(t *rapid.T, d *Departure, all []*Reservation) {
	held, taken, counts := 0, 0, map[Status]int{}
	for _, r := range all {
		s := r.Snapshot()
		counts[s.Status]++
		switch s.Status {
		case Pending:
			held += s.Travellers
		case Confirmed, Completed:
			taken += s.Travellers
		}
	}
	s := d.Snapshot()
	if s.Held != held || s.Confirmed != taken || held+taken > d.Capacity() || d.SeatsLeft() < 0 {
		t.Fatalf("held %d/%d confirmed %d/%d of %d", s.Held, held, s.Confirmed, taken, d.Capacity())
	}
	for status, n := range s.Counts {
		if n != counts[status] {
			t.Fatalf("%s: %d, want %d", status, n, counts[status])
		}
	}
}

func TestCompletedSevenDaysAfterTheReturn(t *testing.T) {
	d := OpenDeparture("d", "p", "2027-03-14", 20)
	r, _ := Reserve(wish(2), tour(), d)
	must(t, r.Confirm(d, Payment{Amount: 1_520_000}, noon))
	over := terms.Date("2027-03-23").Begin() // returns on the 16th
	if err := r.Complete(d, over.Add(-time.Second)); err == nil {
		t.Error("completed a second too early")
	}
	must(t, r.Complete(d, over))
	if d.Snapshot().Confirmed != 2 {
		t.Error("a completed trip gave its seats back")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
