package usecase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/viewpage/domain"
)

// HearProduct copies what product says of a tour product. Any order of events leads to the same documents.
// fault.Malformed: the event names nothing that could be copied.
func (s *Service) HearProduct(ctx context.Context, e contract.Event) error {
	if !contract.IsProduct(e.Type) {
		return nil
	}
	p, err := contract.Decode[contract.Product](e)
	if err != nil {
		return err
	}
	if !isID(p.ProductID) || p.MDID == "" || p.Version < 1 {
		return unreadable(e)
	}
	return s.copyProduct(ctx, productFrom(p, e.Time))
}

// copyProduct writes the indexes first and the product last: a product that holds the version is complete.
func (s *Service) copyProduct(ctx context.Context, p product) error {
	key := s.keys.product(p.ProductID)
	have, stored, err := s.products.read(ctx, key)
	if err != nil || have.Version >= p.Version {
		return err
	}
	entry := domain.Entry{Position: position(p.CreatedAt, p.ProductID), Kind: p.Kind, Version: p.Version}
	for _, index := range []string{s.keys.allProducts(), s.keys.productsOf(p.MDID)} {
		if err := s.indexes.put(ctx, index, entry); err != nil {
			return err
		}
	}
	err = s.products.put(ctx, key, p, stored.ETag)
	if errors.Is(err, ErrConflict) {
		err = s.products.update(ctx, key, func(doc *product) bool {
			newer := p.Version > doc.Version
			if newer {
				*doc = p
			}
			return newer
		})
	}
	return err
}

// HearReservation copies what reservation says of a reservation and of its departure.
// fault.Malformed: the event names nothing that could be copied.
func (s *Service) HearReservation(ctx context.Context, e contract.Event) error {
	if e.Type == contract.DepartureChanged {
		d, err := contract.Decode[contract.DepartureState](e)
		if err != nil {
			return err
		}
		return s.copyTotals(ctx, e, d.Departure)
	}
	if !contract.IsReservation(e.Type) {
		return nil
	}
	r, err := contract.Decode[contract.Reservation](e)
	if err != nil {
		return err
	}
	if !isID(r.ReservationID) || r.CustomerID == "" || r.Version < 1 {
		return unreadable(e)
	}
	if err := s.copyTotals(ctx, e, r.Departure); err != nil {
		return err
	}
	return s.copyReservation(ctx, reservation{ReservationState: r.ReservationState, At: instant(e.Time)})
}

// copyTotals takes over the counts of a departure when they are newer than those at hand.
func (s *Service) copyTotals(ctx context.Context, e contract.Event, t contract.Totals) error {
	if !isID(t.ProductID) || !isID(t.DepartureID) || t.Version < 1 {
		return unreadable(e)
	}
	counts := departureTotals{
		Version: t.Version, Capacity: t.Capacity, Held: t.Held, Confirmed: t.Confirmed, Closed: t.Closed,
		Reservations: t.Reservations, At: instant(e.Time),
	}
	return s.totals.update(ctx, s.keys.totals(t.ProductID), func(doc *productTotals) bool {
		if doc.Departures[t.DepartureID].Version >= t.Version {
			return false
		}
		if doc.Departures == nil {
			doc.Departures = map[string]departureTotals{}
		}
		doc.Departures[t.DepartureID] = counts
		return true
	})
}

// copyReservation writes the customer's index first and the reservation last. An entry of the index never
// changes, so a reservation that is known in any version is in it.
func (s *Service) copyReservation(ctx context.Context, r reservation) error {
	key := s.keys.reservation(r.ReservationID)
	have, stored, err := s.reservations.read(ctx, key)
	if err != nil || have.Version >= r.Version {
		return err
	}
	if stored.ETag == "" {
		entry := domain.Entry{Position: position(r.CreatedAt, r.ReservationID)}
		if err := s.indexes.put(ctx, s.keys.reservationsOf(r.CustomerID), entry); err != nil {
			return err
		}
	}
	err = s.reservations.put(ctx, key, r, stored.ETag)
	if errors.Is(err, ErrConflict) {
		err = s.reservations.update(ctx, key, func(doc *reservation) bool {
			newer := r.Version > doc.Version
			if newer {
				*doc = r
			}
			return newer
		})
	}
	return err
}

// instant is a time as documents keep it.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

func position(created time.Time, id string) domain.Position {
	return domain.Position{At: created.UnixMicro(), ID: id}
}

// isID: keys are made of ids, so an id must be one.
func isID(s string) bool { return len(s) == 36 && uuid.Validate(s) == nil }

func unreadable(e contract.Event) error {
	return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: an id or a version is missing", e.Type, e.ID))
}
