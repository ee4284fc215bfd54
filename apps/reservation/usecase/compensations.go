package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

// Compensation is a debt of a supplier to a customer, as operators see it.
type Compensation struct {
	ReservationID domain.ReservationID `json:"reservationId"`
	CustomerID    string               `json:"customerId"`
	MDID          string               `json:"mdId"` // of the departure that did not take place, with its product
	ProductID     domain.ProductID     `json:"productId"`
	ProductName   contract.Text        `json:"productName"`
	Amount        money.KRW            `json:"amount"`
	Status        string               `json:"status"` // DUE, PAID
	Reference     string               `json:"reference,omitempty"`
	PaidBy        string               `json:"paidBy,omitempty"`
	DueAt         time.Time            `json:"dueAt"`
	PaidAt        *time.Time           `json:"paidAt,omitempty"`
}

// CompensationPage asks for at most Limit debts that fell due after the given one, the oldest first.
type CompensationPage struct {
	Limit int
	DueAt time.Time
	ID    domain.ReservationID // empty: from the oldest
}

// Compensations lists debts. They change only together with their reservation.
type Compensations interface {
	ListCompensations(ctx context.Context, status string, after CompensationPage) ([]Compensation, error)
	// CompensationsBetween are those that fell due or were paid in [from, to).
	CompensationsBetween(ctx context.Context, from, to time.Time) ([]Compensation, error)
	// CompensationsOf are those of the reservations.
	CompensationsOf(ctx context.Context, ids []domain.ReservationID) ([]Compensation, error)
}

// ListCompensations lists the debts of a state, the oldest first.
func (s *Service) ListCompensations(ctx context.Context, status string, after CompensationPage) ([]Compensation, error) {
	found, err := s.compensations.ListCompensations(ctx, status, after)
	if err != nil {
		return nil, err
	}
	ids := make([]domain.ReservationID, len(found))
	for i, c := range found {
		ids[i] = c.ReservationID
	}
	of, err := s.byID(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range found {
		if r, ok := of[found[i].ReservationID]; ok {
			found[i].about(r.Snapshot())
		}
	}
	return found, nil
}

// PayCompensation records an operator's bank transfer; the same reference again changes nothing.
// Refusals: NOT_FOUND, ALREADY_DECIDED.
func (s *Service) PayCompensation(ctx context.Context, actor string, id domain.ReservationID, reference string) (Compensation, error) {
	now := s.now()
	var owed Compensation
	err := s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		paid, err := r.PayCompensation(reference, actor, now)
		if err != nil {
			return nil, err
		}
		owed = compensation(r.Snapshot())
		if !paid {
			return nil, nil
		}
		return s.told(ctx, now, r, d, telemetry.Correlation(ctx))
	})
	if err == nil {
		s.committed()
	}
	return owed, err
}

// about says whose trip it was.
func (c *Compensation) about(s domain.Snapshot) {
	c.MDID, c.ProductID, c.ProductName = s.MDID, s.Product, contract.Text(s.ProductName)
}

func compensation(s domain.Snapshot) Compensation {
	c := s.Cancellation.Compensation
	out := Compensation{ReservationID: s.ID, CustomerID: s.Customer, Amount: c.Amount, Status: c.Status,
		Reference: c.Reference, PaidBy: c.PaidBy, DueAt: c.DueAt}
	if !c.PaidAt.IsZero() {
		out.PaidAt = &c.PaidAt
	}
	out.about(s)
	return out
}
