package terms

import "oneqtour/apps/internal/money"

// Payment plans.
const (
	PlanFull          = "FULL"           // the payable price is charged with the reservation
	PlanSavingsFunded = "SAVINGS_FUNDED" // a deposit now, the rest gathered in a savings account
)

// The figures of SAVINGS_FUNDED.
const (
	depositRate    money.BasisPoints = 1000 // of the payable price
	instalmentUnit money.KRW         = 1000 // instalments are rounded up to it
	dueDays                          = 30   // days before the departure on which the balance is due
	MinCharge      money.KRW         = 100  // no less can be charged
)

// SavingsPlan is how a reservation with SAVINGS_FUNDED is paid.
type SavingsPlan struct {
	Deposit   money.KRW // charged with the reservation
	Balance   money.KRW // the trip balance, to be gathered until DueOn
	DueOn     Date      // 30 days before the departure
	Rounds    int       // number of monthly instalments, at least 1
	Monthly   money.KRW // one instalment, rounded up to 1,000 won
	MaturesOn Date      // opening date + Rounds months
}

// PlanSavings works out the plan for a payable price, the term of the product's savings offer in months, the
// date of the reservation (on which the account opens) and the departure. ok is false when not even one whole
// month is left until the balance is due, or when the deposit is too small to be charged: not offered.
func PlanSavings(payable money.KRW, termMonths int, reserved, departure Date) (plan SavingsPlan, ok bool) {
	plan.Deposit = payable.Part(depositRate)
	plan.Balance = payable - plan.Deposit
	plan.DueOn = departure.AddDays(-dueDays)
	for plan.Rounds < termMonths && reserved.AddMonths(plan.Rounds+1) <= plan.DueOn {
		plan.Rounds++
	}
	if plan.Rounds == 0 || plan.Deposit < MinCharge {
		return SavingsPlan{}, false
	}
	n := money.KRW(plan.Rounds)
	monthly := (plan.Balance + n - 1) / n
	plan.Monthly = (monthly + instalmentUnit - 1) / instalmentUnit * instalmentUnit
	plan.MaturesOn = reserved.AddMonths(plan.Rounds)
	return plan, true
}

// AddMonths is the same day n months later, or the last day of that month when it has no such day: one month
// after 31 January is 28 or 29 February.
func (d Date) AddMonths(n int) Date {
	t := d.midnight()
	first := t.AddDate(0, n, 1-t.Day())
	last := first.AddDate(0, 1, -1).Day()
	return Date(first.AddDate(0, 0, min(t.Day(), last)-1).Format("2006-01-02"))
}
