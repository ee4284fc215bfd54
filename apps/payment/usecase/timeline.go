package usecase

import (
	"context"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/payment/domain"
)

// TimelineStep is a step with the purpose of its payment.
type TimelineStep struct {
	Purpose domain.Purpose
	domain.Step
}

// Timeline tells, oldest first, what has happened to the payments of a reservation. fault.Invalid when the id is
// none.
func (s *Service) Timeline(ctx context.Context, r domain.ReservationID) ([]TimelineStep, error) {
	var wrong fault.Fields
	wrong.Check(r.Valid(), "reservationId", fault.BadFormat, "")
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return s.books.Timeline(ctx, r)
}
