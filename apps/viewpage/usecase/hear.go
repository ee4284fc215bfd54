package usecase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

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
	p, err := readProductEvent(e)
	if err != nil {
		return err
	}
	targets, err := s.targets(ctx, func(k keys) []string { return []string{k.product(p.ProductID)} })
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err := s.copyProduct(ctx, t.keys, t.docs[0], productFrom(p, e.Time)); err != nil {
			return err
		}
	}
	s.lags.add(e.Time, s.cfg.Now())
	return nil
}

func readProductEvent(e contract.Event) (contract.Product, error) {
	p, err := contract.Decode[contract.Product](e)
	if err == nil && (!isID(p.ProductID) || p.MDID == "" || p.Version < 1) {
		err = unreadable(e)
	}
	return p, err
}

// copyProduct writes the indexes first and the product last: a product that holds the version is complete.
func (s *Service) copyProduct(ctx context.Context, k keys, last Document, p product) error {
	have, err := decoded[product](last)
	if err != nil || have.Version >= p.Version {
		return err
	}
	if err := s.names.note(ctx, k, ofMD(p.MDID)); err != nil {
		return err
	}
	entry := domain.Entry{Position: position(p.CreatedAt, p.ProductID), Kind: p.Kind, Version: p.Version}
	for _, index := range []string{k.allProducts(), k.productsOf(p.MDID)} {
		if err := s.indexes.put(ctx, index, entry); err != nil {
			return err
		}
	}
	s.shelf.recent.forget()
	err = s.products.put(ctx, last.Key, p, last.ETag)
	if errors.Is(err, ErrConflict) {
		err = s.products.update(ctx, last.Key, func(doc *product) bool {
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
		return s.hearDeparture(ctx, e)
	}
	if !contract.IsReservation(e.Type) {
		return nil
	}
	r, err := contract.Decode[contract.Reservation](e)
	if err != nil {
		return err
	}
	if !isID(r.ReservationID) || r.CustomerID == "" || r.Version < 1 || !countable(r.Departure) {
		return unreadable(e)
	}
	targets, err := s.targets(ctx, func(k keys) []string {
		return []string{k.reservation(r.ReservationID), k.totals(r.Departure.ProductID), pageKey(k.reservationsOf(r.CustomerID), newest)}
	})
	if err != nil {
		return err
	}
	doc := reservation{ReservationState: r.ReservationState, At: instant(e.Time)}
	for _, t := range targets {
		last, totals, page := t.docs[0], seen{t.docs[1], t.at}, seen{t.docs[2], t.at}
		var first errgroup.Group
		first.Go(func() error { return s.copyTotals(ctx, totals.Key, &totals, r.Departure, e.Time) })
		first.Go(func() error { return s.listReservation(ctx, t.keys, last, &page, doc) })
		if err := first.Wait(); err != nil {
			return err
		}
		if err := s.copyReservation(ctx, last, doc); err != nil {
			return err
		}
	}
	if e.Type != contract.ReservationPending { // which its owner keeps back for a while
		s.lags.add(e.Time, s.cfg.Now())
	}
	return nil
}

func (s *Service) hearDeparture(ctx context.Context, e contract.Event) error {
	d, err := contract.Decode[contract.DepartureState](e)
	if err != nil {
		return err
	}
	if !countable(d.Departure) {
		return unreadable(e)
	}
	targets, err := s.targets(ctx, func(k keys) []string { return []string{k.totals(d.Departure.ProductID)} })
	if err != nil {
		return err
	}
	for _, t := range targets {
		if err := s.copyTotals(ctx, t.docs[0].Key, &seen{t.docs[0], t.at}, d.Departure, e.Time); err != nil {
			return err
		}
	}
	s.lags.add(e.Time, s.cfg.Now())
	return nil
}

func countable(t contract.Totals) bool {
	return isID(t.ProductID) && isID(t.DepartureID) && t.Version >= 1
}

// copyTotals takes over the counts of a departure when they are newer than those at hand. last is the document if it has
// just been read.
func (s *Service) copyTotals(ctx context.Context, key string, last *seen, t contract.Totals, at time.Time) error {
	counts := departureTotals{
		Version: t.Version, Capacity: t.Capacity, Held: t.Held, Confirmed: t.Confirmed, Closed: t.Closed,
		Reservations: t.Reservations, At: instant(at),
	}
	return s.totals.updateFrom(ctx, key, last, func(doc *productTotals) bool {
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

// listReservation enters a reservation in its customer's index, whose newest page is at hand. An entry never changes, so a
// reservation that is known in any version is in it.
func (s *Service) listReservation(ctx context.Context, k keys, last Document, page *seen, r reservation) error {
	if last.ETag != "" {
		return nil
	}
	if err := s.names.note(ctx, k, ofCustomer(r.CustomerID)); err != nil {
		return err
	}
	entry := domain.Entry{Position: position(r.CreatedAt, r.ReservationID)}
	return s.trips.putFrom(ctx, k.reservationsOf(r.CustomerID), page, entry)
}

// copyReservation writes the reservation itself, after its departure's totals and its entry: once it holds a version, all
// of it is written.
func (s *Service) copyReservation(ctx context.Context, last Document, r reservation) error {
	have, err := decoded[reservation](last)
	if err != nil || have.Version >= r.Version {
		return err
	}
	err = s.reservations.put(ctx, last.Key, r, last.ETag)
	if errors.Is(err, ErrConflict) {
		err = s.reservations.update(ctx, last.Key, func(doc *reservation) bool {
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
	return malformed(e, errors.New("an id or a version is missing"))
}

func malformed(e contract.Event, why error) error {
	return fault.New(fault.Malformed).Because(fmt.Errorf("%s %s: %w", e.Type, e.ID, why))
}
