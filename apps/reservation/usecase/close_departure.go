package usecase

import (
	"context"
	"time"

	"github.com/rs/zerolog"

	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/reservation/domain"
)

// Closings is which departures were closed by their supplier and still have open reservations. A departure is on
// it from the transaction that closes it for new reservations, so nothing can slip in behind.
type Closings interface {
	// ClaimClosing leases one to this replica; empty: there is none.
	ClaimClosing(ctx context.Context, lease time.Duration) (domain.DepartureID, error)
	// HoldClosing prolongs the lease; 0 gives it back.
	HoldClosing(ctx context.Context, id domain.DepartureID, lease time.Duration) error
	// OpenReservations are some that are PENDING or CONFIRMED.
	OpenReservations(ctx context.Context, id domain.DepartureID, limit int) ([]domain.ReservationID, error)
	ClosingDone(ctx context.Context, id domain.DepartureID) error
}

// closeAtOnce is how many reservations of a closing departure are ended between two looks.
const closeAtOnce = 20

// closeDepartures ends the reservations of closed departures until it is told to stop. What is left is in the
// database, so it needs no cursor: after a crash it goes on with the next one that is open.
func (s *Service) closeDepartures(stop context.Context) {
	ctx := context.WithoutCancel(stop)
	for stop.Err() == nil {
		id, err := s.closings.ClaimClosing(ctx, lease)
		if err != nil {
			zerolog.Ctx(ctx).Warn().Err(err).Msg("closings: will try again")
		}
		if id != "" && s.closeDeparture(stop, id) {
			continue
		}
		select {
		case <-stop.Done():
		case <-time.After(look):
		}
	}
}

// closeDeparture works on one departure and says whether it is finished.
func (s *Service) closeDeparture(stop context.Context, id domain.DepartureID) bool {
	ctx := context.WithoutCancel(stop)
	log := zerolog.Ctx(ctx).With().Str("departureId", string(id)).Logger()
	for {
		open, err := s.closings.OpenReservations(ctx, id, closeAtOnce)
		if err == nil && len(open) == 0 {
			err = s.closings.ClosingDone(ctx, id)
			if err == nil {
				log.Info().Msg("every reservation of a closed departure is ended")
				return true
			}
		}
		if err != nil {
			log.Warn().Err(err).Msg("closing: will try again")
			return false
		}
		ended := 0
		for _, one := range open {
			if stop.Err() != nil {
				_ = s.closings.HoldClosing(ctx, id, 0) // if it fails, the lease ends
				return false
			}
			if err := s.closeOne(ctx, one); err != nil {
				log.Warn().Err(err).Str("reservationId", string(one)).Msg("closing: will try again")
				continue
			}
			ended++
		}
		if ended == 0 {
			return false // the lease is the pause
		}
		if err := s.closings.HoldClosing(ctx, id, lease); err != nil {
			log.Warn().Err(err).Msg("closing: will try again")
			return false
		}
	}
}

func (s *Service) closeOne(ctx context.Context, id domain.ReservationID) error {
	ctx, cancel := context.WithTimeout(ctx, step)
	defer cancel()
	now := s.now()
	defer s.committed()
	return s.reservations.Update(ctx, id, func(r *domain.Reservation, d *domain.Departure) (*Change, error) {
		ended, err := r.CloseDeparture(d, s.newID, now)
		if err != nil || !ended {
			return nil, err
		}
		return s.told(telemetry.WithCorrelation(ctx, r.Snapshot().CorrelationID), now, r, d, string(d.Snapshot().ID))
	})
}
