package usecase_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

// extra is a member of the refusal that an error is.
func extra(err error, name string) any {
	refused, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil
	}
	return refused.Extra[name]
}

// members are the names in the JSON form of a value.
func members(t *testing.T, v any) map[string]any {
	t.Helper()
	raw, err := json.Marshal(v)
	var m map[string]any
	if err := errors.Join(err, json.Unmarshal(raw, &m)); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestF11_WithdrawingIsIdempotentByState(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.approve = always(usecase.Unknown)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := domain.ReservationID(a.Reservation.ReservationID)
	for _, value := range []string{"c1", "c2", "c1", "c3"} {
		if got, err := s.cancel("customer-1", value, id); err != nil || got.Status != 202 || got.Reservation.Status != "REJECTED" {
			t.Errorf("%s: %+v %v", value, got, err)
		}
	}
	if n := s.said(contract.ReservationRejected, true); n != 1 {
		t.Errorf("withdrawn %d times", n)
	}
	if _, err := s.cancelWith("customer-1", "c1", id, usecase.CancelRequest{Reason: "another body"}); fault.CodeOf(err) != fault.IdempotencyKeyReused {
		t.Errorf("another body: %v", err)
	}
}

// A customer reads why there is no reservation, whoever has written it.
func TestF9_EveryRejectionSaysWhy(t *testing.T) {
	declined := contract.PaymentResult{PaymentID: "p", Status: contract.PaymentIsDeclined, DeclineCode: "EXCEED_MAX_AMOUNT"}
	for name, c := range map[string]struct {
		settle func(*stage, domain.ReservationID)
		want   string
	}{
		"declined, written by the worker": {func(s *stage, id domain.ReservationID) {
			s.cashier.inquire = func(r contract.InquiryRequest) (contract.PaymentResult, error) { return declined, nil }
			s.resume(func() bool { return s.status(string(id)) == domain.Rejected })
		}, "EXCEED_MAX_AMOUNT"},
		"hold limit": {func(s *stage, id domain.ReservationID) {
			s.resume(func() bool { return s.status(string(id)) == domain.Rejected })
		}, "HOLD_LIMIT"},
		"a withdrawal": {func(s *stage, id domain.ReservationID) { _, _ = s.cancel("customer-1", "c1", id) }, "CUSTOMER_WITHDREW"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, 2, func(l *usecase.Limits) {
				if c.want == domain.CauseHoldLimit {
					quick(l)
				}
			})
			s.cashier.approve = always(usecase.Unknown)
			a, err := s.reserve("customer-1", "k1", 2)
			if err != nil {
				t.Fatal(err)
			}
			c.settle(s, domain.ReservationID(a.Reservation.ReservationID))
			_, err = s.reserve("customer-1", "k1", 2)
			if fault.CodeOf(err) != fault.PaymentDeclined || extra(err, "declineCode") != c.want {
				t.Errorf("%v %v", err, extra(err, "declineCode"))
			}
		})
	}
}

