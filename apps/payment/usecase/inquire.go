package usecase

import (
	"context"
	"errors"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/payment/domain"
)

// None is said of a payment that was never asked for, or was forgotten.
const None domain.Status = "NONE"

// Inquire says what is known of a payment. fault.Invalid when the ids are none.
func (s *Service) Inquire(ctx context.Context, r domain.ReservationID, purpose domain.Purpose) (Answer, error) {
	var wrong fault.Fields
	wrong.Check(r.Valid(), "reservationId", fault.BadFormat, "")
	wrong.Check(purpose.Valid(), "purpose", fault.NotAllowed, "")
	if err := wrong.Err(); err != nil {
		return Answer{}, err
	}
	p, err := s.payments.Find(ctx, r, purpose)
	if errors.Is(err, domain.ErrNotFound) {
		return Answer{Status: None}, nil
	}
	if err != nil {
		return Answer{}, err
	}
	return known(p, p.Told()), nil
}
