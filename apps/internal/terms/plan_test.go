package terms

import "testing"

func TestP1_PriceInFull(t *testing.T) {
	got := PriceOf(800_000, 500, 2)
	if want := (Price{List: 1_600_000, Discount: 80_000, Payable: 1_520_000}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestP3_SavingsPlanOfTwoRounds(t *testing.T) {
	got, ok := PlanSavings(1_520_000, 12, "2026-11-22", "2027-03-14")
	want := SavingsPlan{Deposit: 152_000, Balance: 1_368_000, DueOn: "2027-02-12", Rounds: 2, Monthly: 684_000, MaturesOn: "2027-01-22"}
	if !ok || got != want {
		t.Errorf("got %+v, %v, want %+v", got, ok, want)
	}
}

func TestP4_WholeMonthsUntilTheBalanceIsDue(t *testing.T) {
	cases := map[string]struct {
		reserved Date
		rounds   int
	}{
		"31 January is one month before 28 February": {"2027-01-31", 1},
		"1 February is not":                          {"2027-02-01", 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := PlanSavings(1_520_000, 12, c.reserved, "2027-03-30")
			if got.Rounds != c.rounds || ok != (c.rounds > 0) {
				t.Errorf("rounds %d, offered %v, want %d", got.Rounds, ok, c.rounds)
			}
			if ok && got.DueOn != "2027-02-28" {
				t.Errorf("due on %s", got.DueOn)
			}
		})
	}
}

func TestSavingsPlanBounds(t *testing.T) {
	if got, ok := PlanSavings(900_300, 3, "2026-01-01", "2027-03-14"); !ok || got.Rounds != 3 || got.Monthly != 271_000 {
		t.Errorf("the offer's term bounds the rounds and an instalment is rounded up to 1,000 won: %+v, %v", got, ok)
	}
	if _, ok := PlanSavings(999, 12, "2026-01-01", "2027-03-14"); ok {
		t.Error("a deposit of 99 won cannot be charged")
	}
	if _, ok := PlanSavings(1_000, 12, "2026-01-01", "2027-03-14"); !ok {
		t.Error("a deposit of 100 won can")
	}
}

func TestV11_MonthEndsAreClamped(t *testing.T) {
	want := []Date{"2027-08-31", "2027-09-30", "2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31", "2028-02-29", "2028-03-31"}
	for n, date := range want {
		if got := Date("2027-08-31").AddMonths(n); got != date {
			t.Errorf("%d months after 2027-08-31: %s, want %s", n, got, date)
		}
	}
}
