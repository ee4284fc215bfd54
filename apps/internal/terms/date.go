package terms

import (
	"fmt"
	"time"
)

// Seoul is the zone of every travel date. It has had no daylight saving time since 1988, so a fixed offset
// is exact and needs no zone files on the machine.
var Seoul = time.FixedZone("Asia/Seoul", 9*60*60)

// Date is a calendar date in Asia/Seoul, kept as YYYY-MM-DD, so that dates compare as text.
type Date string

// ParseDate reads YYYY-MM-DD and refuses dates that no calendar has.
func ParseDate(s string) (Date, error) {
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%q is not a date", s)
	}
	return Date(s), nil
}

// DateOf is the date in Seoul at an instant.
func DateOf(t time.Time) Date { return Date(t.In(Seoul).Format(time.DateOnly)) }

// midnight at the beginning of the date, in UTC: for counting days only.
func (d Date) midnight() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// AddDays is the date n days later.
func (d Date) AddDays(n int) Date { return Date(d.midnight().AddDate(0, 0, n).Format(time.DateOnly)) }

// DaysUntil counts the days from d to later; negative when later is earlier.
func (d Date) DaysUntil(later Date) int { return int(later.midnight().Sub(d.midnight()).Hours() / 24) }

// Begin is the instant at which the date begins in Seoul, in UTC.
func (d Date) Begin() time.Time {
	t, _ := time.ParseInLocation(time.DateOnly, string(d), Seoul)
	return t.UTC()
}
