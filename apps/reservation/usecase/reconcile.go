package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/reservation/domain"
)

// Ledger reads reservations for the comparison of books.
type Ledger interface {
	// ChangedBetween are those made or changed in [from, to), by id.
	ChangedBetween(ctx context.Context, from, to time.Time, after domain.ReservationID, limit int) ([]*domain.Reservation, error)
	// FindAll are those that exist of the ids.
	FindAll(ctx context.Context, ids []domain.ReservationID) ([]*domain.Reservation, error)
}

// Reconciliation is the result of comparing the books of one day.
type Reconciliation struct {
	Date        terms.Date   `json:"date"`
	Checked     Checked      `json:"checked"`
	Differences []Difference `json:"differences"`
}

const (
	reconcilePage   = 500
	reconcileTime   = 55 * time.Second // for all; the gateway waits 60
	reconcileMargin = time.Minute      // more than the hold limit, for events under way
)

// Reconcile compares what reservation, payment and the provider say of a day in Seoul: every order of the day,
// every reservation that was made or changed on it, and every compensation that fell due or was paid on it.
// UNAVAILABLE when payment does not answer: half a comparison is none.
func (s *Service) Reconcile(ctx context.Context, date terms.Date) (Reconciliation, error) {
	// Longer than a request may take: it asks the provider for every order.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconcileTime)
	defer cancel()
	c := &comparison{settled: s.now().Add(-s.limits.Hold - reconcileMargin), found: []Difference{}}
	seen := map[domain.ReservationID]bool{}
	orders := map[string]bool{} // payments that were compared
	for ask := (contract.ReconcileRequest{Date: string(date), Limit: reconcilePage}); ; {
		page, err := s.desk.Reconcile(ctx, ask)
		if err != nil {
			return Reconciliation{}, err
		}
		if err := s.compareOrders(ctx, c, page.Items, seen, orders); err != nil {
			return Reconciliation{}, err
		}
		if page.Next == "" {
			break
		}
		if page.Next == ask.After {
			return Reconciliation{}, fault.New(fault.Unavailable)
		}
		ask.After = page.Next
	}
	from, to := date.Begin(), date.AddDays(1).Begin()
	if err := s.compareReservations(ctx, c, from, to, seen, orders); err != nil {
		return Reconciliation{}, err
	}
	if err := s.compareCompensations(ctx, c, from, to); err != nil {
		return Reconciliation{}, err
	}
	c.checked.Reservations = len(seen)
	return Reconciliation{Date: date, Checked: c.checked, Differences: c.found}, nil
}

func (s *Service) compareOrders(ctx context.Context, c *comparison, items []contract.ReconciledItem, seen map[domain.ReservationID]bool, orders map[string]bool) error {
	var ids []domain.ReservationID
	for _, i := range items {
		if i.ReservationID != "" {
			ids = append(ids, domain.ReservationID(i.ReservationID))
		}
	}
	of, err := s.byID(ctx, ids)
	if err != nil {
		return err
	}
	for _, i := range items {
		r := of[domain.ReservationID(i.ReservationID)]
		if r != nil {
			seen[r.Snapshot().ID] = true
		}
		if i.PaymentID != "" {
			orders[i.PaymentID] = true
		}
		c.item(i, r)
	}
	return nil
}

// compareReservations looks at reservations of the day whose payment is not among the orders of the day, because
// it was made on another, or because there is none.
func (s *Service) compareReservations(ctx context.Context, c *comparison, from, to time.Time, seen map[domain.ReservationID]bool, orders map[string]bool) error {
	for after := domain.ReservationID(""); ; {
		page, err := s.ledger.ChangedBetween(ctx, from, to, after, reconcilePage)
		if err != nil {
			return err
		}
		for _, r := range page {
			snap := r.Snapshot()
			after = snap.ID
			seen[snap.ID] = true
			moving := r.Status() == domain.Pending || snap.ChangedAt().After(c.settled)
			if moving && (len(snap.Payments) == 0 || !orders[snap.Payments[0].ID]) {
				c.checked.InFlight++
			}
			if moving || r.Status() == domain.Completed { // completed: compared on the day of its charge
				continue
			}
			for _, p := range snap.Payments {
				if orders[p.ID] {
					continue
				}
				said, err := s.payments.Inquire(ctx, contract.InquiryRequest{ReservationID: string(snap.ID), Purpose: p.Purpose})
				if err != nil {
					return fault.New(fault.Unavailable).After(time.Second).Because(err)
				}
				c.unpaid(r, p, said)
			}
		}
		if len(page) < reconcilePage {
			return nil
		}
	}
}

func (s *Service) compareCompensations(ctx context.Context, c *comparison, from, to time.Time) error {
	rows, err := s.compensations.CompensationsBetween(ctx, from, to)
	if err != nil {
		return err
	}
	ids := make([]domain.ReservationID, 0, len(rows))
	for _, row := range rows {
		ids = append(ids, row.ReservationID)
	}
	of, err := s.byID(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c.compensation(row, of[row.ReservationID])
	}
	return nil
}

// byID finds reservations, as many at once as a statement takes well.
func (s *Service) byID(ctx context.Context, ids []domain.ReservationID) (map[domain.ReservationID]*domain.Reservation, error) {
	of := make(map[domain.ReservationID]*domain.Reservation, len(ids))
	for len(ids) > 0 {
		n := min(len(ids), reconcilePage)
		found, err := s.ledger.FindAll(ctx, ids[:n])
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			of[r.Snapshot().ID] = r
		}
		ids = ids[n:]
	}
	return of, nil
}
