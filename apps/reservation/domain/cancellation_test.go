package domain

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// confirmed makes a reservation of one traveller for which the given amounts were paid.
func confirmed(t testing.TB, kind string, nights int, price money.KRW, date terms.Date, reserved time.Time, paid ...money.KRW) (*Reservation, *Departure) {
	t.Helper()
	d := OpenDeparture("d", "p", date, 20)
	p := TourProduct{ID: "p", Kind: kind, Nights: nights, Price: price}
	r, err := Reserve(Wish{ID: "r", Customer: "c", Travellers: 1, Plan: PlanFull, At: reserved}, p, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(d, Payment{ID: "p0", Purpose: "PRICE", Method: "CARD", Amount: price}, reserved); err != nil {
		t.Fatal(err)
	}
	if len(paid) > 0 {
		// What savings will pay later; the fee rule must already hold for it.
		purposes := []string{"DEPOSIT", "BALANCE"}
		s := r.Snapshot()
		s.Payments = nil
		for i, amount := range paid {
			s.Payments = append(s.Payments, Payment{ID: "p" + strconv.Itoa(i), Purpose: purposes[i], Method: "CARD", Amount: amount})
		}
		r = Restore(s)
	}
	return r, d
}

var early = time.Date(2016, 1, 2, 3, 4, 5, 0, time.UTC)

// onDay is noon in Seoul, so many days before the date.
func onDay(date terms.Date, before int) time.Time {
	return date.AddDays(-before).Begin().Add(12 * time.Hour)
}

// Every boundary day of the three standard schedules.
func TestF11_FeeByTheStandardSchedules(t *testing.T) {
	const date = terms.Date("2027-03-14")
	for _, c := range []struct {
		name   string
		kind   string
		nights int
		fees   map[int]money.BasisPoints
	}{
		{"overseas", terms.Overseas, 2, map[int]money.BasisPoints{
			365: 0, 31: 0, 30: 0, 29: 1000, 20: 1000, 19: 1500, 10: 1500, 9: 2000, 8: 2000, 7: 3000, 2: 3000, 1: 3000, 0: 5000}},
		{"domestic with nights", terms.Domestic, 1, map[int]money.BasisPoints{6: 0, 5: 0, 4: 1000, 3: 1000, 2: 1000, 1: 2000, 0: 3000}},
		{"domestic day trip", terms.Domestic, 0, map[int]money.BasisPoints{4: 0, 3: 0, 2: 1000, 1: 2000, 0: 3000}},
	} {
		r, d := confirmed(t, c.kind, c.nights, 1_000_000, date, early)
		for days, rate := range c.fees {
			q := r.Quote(d, onDay(date, days))
			fee := money.KRW(1_000_000).Part(rate)
			if q.DaysBefore != days || q.FeeRate != rate || q.Fee != fee || q.Refund != 1_000_000-fee {
				t.Errorf("%s D-%d: %+v, want rate %d fee %d", c.name, days, q, rate, fee)
			}
		}
	}
}

// The vectors of fees and refunds, by their names.
func TestVectors(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name        string
		kind        string
		nights      int
		price       money.KRW
		paid        []money.KRW
		date        terms.Date
		asked       time.Time
		days        int
		fee, refund money.KRW
	}{
		{"F1", terms.Overseas, 2, 1_520_000, nil, "2027-03-14", at("2027-02-12T14:59:59Z"), 30, 0, 1_520_000},
		{"F2", terms.Overseas, 2, 1_520_000, nil, "2027-03-14", at("2027-02-12T15:00:00Z"), 29, 152_000, 1_368_000},
		{"F3/leap year D-30", terms.Overseas, 2, 1_000_000, nil, "2028-03-01", onDay("2028-01-31", 0), 30, 0, 1_000_000},
		{"F3/leap year D-1", terms.Overseas, 2, 1_000_000, nil, "2028-03-01", onDay("2028-02-29", 0), 1, 300_000, 700_000},
		{"F3/common year", terms.Overseas, 2, 1_000_000, nil, "2027-03-01", onDay("2027-01-31", 0), 29, 100_000, 900_000},
		{"F5/D-5", terms.Overseas, 2, 800_000, []money.KRW{400_000}, "2027-03-14", onDay("2027-03-14", 5), 5, 240_000, 160_000},
		{"F5/D-15", terms.Overseas, 2, 2_800_000, nil, "2017-02-08", onDay("2017-01-24", 0), 15, 420_000, 2_380_000},
		{"F6/D-5", terms.Domestic, 1, 350_000, nil, "2027-03-14", onDay("2027-03-14", 5), 5, 0, 350_000},
		{"F6/D-4", terms.Domestic, 1, 350_000, nil, "2027-03-14", onDay("2027-03-14", 4), 4, 35_000, 315_000},
		{"F6/D-2", terms.Domestic, 1, 350_000, nil, "2027-03-14", onDay("2027-03-14", 2), 2, 35_000, 315_000},
		{"F6/D-1", terms.Domestic, 1, 350_000, nil, "2027-03-14", onDay("2027-03-14", 1), 1, 70_000, 280_000},
		{"F11/fell short: dated on the due date", terms.Overseas, 2, 1_520_000, []money.KRW{152_000}, "2027-03-14", onDay("2027-02-12", 0), 30, 0, 152_000},
		{"F6/D-0", terms.Domestic, 1, 350_000, []money.KRW{150_000}, "2027-03-14", onDay("2027-03-14", 0), 0, 105_000, 45_000},
		{"F7/D-3", terms.Domestic, 0, 750_000, nil, "2027-03-14", onDay("2027-03-14", 3), 3, 0, 750_000},
		{"F7/D-2", terms.Domestic, 0, 750_000, nil, "2027-03-14", onDay("2027-03-14", 2), 2, 75_000, 675_000},
		{"F7/D-1", terms.Domestic, 0, 750_000, nil, "2027-03-14", onDay("2027-03-14", 1), 1, 150_000, 600_000},
		{"F7/D-0", terms.Domestic, 0, 750_000, nil, "2027-03-14", onDay("2027-03-14", 0), 0, 225_000, 525_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := confirmed(t, c.kind, c.nights, c.price, c.date, early, c.paid...)
			q := r.Quote(d, c.asked)
			if q.DaysBefore != c.days || q.Fee != c.fee || q.Refund != c.refund {
				t.Errorf("D-%d fee %d refund %d, want D-%d fee %d refund %d", q.DaysBefore, q.Fee, q.Refund, c.days, c.fee, c.refund)
			}
		})
	}
}

