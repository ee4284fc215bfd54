package usecase

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
	"oneqtour/apps/payment/domain"
)

const (
	perDayPage   = 500
	mostPerPage  = 1000
	mostOrders   = 500 // that are asked for by their ids
	askedAtOnce  = 32  // of the provider: 5,000 orders within the minute that a reconciliation has, at 200 ms each
	askedTimes   = 3   // until a page or an order without an answer ends the answer
	longestOrder = 64  // the provider's limit of its ids
)

// A day is read in two parts, and After says how far: behind a transaction of the provider's list, then behind an
// order id of our own book.
const (
	behindTheirs = "provider:"
	behindOurs   = "payment:"
)

// Reconciled is one order as both sides know it.
type Reconciled struct {
	OrderID string
	Stored  *domain.Snapshot              // nil: payment does not know it
	Moved   map[domain.RefundID]time.Time // when its refunds have, the last time
	Charge  *domain.Charge                // nil: the provider does not know it
}

// Day asks for a page of the orders of a day.
type Day struct {
	Date  terms.Date
	After string // Next of the page before
	Limit int    // 0: 500
}

// DayPage is a page of the orders of a day.
type DayPage struct {
	Explained []Reconciled // by the provider's list alone
	Orders    []string     // the others: ask for them by id
	Listed    bool         // the others are of the provider's list: more has moved than a page before may have explained
	Next      string       // empty: there are no more
}

// Reconcile lists the orders of a day: first what the provider has transactions of, then what is stored as requested
// or returned on it. To compare them is reservation's. One page is one call of the provider that it answers.
// fault.Invalid; fault.Unavailable when the provider does not answer.
func (s *Service) Reconcile(ctx context.Context, day Day) (DayPage, error) {
	if day.Limit == 0 {
		day.Limit = perDayPage
	}
	if day.After == "" {
		day.After = behindTheirs
	}
	key, theirs := strings.CutPrefix(day.After, behindTheirs)
	id, ours := strings.CutPrefix(day.After, behindOurs)
	var wrong fault.Fields
	_, err := terms.ParseDate(string(day.Date))
	wrong.Check(err == nil, "date", fault.BadFormat, "YYYY-MM-DD")
	wrong.Check(day.Limit >= 1 && day.Limit <= mostPerPage, "limit", fault.OutOfRange, "1..1000")
	wrong.Check((theirs || ours) && len(day.After) <= longestOrder+len(behindTheirs), "after", fault.BadFormat, "")
	if err := wrong.Err(); err != nil {
		return DayPage{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.AnswerWithin)
	defer cancel()
	if ours {
		return s.ourPage(ctx, day, id)
	}
	return s.theirPage(ctx, day, key)
}

// theirPage compares a page of the provider's list with the book, as far as the list goes.
func (s *Service) theirPage(ctx context.Context, day Day, after string) (DayPage, error) {
	var list []domain.Transaction
	var err error
	for range askedTimes {
		if list, err = s.provider.Transactions(ctx, day.Date.Begin(), day.Date.AddDays(1).Begin(), after, day.Limit); err == nil {
			break
		}
	}
	if err != nil {
		return DayPage{}, fault.New(fault.Unavailable).After(time.Second).Because(err)
	}
	page := DayPage{Next: behindOurs, Listed: true}
	if len(list) == day.Limit {
		page.Next = behindTheirs + list[len(list)-1].Key
	}
	var orders []string
	of := map[string][]domain.Transaction{}
	for _, t := range list {
		if of[t.OrderID] == nil {
			orders = append(orders, t.OrderID)
		}
		of[t.OrderID] = append(of[t.OrderID], t)
	}
	// Read after the list: what it tells of was stored before the provider was asked.
	stored, err := s.books.OfOrders(ctx, orders)
	if err != nil {
		return DayPage{}, err
	}
	for _, order := range orders {
		p, known := stored[order]
		charge, all := of[order][0].Explains(p)
		if known && all && len(of[order]) == 1 {
			page.Explained = append(page.Explained, Reconciled{OrderID: order, Stored: &p, Charge: &charge})
			continue
		}
		page.Orders = append(page.Orders, order)
	}
	return page, nil
}

// ourPage names the orders of the day that are stored, whether the provider has listed them or not.
func (s *Service) ourPage(ctx context.Context, day Day, after string) (DayPage, error) {
	orders, err := s.books.MovedBetween(ctx, day.Date.Begin(), day.Date.AddDays(1).Begin(), after, day.Limit)
	page := DayPage{Orders: orders}
	if len(orders) == day.Limit {
		page.Next = behindOurs + orders[len(orders)-1]
	}
	return page, err
}

// ReconcileOrders puts side by side what is stored and what the provider says at this moment of each order. The
// answer ends early when the time of a call is over. fault.Invalid; fault.Unavailable when the provider answers for
// none of them.
func (s *Service) ReconcileOrders(ctx context.Context, orders []string) ([]Reconciled, error) {
	var wrong fault.Fields
	wrong.Check(len(orders) <= mostOrders, "orderIds", fault.TooLong, "500")
	for _, order := range orders {
		wrong.Check(order != "" && len(order) <= longestOrder, "orderIds", fault.BadFormat, "")
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.settings.AnswerWithin)
	defer cancel()
	// Read before the provider is asked: it may then know more than we do, as it does at any moment, never less.
	stored, err := s.books.OfOrders(ctx, orders)
	if err != nil {
		return nil, err
	}
	moved, err := s.books.RefundsMoved(ctx, orders)
	if err != nil {
		return nil, err
	}
	var both []Reconciled
	for len(both) < len(orders) {
		from := len(both)
		asked, err := s.sideBySide(ctx, orders[from:min(from+askedAtOnce, len(orders))], stored)
		if err != nil && from == 0 && len(asked) == 0 {
			return nil, err
		}
		both = append(both, asked...)
		if err != nil {
			break
		}
	}
	for i := range both {
		both[i].Moved = moved
	}
	return both, nil
}

// sideBySide asks the provider for a few orders at once. Beside an error are those before the first that it did not
// answer for.
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
	for i, err := range missing {
		if err != nil {
			return both[:i], errors.Join(missing...)
		}
	}
	return both, nil
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
