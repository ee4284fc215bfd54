package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/payment/domain"
)

// told is the timeline of a reservation, a line a step.
func (s *service) told(reservation string) (lines []string, all []contract.PaymentStep) {
	s.t.Helper()
	status, raw := s.call(contract.PaymentTimelinePath, contract.PaymentTimelineRequest{ReservationID: reservation}, "reservation")
	var timeline contract.PaymentTimeline
	if err := json.Unmarshal(raw, &timeline); status != http.StatusOK || err != nil {
		s.t.Fatalf("timeline: %d %s", status, raw)
	}
	for _, i := range timeline.Items {
		lines = append(lines, strings.TrimSpace(fmt.Sprint(i.Purpose, " ", i.Kind, " ", i.Status, " ", i.Amount, " ", i.Cause, " ", i.Detail)))
	}
	return lines, timeline.Items
}

func (s *service) toldIs(reservation string, want ...string) {
	s.t.Helper()
	if got, _ := s.told(reservation); strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("the timeline is\n%s\nbut should be\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestATimelineTellsWhatHasHappenedInOrder(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()

	good := newID()
	s.approve(charge(good, 10_000, "tok_ok"))
	s.cancel(good, newID(), 7_000)
	s.refundIs(good, domain.RefundDone)
	s.toldIs(good, "PRICE PAYMENT REQUESTED 10000", "PRICE PAYMENT APPROVED 10000", "PRICE REFUND REQUESTED 7000 CANCELLATION",
		"PRICE REFUND DONE 7000 CANCELLATION")
	_, steps := s.told(good)
	for i, step := range steps[1:] {
		if step.At.Before(steps[i].At) || step.At.IsZero() {
			t.Errorf("%s after %s", step.At, steps[i].At)
		}
	}

	declined := newID()
	s.approve(charge(declined, 10_000, "tok_insufficient"))
	s.toldIs(declined, "PRICE PAYMENT REQUESTED 10000", "PRICE PAYMENT DECLINED 0  REJECT_CARD_PAYMENT")

	wrong := newID()
	s.approve(charge(wrong, 10_000, "tok_wrong_amount"))
	s.becomes(wrong, "VOIDED")
	s.toldIs(wrong, "PRICE PAYMENT REQUESTED 10000",
		"PRICE ALARM REQUESTED 0  the provider charged another amount; it is returned in full",
		"PRICE PAYMENT VOIDING 0  AMOUNT_MISMATCH", "PRICE REFUND REQUESTED 9999 VOID", "PRICE REFUND DONE 9999 VOID",
		"PRICE PAYMENT VOIDED 9999  AMOUNT_MISMATCH")

	stuck := newID()
	s.approve(charge(stuck, 10_000, "tok_refund_refused"))
	s.cancel(stuck, newID(), 7_000)
	r := s.refundIs(stuck, domain.RefundStuck)
	s.toldIs(stuck, "PRICE PAYMENT REQUESTED 10000", "PRICE PAYMENT APPROVED 10000", "PRICE REFUND REQUESTED 7000 CANCELLATION",
		"PRICE REFUND STUCK 7000 CANCELLATION NOT_CANCELABLE_PAYMENT",
		"PRICE ALARM APPROVED 0  refund "+string(r.ID)+" was refused for good: NOT_CANCELABLE_PAYMENT")

	forbidden := newID()
	s.voidOrder(forbidden)
	s.toldIs(forbidden, "PRICE PAYMENT VOIDED 0")
	s.toldIs(newID())
	if status, _ := s.call(contract.PaymentTimelinePath, contract.PaymentTimelineRequest{ReservationID: "1"}, "reservation"); status != 422 {
		t.Errorf("no id: %d", status)
	}
}

func TestAnAttemptThatNeverLeftStandsInTheTimelineAlthoughItIsForgotten(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_ok"))
	s.toldIs(reservation, "PRICE PAYMENT NOT_SENT 0")
}

func TestAnUnknownPaymentThatNobodyEndsIsToldToTheOperatorOnceAndStillAskedFor(t *testing.T) {
	s := serve(t, simulate(t, freeAddr(t)).url)
	reservation := newID()
	s.approve(charge(reservation, 10_000, "tok_unknown"))
	s.resumes()
	asked := func() int { return s.stored(reservation).Attempts }
	again := func(ahead time.Duration) {
		t.Helper()
		before := asked()
		s.ahead.Store(int64(ahead))
		eventually(t, "asked again", func() bool { return asked() > before })
	}
	alarms := func() int {
		return strings.Count(s.log.String(), "OPERATOR: an unknown payment is older than 24 hours")
	}
	again(23 * time.Hour)
	if n := alarms(); n != 0 {
		t.Errorf("%d alarms before 24 hours", n)
	}
	again(25 * time.Hour)
	again(50 * time.Hour)
	again(100 * time.Hour)
	if n := alarms(); n != 1 {
		t.Errorf("%d alarms", n)
	}
	if lines, _ := s.told(reservation); len(lines) != 3 || !strings.HasPrefix(lines[2], "PRICE ALARM UNKNOWN") {
		t.Errorf("%q", lines)
	}
	s.becomes(reservation, "UNKNOWN")
}
