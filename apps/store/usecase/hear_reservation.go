package usecase

import (
	"context"
	"fmt"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/store/domain"
)

// HearReservation copies the totals of a departure, which every event of reservation carries as of its own
// transaction, when they are newer. Repeats, disorder and totals of a product that is not known yet are
// normal. fault.Malformed when the event cannot be understood.
func (s *Service) HearReservation(ctx context.Context, e contract.Event) error {
	if !contract.IsReservation(e.Type) && e.Type != contract.DepartureChanged {
		return nil
	}
	said, err := contract.Decode[struct {
		Departure contract.Totals `json:"departure"`
	}](e)
	if err != nil {
		return err
	}
	t := said.Departure
	if len(t.DepartureID) != 36 || len(t.ProductID) != 36 || t.Version < 1 {
		return malformed(e, fmt.Errorf("departureId, productId or version of the totals is missing or out of range"))
	}
	return s.items.CopySeats(ctx, domain.ProductID(t.ProductID), domain.DepartureID(t.DepartureID), domain.Seats{
		Version: t.Version, Capacity: t.Capacity, Held: t.Held, Confirmed: t.Confirmed, Closed: t.Closed,
		Reserved: t.Reservations[contract.StatusConfirmed] + t.Reservations[contract.StatusCompleted],
		AsOf:     e.Time.UTC().Truncate(time.Microsecond),
	})
}
