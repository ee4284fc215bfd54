package oracle

import "time"

// The tables of fees and compensations, in hundredths of a percent of the tour price, as the domain's description
// has them: by the days from the date in Seoul of the request (fee) or of the closure (compensation) to the departure.

var seoul = time.FixedZone("Asia/Seoul", 9*60*60)

type tier struct{ from, rate int64 }

var (
	feeOverseas = []tier{{30, 0}, {20, 1000}, {10, 1500}, {8, 2000}, {1, 3000}, {0, 5000}}
	feeNights   = []tier{{5, 0}, {2, 1000}, {1, 2000}, {0, 3000}}
	feeDayTrip  = []tier{{3, 0}, {2, 1000}, {1, 2000}, {0, 3000}}

	underSubscribedOverseas = []tier{{7, 0}, {1, 3000}, {0, 5000}}
	underSubscribedNights   = []tier{{3, 0}, {0, 1000}}
	underSubscribedDayTrip  = []tier{{2, 0}, {0, 1000}}
)

func rate(table []tier, days int64) int64 {
	for _, t := range table {
		if days >= t.from {
			return t.rate
		}
	}
	return table[len(table)-1].rate
}

func byTrip(kind string, nights int, overseas, withNights, dayTrip []tier) []tier {
	switch {
	case kind == "OVERSEAS":
		return overseas
	case nights > 0:
		return withNights
	}
	return dayTrip
}

// Fee that a cancellation takes, at most what was paid.
func Fee(kind string, nights int, days, tourPrice, paid int64) int64 {
	table := byTrip(kind, nights, feeOverseas, feeNights, feeDayTrip)
	return min(tourPrice*rate(table, days)/10_000, paid)
}

// afterWaiver is what a granted waiver leaves of a fee: half of it, cut to the won, for an advisory; else nothing.
func afterWaiver(fee int64, w *Waiver) int64 {
	switch {
	case w == nil || w.Status != "GRANTED":
		return fee
	case w.Reason == "EPIDEMIC_ADVISORY":
		return fee / 2
	}
	return 0
}

// Compensation that a supplier's closure owes beside the full refund.
func Compensation(kind string, nights int, reason string, days, tourPrice int64) int64 {
	var table []tier
	switch reason {
	case "UNDER_SUBSCRIBED":
		table = byTrip(kind, nights, underSubscribedOverseas, underSubscribedNights, underSubscribedDayTrip)
	case "SUPPLIER_FAULT": // the same figures as the customer's fee
		table = byTrip(kind, nights, feeOverseas, feeNights, feeDayTrip)
	default:
		return 0
	}
	return tourPrice * rate(table, days) / 10_000
}

// daysBefore the departure on the date in Seoul of an instant.
func daysBefore(departure string, at time.Time) int64 {
	day, err := time.Parse(time.DateOnly, departure)
	if err != nil {
		return -1 << 30
	}
	asked, _ := time.Parse(time.DateOnly, at.In(seoul).Format(time.DateOnly))
	return int64(day.Sub(asked) / (24 * time.Hour))
}

func daysBetween(from, to string) int64 {
	day, err := time.ParseInLocation(time.DateOnly, from, seoul)
	if err != nil {
		return -1 << 30
	}
	return daysBefore(to, day)
}
