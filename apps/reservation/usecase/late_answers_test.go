package usecase_test

import (
	"context"
	"testing"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/reservation/domain"
	"oneqtour/apps/reservation/usecase"
)

func TestK3_ADeclineThatIsAnsweredAfterTheWithdrawalEndsTheVoidOrder(t *testing.T) {
	s := newStage(t, 2)
	s.cashier.during = func(context.Context) {
		var id string
		if err := s.db.QueryRow("SELECT id FROM reservations").Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, err := s.cancel("customer-1", "c1", domain.ReservationID(id)); err != nil {
			t.Fatal(err)
		}
	}
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		return usecase.Outcome{Kind: usecase.Declined, Result: contract.PaymentResult{PaymentID: "p", Status: contract.PaymentIsDeclined}}
	}
	_, _ = s.reserve("customer-1", "k1", 2)
	var void string
	var left int
	if err := s.db.QueryRow("SELECT JSON_VALUE(document,'$.voidOrder'), COALESCE(TIMESTAMPDIFF(SECOND, NOW(6), next_attempt_at),-1) FROM reservations").Scan(&void, &left); err != nil {
		t.Fatal(err)
	}
	if void != "OBEYED" {
		t.Errorf("void order %s, next look in %d s", void, left)
	}
}

func TestAKnownKeyIsAnsweredWhileTheGateIsShut(t *testing.T) {
	s := newStage(t, 20)
	if _, err := s.reserve("customer-1", "k", 1); err != nil {
		t.Fatal(err)
	}
	s.cashier.approve = func(r contract.ApproveRequest) usecase.Outcome {
		return usecase.Outcome{Kind: usecase.Unsent, Refused: true}
	}
	_, _ = s.reserve("customer-2", "k", 1)
	if a, err := s.reserve("customer-1", "k", 1); err != nil || !a.Replayed {
		t.Errorf("%+v %v", a, err)
	}
}
