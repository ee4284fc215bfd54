package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/reservation/domain"
)

// WaiverCase is a waiver with what an operator needs to decide it.
type WaiverCase struct {
	ReservationID domain.ReservationID `json:"reservationId"`
	CustomerID    string               `json:"customerId"`
	MDID          string               `json:"mdId"`
	ProductID     domain.ProductID     `json:"productId"`
	ProductName   contract.Text        `json:"productName"`
	DepartureDate string               `json:"departureDate"` // YYYY-MM-DD in Asia/Seoul
	Travellers    int                  `json:"travellers"`
	Status        domain.Status        `json:"status"` // of the reservation
	Waiver        domain.Waiver        `json:"waiver"`
	OpenedAt      time.Time            `json:"openedAt"`    // when it was claimed; unasked, when it was decided
	Explanation   string               `json:"explanation"` // what the customer wrote when cancelling
	DaysBefore    *int                 `json:"daysBefore"`  // of the cancellation; null: there is none yet
	Fee           *money.KRW           `json:"fee"`         // won, taken as of now
	AtStake       money.KRW            `json:"atStake"`     // won, what goes back of it when the claim is granted
}

// ListWaivers lists the waivers of a state, those that have waited longest first.
func (s *Service) ListWaivers(ctx context.Context, status domain.WaiverStatus, after Page) ([]WaiverCase, error) {
	found, err := s.operations.WithWaiver(ctx, status, after)
	if err != nil {
		return nil, err
	}
	cases := make([]WaiverCase, len(found))
	for i, r := range found {
		cases[i] = waiverCase(r)
	}
	return cases, nil
}

func waiverCase(r *domain.Reservation) WaiverCase {
	s := r.Snapshot()
	w := WaiverCase{ReservationID: s.ID, CustomerID: s.Customer, MDID: s.MDID, ProductID: s.Product, ProductName: contract.Text(s.ProductName),
		DepartureDate: string(s.DepartureDate), Travellers: s.Travellers, Status: s.Status,
		Waiver: *s.Waiver, OpenedAt: r.WaiverOpened(), AtStake: r.AtStake()}
	if c := s.Cancellation; c != nil {
		w.DaysBefore, w.Fee = &c.DaysBefore, &c.Fee
		if c.Actor == s.Customer {
			w.Explanation = c.Reason
		}
	}
	return w
}
