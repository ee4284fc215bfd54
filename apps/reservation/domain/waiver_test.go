package domain

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// ids counts refunds: r1, r2, …
func ids() func() string {
	n := 0
	return func() string { n++; return "r" + strconv.Itoa(n) }
}

// trail is the history after the confirmation, in one line.
func trail(r *Reservation) string {
	var lines []string
	for i, e := range r.Snapshot().History[2:] {
		line := string(e.To)
		if e.Kind != KindTransition {
			line = e.Kind
			if e.From != e.To {
				line += " is a transition"
			}
		}
		if e.Amount != nil {
			line += fmt.Sprintf(" %d", *e.Amount)
		}
		if e.Version != int64(i+3) {
			line += fmt.Sprintf(" v%d", e.Version)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

func TestVectors_Waivers(t *testing.T) {
	const date = terms.Date("2027-03-14")
	t.Run("F10", func(t *testing.T) {
		r, d := confirmed(t, terms.Overseas, 2, 1_520_000, date, early, 152_000, 1_368_000)
		if _, err := r.DecideWaiver(Decision{Reason: EpidemicAdvisory, Granted: true, Actor: "o", At: early}); err != nil {
			t.Fatal(err)
		}
		must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay(date, 29), NewID: ids()}))
		c := r.Snapshot().Cancellation
		if c.Fee != 76_000 || len(c.Parts) != 2 || c.Parts[0].Purpose != "BALANCE" || c.Parts[0].Amount != 1_368_000 || c.Parts[1].Amount != 76_000 {
			t.Errorf("%+v", c)
		}
	})
	t.Run("F12", func(t *testing.T) {
		r, d := confirmed(t, terms.Overseas, 2, 1_520_000, date, early)
		next := ids()
		must(t, r.RequestCancellation(d, Cancelling{Actor: "c", Waiver: OwnIllness, At: onDay(date, 29), NewID: next}))
		changed(t, true)(r.RefundDone(d, "r1", onDay(date, 28)))
		changed(t, true)(r.DecideWaiver(Decision{Reason: OwnIllness, Granted: true, Note: "certificate", Actor: "o", NewID: next, At: onDay(date, 20)}))
		s := r.Snapshot()
		part := s.Cancellation.Parts[1]
		if s.Status != Cancelled || part.Amount != 152_000 || part.Cause != PartOfWaiver || part.Status != PartRequested || s.Cancellation.Fee != 0 {
			t.Fatalf("%s %+v", s.Status, s.Cancellation)
		}
		changed(t, true)(r.RefundDone(d, "r2", onDay(date, 19)))
		changed(t, false)(r.RefundDone(d, "r2", onDay(date, 19)))
		want := "CANCEL_REQUESTED 152000; WAIVER_CLAIMED; REFUND_DONE 1368000; CANCELLED 1368000; WAIVER_GRANTED 152000; REFUND_DONE 152000"
		if got := trail(r); got != want || r.Snapshot().Payments[0].Refunded != 1_520_000 || r.Status() != Cancelled {
			t.Errorf("%s %+v\n got  %s\n want %s", r.Status(), r.Snapshot().Payments, got, want)
		}
	})
}

// changed checks what a step says of itself.
func changed(t *testing.T, want bool) func(bool, error) {
	t.Helper()
	return func(got bool, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Fatalf("changed %v, %v", got, err)
		}
	}
}

func TestAWaiverGrantedWhileTheRefundIsUnderWayWaitsForBoth(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_520_000, "2027-03-14", early)
	next := ids()
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay("2027-03-14", 29), NewID: next}))
	changed(t, true)(r.DecideWaiver(Decision{Reason: SafetyAgreed, Granted: true, Actor: "o", NewID: next, At: early}))
	changed(t, true)(r.RefundDone(d, "r1", early))
	if r.Status() != CancelRequested {
		t.Errorf("%s although a part is open", r.Status())
	}
	changed(t, true)(r.RefundDone(d, "r2", early))
	if r.Status() != Cancelled {
		t.Error(r.Status())
	}
}

