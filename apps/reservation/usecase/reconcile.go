package usecase

import (
	"context"
	"slices"
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
	reconcileOrders = 200              // asked for by their ids at once
	reconcileTime   = 55 * time.Second // for all; the gateway waits 60
	reconcileMargin = time.Minute      // more than the hold limit, for events under way
)

// Reconcile compares what reservation, payment and the provider say of a day in Seoul: every order of the day,
// every reservation that was made or changed on it, and every compensation that fell due or was paid on it.
// UNAVAILABLE when payment does not answer: half a comparison is none.
func (s *Service) Reconcile(ctx context.Context, date terms.Date) (Reconciliation, error) {
	// Longer than a request may take: it asks the provider for many orders.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reconcileTime)
	defer cancel()
	c := newComparison(s.now().Add(-s.limits.Hold - reconcileMargin))
	from, to := date.Begin(), date.AddDays(1).Begin()
	if err := s.compareDay(ctx, c, date); err != nil {
		return Reconciliation{}, err
	}
	if err := s.compareChanged(ctx, c, from, to); err != nil {
		return Reconciliation{}, err
	}
	if err := s.compareAsked(ctx, c); err != nil {
		return Reconciliation{}, err
	}
	if err := s.compareCompensations(ctx, c, from, to); err != nil {
		return Reconciliation{}, err
	}
	return Reconciliation{Date: date, Checked: c.result(), Differences: c.found}, nil
}

// compareDay reads the day's pages: what the provider's list explains is compared, the rest is to be asked for. A
// charge that one page explains may have been returned on a later one, so nothing is compared before the last.
func (s *Service) compareDay(ctx context.Context, c *comparison, date terms.Date) error {
	var explained []contract.ReconciledItem
	moved := map[string]bool{}
	for ask := (contract.ReconcileRequest{Date: string(date), Limit: reconcilePage}); ; {
		page, err := s.desk.Reconcile(ctx, ask)
		if err != nil {
			return err
		}
		explained = append(explained, page.Items...)
		c.want(page.Orders...)
		for _, order := range page.Orders {
			moved[order] = moved[order] || page.Listed
		}
		if page.Next == "" {
			break
		}
		if page.Next == ask.After {
			return fault.New(fault.Unavailable)
		}
		ask.After = page.Next
	}
	explained = slices.DeleteFunc(explained, func(i contract.ReconciledItem) bool { return moved[i.OrderID] })
	for items := range slices.Chunk(explained, reconcilePage) {
		if err := s.compareOrders(ctx, c, items); err != nil {
			return err
		}
	}
	return nil
}

// compareAsked asks for both sides of the orders that are wanted. An answer may hold fewer than were asked for.
func (s *Service) compareAsked(ctx context.Context, c *comparison) error {
	for {
		orders := c.wanted(reconcileOrders)
		if len(orders) == 0 {
			return nil
		}
		answer, err := s.desk.Reconcile(ctx, contract.ReconcileRequest{OrderIDs: orders})
		if err != nil {
			return err
		}
		before := len(c.compared)
		if err := s.compareOrders(ctx, c, answer.Items); err != nil {
			return err
		}
		if len(c.compared) == before {
			return fault.New(fault.Unavailable)
		}
	}
}

func (s *Service) compareOrders(ctx context.Context, c *comparison, items []contract.ReconciledItem) error {
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
			c.reservation(r)
		}
		c.item(i, r)
	}
	return nil
}

// compareChanged looks at the reservations of the day, whose payments may be orders of another.
func (s *Service) compareChanged(ctx context.Context, c *comparison, from, to time.Time) error {
	for after := domain.ReservationID(""); ; {
		page, err := s.ledger.ChangedBetween(ctx, from, to, after, reconcilePage)
		if err != nil {
			return err
		}
		for _, r := range page {
			c.reservation(r)
			after = r.Snapshot().ID
		}
		if len(page) < reconcilePage {
			return nil
		}
	}
}

// compareCompensations looks at the debts of the day, and at those that the compared reservations hold.
func (s *Service) compareCompensations(ctx context.Context, c *comparison, from, to time.Time) error {
	rows, err := s.compensations.CompensationsBetween(ctx, from, to)
	if err != nil {
		return err
	}
	there := map[domain.ReservationID]bool{}
	var ids []domain.ReservationID
	for _, row := range rows {
		there[row.ReservationID], ids = true, append(ids, row.ReservationID)
	}
	of, err := s.byID(ctx, ids)
	if err != nil {
		return err
	}
	for _, row := range rows {
		c.compensation(row, of[row.ReservationID])
	}
	missing := slices.DeleteFunc(c.debtors, func(r *domain.Reservation) bool { return there[r.Snapshot().ID] })
	for page := range slices.Chunk(missing, reconcilePage) {
		if err := s.compareDebtors(ctx, c, page); err != nil {
			return err
		}
	}
	return nil
}

// compareDebtors finds the debts of reservations on whose day they neither fell due nor were paid.
func (s *Service) compareDebtors(ctx context.Context, c *comparison, page []*domain.Reservation) error {
	ids := make([]domain.ReservationID, len(page))
	for i, r := range page {
		ids[i] = r.Snapshot().ID
	}
	rows, err := s.compensations.CompensationsOf(ctx, ids)
	if err != nil {
		return err
	}
	of := map[domain.ReservationID]Compensation{}
	for _, row := range rows {
		of[row.ReservationID] = row
	}
	for _, r := range page {
		if row, ok := of[r.Snapshot().ID]; ok {
			c.compensation(row, r)
			continue
		}
		c.checked.Compensations++
		c.differ(CompensationDiffers, string(r.Snapshot().ID), "", r.Snapshot().Cancellation.Compensation.Amount)
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