// The refusal says all that the quote says, so that a customer can agree to it.
func TestF11_FeeChangedShowsTheWholeQuote(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := domain.ReservationID(a.Reservation.ReservationID)
	wrong := money.KRW(1)
	_, err = s.cancelWith("customer-1", "c1", id, usecase.CancelRequest{ExpectedFee: &wrong})
	if fault.CodeOf(err) != fault.FeeChanged {
		t.Fatal(err)
	}
	q, err2 := s.service.Quote(t.Context(), "customer-1", id)
	if err2 != nil {
		t.Fatal(err2)
	}
	shown, quote := members(t, extra(err, "quote")), members(t, q)
	for name := range quote {
		if _, ok := shown[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
	if parts := shown["parts"].([]any); len(shown) != len(quote) || len(parts) != 1 || shown["refund"] != 1_520_000.0 || shown["policy"].(map[string]any)["type"] != "STANDARD" {
		t.Errorf("%v", shown)
	}
}

// A final answer under a key is what was told: what happens later does not change it.
func TestF11_AFinalAnswerIsNeverReplaced(t *testing.T) {
	s := newStage(t, 5)
	s.departsIn(25)
	a, err := s.reserve("customer-1", "k", 2)
	if err != nil {
		t.Fatal(err)
	}
	id := domain.ReservationID(a.Reservation.ReservationID)
	c, err := s.cancelWith("customer-1", "first", id, usecase.CancelRequest{Waiver: domain.OwnIllness})
	if err != nil || c.Status != 202 {
		t.Fatalf("%+v %v", c, err)
	}
	s.hear(contract.PaymentRefunded, refundEvent(string(id), c.Reservation.Cancellation.Parts[0].RefundID, "CANCELLATION", contract.RefundDone))
	ended := s.said(contract.ReservationCancelled, false)
	if _, err := s.cancel("customer-1", "after", id); err != nil {
		t.Fatal(err)
	}
	if _, err := s.service.DecideWaiver(t.Context(), "operator-1", id, usecase.WaiverDecision{Reason: domain.OwnIllness, Granted: true}); err != nil {
		t.Fatal(err)
	}
	if s.said(contract.ReservationCancelled, false) == ended {
		t.Fatal("nothing has changed afterwards")
	}
	for value, q := range map[string]usecase.CancelRequest{"first": {Waiver: domain.OwnIllness}, "after": {}} {
		got, err := s.cancelWith("customer-1", value, id, q)
		if err != nil || !got.Replayed || got.Status != 200 || got.Reservation.Cancellation.Fee != 152_000 || len(got.Reservation.Cancellation.Parts) != 1 {
			t.Errorf("%s: %+v %v", value, got.Reservation.Cancellation, err)
		}
	}
}

func TestF8_SpecialTermsAreShownWithTheirConsent(t *testing.T) {
	s := newStage(t, 2)
	s.product.Version, s.product.PolicyVersion = 2, "SPECIAL-1"
	s.product.CancellationPolicy = contract.CancellationPolicy{Type: "SPECIAL", Tiers: []contract.Tier{{FromDays: 30, Rate: 0}, {FromDays: 0, Rate: 5000}},
		Consent: &contract.Text{Ko: "동의합니다", En: "I agree"}}
	s.say(contract.ProductRevised)
	q := s.request(1)
	_, err := s.service.Reserve(t.Context(), key("c", "k1", q), "x", q)
	if refused, _ := errors.AsType[*fault.Error](err); fault.CodeOf(err) != fault.ConsentRequired || len(refused.Fields) != 1 || refused.Fields[0].Name != "acceptedPolicyVersion" {
		t.Errorf("without consent: %+v", err)
	}
	q.AcceptedPolicyVersion = "SPECIAL-0"
	_, err = s.service.Reserve(t.Context(), key("c", "k2", q), "x", q)
	policy := members(t, extra(err, "policy"))
	if fault.CodeOf(err) != fault.TermsChanged || policy["type"] != "SPECIAL" || policy["version"] != "SPECIAL-1" || len(policy["tiers"].([]any)) != 2 ||
		policy["consent"].(map[string]any)["en"] != "I agree" {
		t.Errorf("%v %v", err, policy)
	}
	q.AcceptedPolicyVersion = "SPECIAL-1"
	a, err := s.service.Reserve(t.Context(), key("c", "k3", q), "x", q)
	if err != nil {
		t.Fatal(err)
	}
	quote, err := s.service.Quote(t.Context(), "c", domain.ReservationID(a.Reservation.ReservationID))
	if err != nil || quote.Policy.Type != "SPECIAL" || quote.Policy.Consent == nil || quote.Policy.Consent.Ko != "동의합니다" {
		t.Errorf("%+v %v", quote.Policy, err)
	}
	q.PaymentPlan = domain.PlanSavingsFunded
	_, err = s.service.Reserve(t.Context(), key("c", "k4", q), "x", q)
	if refused, _ := errors.AsType[*fault.Error](err); fault.CodeOf(err) != fault.PlanNotOffered || len(refused.Fields) != 1 || refused.Fields[0].Name != "paymentPlan" {
		t.Errorf("plan: %+v", err)
	}
}

// The history shows what was charged for cancelling, also when it was nothing; the bus shows no client's key.
func TestF12_AFeeOfNothingIsShown(t *testing.T) {
	s := newStage(t, 2)
	a, err := s.reserve("customer-1", "k1", 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.cancel("customer-1", "secret-key", domain.ReservationID(a.Reservation.ReservationID)); err != nil {
		t.Fatal(err)
	}
	events := s.events()
	last, err := contract.Decode[contract.Reservation](events[len(events)-1])
	if err != nil || last.Meta.CausationID != "corr-secret-key" {
		t.Errorf("caused by %q, %v", last.Meta.CausationID, err)
	}
	for i, want := range []*money.KRW{nil, new(money.KRW(1_520_000)), new(money.KRW(0))} {
		got := last.History[i].Amount
		if (got == nil) != (want == nil) || got != nil && *got != *want {
			t.Errorf("%s shows %v", last.History[i].To, got)
		}
	}
	if time.Since(last.History[2].At) > time.Minute {
		t.Error(last.History[2].At)
	}
}