func TestAWaiverIsDecidedOnce(t *testing.T) {
	for _, granted := range []bool{true, false} {
		r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
		must(t, r.RequestCancellation(d, Cancelling{Actor: "c", Waiver: OwnIllness, At: onDay("2027-03-14", 5), NewID: ids()}))
		decide := func(reason WaiverReason, granted bool) (bool, error) {
			return r.DecideWaiver(Decision{Reason: reason, Granted: granted, Actor: "o", NewID: func() string { return "w" }, At: early})
		}
		changed(t, true)(decide(OwnIllness, granted))
		changed(t, false)(decide(OwnIllness, granted))
		for _, again := range []bool{granted, !granted} {
			if _, err := decide(RelativeDied, again); !ErrAlreadyDecided.Is(err) {
				t.Error(err)
			}
		}
		if _, err := decide(OwnIllness, !granted); !ErrAlreadyDecided.Is(err) {
			t.Error(err)
		}
		if n := len(r.Snapshot().Cancellation.Parts); n != map[bool]int{true: 2, false: 1}[granted] {
			t.Errorf("granted %v: %d parts", granted, n)
		}
	}
}

// A claim is refused for what it is; another reason that an operator has refused unasked does not stand in its way.
func TestARefusalIsOfOneReason(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
	decide := func(reason WaiverReason, granted bool) (bool, error) {
		return r.DecideWaiver(Decision{Reason: reason, Granted: granted, Actor: "o", NewID: func() string { return "w" }, At: early})
	}
	changed(t, true)(decide(ForceMajeure, false))
	at := onDay("2027-03-14", 5)
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", Waiver: OwnIllness, At: at, NewID: ids()}))
	if w := r.Snapshot().Waiver; w.Reason != OwnIllness || w.Status != WaiverClaimed || !r.WaiverOpened().Equal(at) || w.DecidedBy != "" {
		t.Fatalf("%+v", w)
	}
	if _, err := decide(RelativeDied, false); fault.CodeOf(err) != fault.Invalid {
		t.Error(err)
	}
	changed(t, true)(decide(RelativeDied, true)) // what the customer has is this, and it waives the fee as well
	if w, x := r.Snapshot().Waiver, r.Snapshot().Cancellation; w.Reason != RelativeDied || w.Status != WaiverGranted || x.Fee != 0 {
		t.Errorf("%+v %+v", w, x)
	}
}

// The very reason that was refused is not claimed again by cancelling.
func TestARefusedReasonStaysRefused(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
	changed(t, true)(r.DecideWaiver(Decision{Reason: OwnIllness, Actor: "o", At: early}))
	must(t, r.RequestCancellation(d, Cancelling{Actor: "c", Waiver: OwnIllness, At: onDay("2027-03-14", 5), NewID: ids()}))
	if w := r.Snapshot().Waiver; w.Status != WaiverRefused || strings.Contains(trail(r), KindWaiverClaimed) {
		t.Errorf("%+v %s", w, trail(r))
	}
}

// Whatever was paid, whenever it is cancelled and waived: no payment gives back more than it took, and fee and
// refund make up what was paid.
func TestNeverMoreComesBackThanWasPaid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		price := money.KRW(rapid.Int64Range(1000, 90_000_000).Draw(t, "price"))
		deposit := price.Part(1000)
		days := rapid.IntRange(0, 40).Draw(t, "days")
		reason := rapid.SampledFrom([]WaiverReason{ForceMajeure, EpidemicAdvisory, EpidemicOrder}).Draw(t, "reason")
		before := rapid.Bool().Draw(t, "before")
		r, d := confirmedRapid(t, price)
		s := r.Snapshot()
		s.Payments = []Payment{{ID: "p0", Purpose: "DEPOSIT", Amount: deposit}}
		if rapid.Bool().Draw(t, "balance") {
			s.Payments = append(s.Payments, Payment{ID: "p1", Purpose: "BALANCE", Amount: price - deposit})
		}
		r = Restore(s)
		next := ids()
		decide := func() {
			if _, err := r.DecideWaiver(Decision{Reason: reason, Granted: true, NewID: next, At: early}); err != nil {
				t.Fatal(err)
			}
		}
		if before {
			decide()
		}
		if err := r.RequestCancellation(d, Cancelling{At: onDay("2027-03-14", days), NewID: next}); err != nil {
			t.Fatal(err)
		}
		if !before {
			decide()
		}
		c := r.Snapshot().Cancellation
		var all money.KRW
		of := map[string]money.KRW{}
		for _, p := range c.Parts {
			all += p.Amount
			of[p.PaymentID] += p.Amount
		}
		paid := money.KRW(0)
		for _, p := range r.Snapshot().Payments {
			paid += p.Amount
			if of[p.ID] > p.Amount {
				t.Fatalf("%s: %d of %d", p.ID, of[p.ID], p.Amount)
			}
		}
		if all != c.Refund || c.Fee+c.Refund != paid || c.Fee < 0 {
			t.Fatalf("%+v of %d", c, paid)
		}
	})
}