// The balance goes back first, then the deposit.
func TestVectors_RefundParts(t *testing.T) {
	t.Run("F9", func(t *testing.T) {
		r, d := confirmed(t, terms.Overseas, 2, 1_520_000, "2027-03-14", early, 152_000, 1_368_000)
		for days, want := range map[int]string{
			30: "fee 0 BALANCE 1368000 DEPOSIT 152000", 29: "fee 152000 BALANCE 1368000", 5: "fee 456000 BALANCE 1064000", 0: "fee 760000 BALANCE 760000",
		} {
			if got := told(r.Quote(d, onDay("2027-03-14", days))); got != want {
				t.Errorf("D-%d: %s, want %s", days, got, want)
			}
		}
	})
	t.Run("F8", func(t *testing.T) {
		r, d := confirmed(t, terms.Overseas, 2, 1_520_000, "2027-03-14", early, 152_000)
		must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay("2027-03-14", 5), NewID: func() string { return "x" }}))
		s := r.Snapshot()
		c := s.Cancellation
		if s.Status != Cancelled || c.AssessedFee != 456_000 || c.Fee != 152_000 || c.Refund != 0 || len(c.Parts) != 0 {
			t.Errorf("%s %+v", s.Status, c)
		}
	})
}

// told is a quote in one line.
func told(q Quote) string {
	s := fmt.Sprintf("fee %d", q.Fee)
	for _, p := range q.Parts {
		s += fmt.Sprintf(" %s %d", p.Purpose, p.Amount)
	}
	return s
}

func TestF11_TheDepartureDateIsTheLastDayToCancel(t *testing.T) {
	const date = terms.Date("2027-03-14")
	r, d := confirmed(t, terms.Overseas, 2, 1_000_000, date, early)
	after := date.AddDays(1).Begin()
	if err := r.RequestCancellation(d, Cancelling{Actor: "c", At: after}); !ErrTooLate.Is(err) {
		t.Errorf("one second after the date: %v", err)
	}
	if err := r.RequestCancellation(d, Cancelling{Actor: "c", At: after.Add(-time.Second), NewID: func() string { return "x" }}); err != nil {
		t.Errorf("last second of the date: %v", err)
	}
}

func TestF11_ExpectedFeeGuards(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
	wrong := money.KRW(99_999)
	if err := r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay("2027-03-14", 29), ExpectedFee: &wrong}); !ErrFeeChanged.Is(err) || r.Status() != Confirmed {
		t.Errorf("%v, %s", err, r.Status())
	}
}

func TestF11_FeeAndRefundAlwaysMakeUpWhatWasPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]string{terms.Domestic, terms.Overseas}).Draw(t, "kind")
		nights := rapid.IntRange(0, 60).Draw(t, "nights")
		price := money.KRW(rapid.Int64Range(1000, 9_900_000_000).Draw(t, "price"))
		days := rapid.IntRange(0, 400).Draw(t, "days")
		const date = terms.Date("2027-03-14")
		d := OpenDeparture("d", "p", date, 20)
		r, err := Reserve(Wish{ID: "r", Customer: "c", Travellers: 1, Plan: PlanFull, At: early}, TourProduct{ID: "p", Kind: kind, Nights: nights, Price: price}, d)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Confirm(d, Payment{ID: "p0", Amount: price}, early); err != nil {
			t.Fatal(err)
		}
		q, sooner := r.Quote(d, onDay(date, days)), r.Quote(d, onDay(date, days+1))
		var parts money.KRW
		for _, p := range q.Parts {
			parts += p.Amount
		}
		if q.Fee+q.Refund != q.Paid || parts != q.Refund || q.Fee < 0 || q.Refund < 0 || q.Fee < sooner.Fee {
			t.Fatalf("%+v after %+v", q, sooner)
		}
	})
}

func TestF11_CancelledWhenTheLastPartIsRefundedEachCountedOnce(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_520_000, "2027-03-14", early, 152_000, 1_368_000)
	n := 0
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay("2027-03-14", 30), NewID: func() string { n++; return strconv.Itoa(n) }}))
	for i, step := range []struct {
		refund  string
		changed bool
		status  Status
	}{{"1", true, CancelRequested}, {"1", false, CancelRequested}, {"9", false, CancelRequested}, {"2", true, Cancelled}, {"2", false, Cancelled}} {
		changed, err := r.RefundDone(d, step.refund, early)
		must(t, err)
		if changed != step.changed || r.Status() != step.status {
			t.Errorf("step %d: changed %v, %s", i, changed, r.Status())
		}
	}
	for _, p := range r.Snapshot().Payments {
		if p.Refunded != p.Amount {
			t.Errorf("%s: %d of %d refunded", p.Purpose, p.Refunded, p.Amount)
		}
	}
}
