package e2e

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/stack"
)

func basic(secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(secret+":"))
}

type reconciliation struct {
	Checked     struct{ Reservations, Payments, Refunds, Charges, InFlight int }
	Differences []struct {
		Kind, LeftRef, RightRef string
		AmountDiff              int64
	}
}

func reconciled(t testing.TB, day string) (r reconciliation) {
	t.Helper()
	began := time.Now()
	r = stack.Read[reconciliation](t, sys.As(t, "operator-1").Do("GET", "/api/ops/reconciliation?date="+day, nil).Is(t, 200))
	t.Logf("%s: %+v, %d differences in %s", day, r.Checked, len(r.Differences), time.Since(began).Round(time.Millisecond))
	return r
}

// A day of 5,000 orders is compared through all sidecars. A fifth of the reservations was cancelled, and about those the
// provider is asked one by one. What differs is named, and nothing else.
func TestADayOfFiveThousandOrdersIsReconciled(t *testing.T) {
	p := register(t, osaka(20))
	displayed(t, p.ProductID, func(item) bool { return true })
	kept := stack.Read[reservation](t, reserve(t, ofTheBooks, wish(p, 1, "tok_ok")).Is(t, 201)).ReservationID
	gone := stack.Read[reservation](t, reserve(t, ofTheBooks, wish(p, 1, "tok_ok")).Is(t, 201)).ReservationID
	cancel(t, ofTheBooks, gone, object{}).Is(t, 202)
	becomes(t, ofTheBooks, gone, 20*time.Second, "CANCELLED")
	declined := stack.Read[struct{ ReservationID string }](t, reserve(t, ofTheBooks, wish(p, 1, "tok_declined")).Is(t, 402)).ReservationID
	chargedAfterAll(t, declined, 760_000)

	confirmed, cancelled := booksOf(t, kept).longAgo(), booksOf(t, gone).longAgo()
	late := booksOf(t, declined).longAgo().copies(1)[0]
	forget(t, declined) // today's books are to agree
	unpaid, stray, unknown := cancelled.copies(1)[0], confirmed.copies(1)[0], confirmed.copies(1)[0]
	unpaid.lines = slices.DeleteFunc(unpaid.lines, func(line string) bool { return strings.Contains(line, "REFUND") })
	stray.rows = slices.DeleteFunc(stray.rows, func(r bookRow) bool { return r.service == "reservation" })
	unknown.lines = nil
	store(t, slices.Concat([]books{late, unpaid, stray, unknown}, confirmed.copies(3998), cancelled.copies(998)))

	r := reconciled(t, booksDay)
	var got []string
	for _, d := range r.Differences {
		got = append(got, fmt.Sprintf("%s %s %d", d.Kind, d.RightRef, d.AmountDiff))
	}
	want := []string{"CHARGED_AFTER_ALL " + late.order() + " 0", "REFUND_MISSING " + unpaid.order() + " 760000",
		"CHARGE_WITHOUT_RESERVATION " + stray.order() + " -760000", "PAYMENT_UNKNOWN_TO_PROVIDER " + unknown.order() + " 760000"}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if c := r.Checked; c.Reservations != 4999 || c.Payments != 5000 || c.Charges != 4999 || c.Refunds != 1000 || c.InFlight != 0 {
		t.Errorf("%+v", c)
	}
}