func confirmedRapid(t *rapid.T, price money.KRW) (*Reservation, *Departure) {
	d := OpenDeparture("d", "p", "2027-03-14", 20)
	r, err := Reserve(Wish{ID: "r", Customer: "c", Travellers: 1, Plan: PlanFull, At: early}, TourProduct{ID: "p", Kind: terms.Overseas, Nights: 2, Price: price}, d)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Confirm(d, Payment{ID: "p0", Amount: price}, early); err != nil {
		t.Fatal(err)
	}
	return r, d
}

func TestAStuckPartIsDoneOrSettled(t *testing.T) {
	for _, settled := range []bool{false, true} {
		r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
		must(t, r.RequestCancellation(d, Cancelling{Actor: "c", At: onDay("2027-03-14", 40), NewID: ids()}))
		if !r.RefundStuck("r1", early) || r.RefundStuck("r1", early) || r.RefundStuck("r9", early) {
			t.Error("stuck is said once")
		}
		want := "CANCEL_REQUESTED 0; REFUND_STUCK 1000000; REFUND_DONE 1000000; CANCELLED 1000000"
		if settled {
			want = "CANCEL_REQUESTED 0; REFUND_STUCK 1000000; REFUND_SETTLED 1000000; CANCELLED 1000000"
			changed(t, true)(r.RefundSettled(d, "r1", "o", early))
			changed(t, false)(r.RefundSettled(d, "r1", "o", early))
			changed(t, false)(r.RefundDone(d, "r1", early))
		} else {
			changed(t, true)(r.RefundDone(d, "r1", early))
		}
		if got := trail(r); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestNoShowTakesTheFeeOfTheDepartureDay(t *testing.T) {
	const date = terms.Date("2027-03-14")
	for _, days := range []int{0, -3} {
		r, d := confirmed(t, terms.Overseas, 2, 1_000_000, date, early)
		if _, err := r.NoShow(d, "md-1", ids(), date.Begin().Add(-time.Second)); !ErrTooEarly.Is(err) {
			t.Error(err)
		}
		changed(t, true)(r.NoShow(d, "md-1", ids(), onDay(date, days)))
		changed(t, false)(r.NoShow(d, "md-1", ids(), onDay(date, days)))
		c := r.Snapshot().Cancellation
		if c.DaysBefore != 0 || c.Fee != 500_000 || c.Refund != 500_000 || r.Snapshot().History[2].Cause != CauseNoShow || d.Snapshot().Confirmed != 0 {
			t.Errorf("%+v", c)
		}
	}
}

func TestVectors_Closures(t *testing.T) {
	const date = terms.Date("2027-03-14")
	for _, c := range []struct {
		name         string
		reason, kind string
		nights       int
		price, paid  money.KRW
		days         int
		compensation money.KRW
	}{
		{"S1/D-7", terms.UnderSubscribed, terms.Overseas, 2, 1_000_000, 150_000, 7, 0},
		{"S1/D-6", terms.UnderSubscribed, terms.Overseas, 2, 1_000_000, 150_000, 6, 300_000},
		{"S1/D-1", terms.UnderSubscribed, terms.Overseas, 2, 1_000_000, 150_000, 1, 300_000},
		{"S1/D-0", terms.UnderSubscribed, terms.Overseas, 2, 1_000_000, 150_000, 0, 500_000},
		{"S2/nights D-3", terms.UnderSubscribed, terms.Domestic, 1, 350_000, 350_000, 3, 0},
		{"S2/nights D-2", terms.UnderSubscribed, terms.Domestic, 1, 350_000, 350_000, 2, 35_000},
		{"S2/nights D-0", terms.UnderSubscribed, terms.Domestic, 1, 350_000, 350_000, 0, 35_000},
		{"S2/day trip D-2", terms.UnderSubscribed, terms.Domestic, 0, 50_000, 50_000, 2, 0},
		{"S2/day trip D-1", terms.UnderSubscribed, terms.Domestic, 0, 50_000, 50_000, 1, 5_000},
		{"S2/day trip D-0", terms.UnderSubscribed, terms.Domestic, 0, 50_000, 50_000, 0, 5_000},
		{"S3/day trip D-1", terms.SupplierFault, terms.Domestic, 0, 750_000, 750_000, 1, 150_000},
		{"S3/overseas D-29", terms.SupplierFault, terms.Overseas, 2, 1_520_000, 1_520_000, 29, 152_000},
		{"S3/overseas D-0", terms.SupplierFault, terms.Overseas, 2, 1_520_000, 1_520_000, 0, 760_000},
		{"S3/force majeure", terms.ForceMajeure, terms.Overseas, 2, 1_520_000, 1_520_000, 0, 0},
		{"a reason nobody knows", "WHIM", terms.Overseas, 2, 1_520_000, 1_520_000, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, d := confirmed(t, c.kind, c.nights, c.price, date, early, c.paid)
			d.Close(Closure{Reason: c.reason, ClosedOn: date.AddDays(-c.days)})
			changed(t, true)(r.CloseDeparture(d, ids(), onDay(date, 0)))
			changed(t, false)(r.CloseDeparture(d, ids(), onDay(date, 0)))
			x := r.Snapshot().Cancellation
			owed := money.KRW(0)
			if x.Compensation != nil {
				owed = x.Compensation.Amount
			}
			if x.Fee != 0 || x.Refund != c.paid || owed != c.compensation || d.Snapshot().Confirmed != 0 || (owed > 0) != strings.Contains(trail(r), KindCompensationDue) {
				t.Errorf("fee %d refund %d compensation %d: %s", x.Fee, x.Refund, owed, trail(r))
			}
		})
	}
	// The MD closed it on D-7, ten seconds before midnight; it is handled on D-6.
	t.Run("S4", func(t *testing.T) {
		r, d := confirmed(t, terms.Overseas, 2, 1_000_000, date, early)
		d.Close(Closure{Reason: terms.UnderSubscribed, ClosedOn: terms.DateOf(date.AddDays(-6).Begin().Add(-10 * time.Second))})
		changed(t, true)(r.CloseDeparture(d, ids(), onDay(date, 6)))
		if c := r.Snapshot().Cancellation; c.Compensation != nil || c.Refund != 1_000_000 {
			t.Errorf("%+v", c)
		}
	})
}

func TestACompensationIsPaidOnce(t *testing.T) {
	r, d := confirmed(t, terms.Overseas, 2, 1_000_000, "2027-03-14", early)
	if _, err := r.PayCompensation("ref-1", "o", early); !ErrNotFound.Is(err) {
		t.Errorf("nothing is owed: %v", err)
	}
	d.Close(Closure{Reason: terms.SupplierFault, ClosedOn: "2027-03-14"})
	changed(t, true)(r.CloseDeparture(d, ids(), early))
	changed(t, true)(r.PayCompensation("ref-1", "o", early))
	changed(t, false)(r.PayCompensation("ref-1", "o", early))
	if _, err := r.PayCompensation("ref-2", "o", early); !ErrAlreadyDecided.Is(err) {
		t.Error(err)
	}
	if want := "CANCEL_REQUESTED 0; COMPENSATION_DUE 500000; COMPENSATION_PAID 500000"; trail(r) != want {
		t.Error(trail(r))
	}
}
