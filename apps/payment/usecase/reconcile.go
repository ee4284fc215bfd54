package usecase

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/payment/domain"
)

const (
	mostReconciled = 500 // orders of a page
	askedAtOnce    = 8   // of the provider
	askedTimes     = 3   // until an order without an answer ends the page
)

// Reconciled is one order as both sides know it.
type Reconciled struct {
	OrderID string
	Stored  *domain.Snapshot // nil: payment does not know it
	Charge  *domain.Charge   // nil: the provider does not
}

// Day is a page of the orders of a day.
type Day struct {
	Date   terms.Date
	After  string // the order id behind which the page begins
	Limit  int    // 0: as many as may be
	Orders []Reconciled
	Next   string // empty: there are no more
}

// Reconcile puts side by side what is stored and what the provider says at this moment of the orders of a day:
// those that were requested on it, and those that the provider has a transaction of. To compare them is
// reservation's. The page ends early when the time of a call is over. fault.Invalid; fault.Unavailable when the
// provider does not answer.
func (s *Service) Reconcile(ctx context.Context, day Day) (Day, error) {
	if day.Limit == 0 {
		day.Limit = mostReconciled
	}
	var wrong fault.Fields
	_, err := terms.ParseDate(string(day.Date))
	wrong.Check(err == nil, "date", fault.BadFormat, "YYYY-MM-DD")
	wrong.Check(day.Limit >= 1 && day.Limit <= mostReconciled, "limit", fault.OutOfRange, "1..500")
	wrong.Check(len(day.After) <= 64, "after", fault.TooLong, "64")
	if err := wrong.Err(); err != nil {
		return Day{}, err
	}
	budget, cancel := context.WithTimeout(ctx, s.settings.AnswerWithin)
	defer cancel()
	orders, err := s.ordersOf(ctx, day)
	if err != nil {
		return Day{}, err
	}
	// Read before the provider is asked: it may then know more than we do, as it does at any moment, never less.
	stored, err := s.books.OfOrders(ctx, orders[:min(day.Limit, len(orders))])
	if err != nil {
		return Day{}, err
	}
	for len(day.Orders) < min(day.Limit, len(orders)) {
		if budget.Err() != nil && len(day.Orders) > 0 {
			break
		}
		from := len(day.Orders)
		asked, err := s.sideBySide(ctx, orders[from:min(from+askedAtOnce, day.Limit, len(orders))], stored)
		if err != nil && len(day.Orders) == 0 {
			return Day{}, err
		}
		if err != nil {
			break
		}
		day.Orders = append(day.Orders, asked...)
	}
	if len(day.Orders) < len(orders) {
		day.Next = day.Orders[len(day.Orders)-1].OrderID
	}
	return day, nil
}

// ordersOf lists the page's order ids, sorted, and one more when there are more.
func (s *Service) ordersOf(ctx context.Context, day Day) ([]string, error) {
	from, to := day.Date.Begin(), day.Date.AddDays(1).Begin()
	orders, err := s.books.RequestedBetween(ctx, from, to, day.After, day.Limit+1)
	if err != nil {
		return nil, err
	}
	theirs, err := s.provider.Orders(ctx, from, to)
	if err != nil {
		return nil, fault.New(fault.Unavailable).After(time.Second).Because(err)
	}
	for _, order := range theirs {
		if order > day.After {
			orders = append(orders, order)
		}
	}
	slices.Sort(orders)
	orders = slices.Compact(orders)
	return orders[:min(day.Limit+1, len(orders))], nil
}

// sideBySide asks the provider for a few orders at once.
func (s *Service) sideBySide(ctx context.Context, orders []string, stored map[string]domain.Snapshot) ([]Reconciled, error) {
	both, missing := make([]Reconciled, len(orders)), make([]error, len(orders))
	var asking sync.WaitGroup
	for i, order := range orders {
		both[i].OrderID = order
		if p, ok := stored[order]; ok {
			both[i].Stored = &p
		}
		asking.Go(func() { both[i].Charge, missing[i] = s.presently(ctx, order) })
	}
	asking.Wait()
	return both, errors.Join(missing...)
}

// presently is what the provider says of an order; nil when it knows none.
func (s *Service) presently(ctx context.Context, order string) (*domain.Charge, error) {
	var reply domain.Reply
	for range askedTimes {
		switch reply = s.provider.Find(ctx, order); reply.Kind {
		case domain.Answered:
			return &reply.Charge, nil
		case domain.NotFound:
			return nil, nil
		}
	}
	return nil, fault.New(fault.Unavailable).After(time.Second).Because(reply.Cause)
}
