package main

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/mysql"
)

// waivers reads the list of a state to its end, a page of the size after the other; between is done after each page.
func (s *service) waivers(status string, size int, between func(shown string)) (shown []string) {
	s.t.Helper()
	for cursor := ""; ; {
		var page struct {
			Items []struct {
				ReservationID, CustomerID, MDID, ProductID, DepartureDate, Status, Explanation string
				ProductName                                                                    contract.Text
				Waiver                                                                         struct{ Reason, Status string }
				OpenedAt                                                                       time.Time
				Fee                                                                            *int
				AtStake                                                                        int
			}
			NextCursor *string
		}
		s.get(fmt.Sprintf("/ops/waivers?status=%s&limit=%d%s", status, size, cursor), s.operator).JSON(&page)
		for _, w := range page.Items {
			fee := "-"
			if w.Fee != nil {
				fee = fmt.Sprint(*w.Fee)
			}
			shown = append(shown, fmt.Sprintf("%s %s %s %q %s %d", w.ReservationID, w.Status, w.Waiver.Reason, w.Explanation, fee, w.AtStake))
			if w.CustomerID != "customer-1" || w.MDID != "md-1" || w.ProductID != s.product.ProductID || w.ProductName != s.product.Name ||
				w.DepartureDate != inFifteenDays() || w.Waiver.Status != status || time.Since(w.OpenedAt) > time.Minute {
				s.t.Errorf("%+v", w)
			}
			between(w.ReservationID)
		}
		if page.NextCursor == nil {
			return shown
		}
		cursor = "&cursor=" + *page.NextCursor
	}
}

func inFifteenDays() string { return string(terms.DateOf(time.Now()).AddDays(15)) }

func TestF11_OperatorsSeeWhichWaiversWaitForThem(t *testing.T) {
	s := start(t)
	var ids []string
	for range 6 {
		ids = append(ids, s.reserve(s.customer))
	}
	if _, err := s.db.Exec(`UPDATE reservations SET document = JSON_SET(document, '$.departureDate', ?)`, inFifteenDays()); err != nil {
		t.Fatal(err)
	}
	decide := func(id, reason string, granted bool) {
		t.Helper()
		if res := s.post("/ops/reservations/"+id+"/waiver", s.operator, "", object{"reason": reason, "granted": granted}); res.Status != 200 {
			t.Fatalf("%d %s", res.Status, res.Body)
		}
	}
	decide(ids[5], "SAFETY_AGREED", true) // before anything was claimed
	claim := func(id string, body object) {
		t.Helper()
		if res := s.post("/reservations/"+id+"/cancellation", s.customer, id, body); res.Status != 202 {
			t.Fatalf("%d %s", res.Status, res.Body)
		}
	}
	claim(ids[2], object{"waiver": "OWN_ILLNESS", "reason": "어제 입원했습니다"})
	claim(ids[0], object{"waiver": "EPIDEMIC_ADVISORY"})
	claim(ids[1], object{"reason": "no claim"})
	claim(ids[3], object{"waiver": "RELATIVE_DIED", "reason": "상을 당했습니다"})
	claim(ids[4], object{"waiver": "FORCE_MAJEURE"})
	nothing := func(string) {}
	want := []string{
		ids[2] + ` CANCEL_REQUESTED OWN_ILLNESS "어제 입원했습니다" 228000 228000`,
		ids[0] + ` CANCEL_REQUESTED EPIDEMIC_ADVISORY "" 228000 114000`,
		ids[3] + ` CANCEL_REQUESTED RELATIVE_DIED "상을 당했습니다" 228000 228000`,
		ids[4] + ` CANCEL_REQUESTED FORCE_MAJEURE "" 228000 228000`,
	}
	for _, size := range []int{1, 3, 4, 100} {
		if got := s.waivers("CLAIMED", size, nothing); !slices.Equal(got, want) {
			t.Errorf("by %d: %v, want %v", size, got, want)
		}
	}
	page := s.get("/ops/waivers", s.operator)
	s.wantShape("waivers", page.Body, `items[].reservationId items[].customerId items[].mdId items[].productId items[].productName.ko items[].productName.en
		items[].departureDate items[].travellers items[].status items[].waiver.reason items[].waiver.status items[].openedAt items[].explanation
		items[].daysBefore items[].fee items[].atStake nextCursor`)

	// They are decided while the list is read.
	got := s.waivers("CLAIMED", 1, func(id string) {
		if id == ids[3] { // refused is what was claimed
			decide(id, "RELATIVE_DIED", false)
			return
		}
		decide(id, "OWN_ILLNESS", true)
	})
	if !slices.Equal(got, want) || len(s.waivers("CLAIMED", 20, nothing)) != 0 {
		t.Errorf("read while they are decided: %v", got)
	}
	granted := []string{
		ids[5] + ` CONFIRMED SAFETY_AGREED "" - 0`,
		ids[2] + ` CANCEL_REQUESTED OWN_ILLNESS "어제 입원했습니다" 0 0`, ids[0] + ` CANCEL_REQUESTED OWN_ILLNESS "" 0 0`, ids[4] + ` CANCEL_REQUESTED OWN_ILLNESS "" 0 0`,
	}
	refused := []string{ids[3] + ` CANCEL_REQUESTED RELATIVE_DIED "상을 당했습니다" 228000 0`}
	decided := func() {
		t.Helper()
		if got := s.waivers("GRANTED", 2, nothing); !slices.Equal(got, granted) {
			t.Errorf("granted: %v, want %v", got, granted)
		}
		if got := s.waivers("REFUSED", 2, nothing); !slices.Equal(got, refused) {
			t.Errorf("refused: %v, want %v", got, refused)
		}
	}
	decided()

	// Those from before the table are found as well.
	before, err := fs.ReadFile(mysql.Migrations().Files, "00013_waivers_before.sql")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"DELETE FROM waivers", strings.TrimPrefix(string(before), "-- +goose Up\n"), strings.TrimPrefix(string(before), "-- +goose Up\n")} {
		if _, err := s.db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	decided()

	for query, want := range map[string]int{"?status=MAYBE": 422, "?cursor=x": 422, "?status=CLAIMED&status=GRANTED": 400} {
		if res := s.get("/ops/waivers"+query, s.operator); res.Status != want {
			t.Errorf("%s: %d", query, res.Status)
		}
	}
	for bearer, want := range map[string]int{"": 401, s.customer: 403, s.md: 403} {
		if res := s.get("/ops/waivers", bearer); res.Status != want {
			t.Errorf("%d, want %d", res.Status, want)
		}
	}
}
