package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/viewpage/domain"
)

// product is the document of a tour product: what the board shows of it, and nothing else, since every reader
// of the board pays for its size.
type product struct {
	ProductID    string                 `json:"productId"`
	MDID         string                 `json:"mdId"`
	Version      int64                  `json:"version"`
	Status       string                 `json:"status"`
	Kind         string                 `json:"kind"`
	Name         contract.Text          `json:"name"`
	Price        money.KRW              `json:"price"`
	SavingsOffer *contract.SavingsOffer `json:"savingsOffer,omitempty"`
	Departures   []departure            `json:"departures"`
	CreatedAt    time.Time              `json:"createdAt"`
	At           time.Time              `json:"at"` // time of the event
}

type departure struct {
	DepartureID string `json:"departureId"`
	Date        string `json:"date"` // YYYY-MM-DD in Asia/Seoul
	Capacity    int    `json:"capacity"`
	Closed      bool   `json:"closed,omitempty"`
}

func productFrom(p contract.Product, at time.Time) product {
	doc := product{
		ProductID: p.ProductID, MDID: p.MDID, Version: p.Version, Status: p.Status, Kind: p.Kind, Name: p.Name,
		Price: p.Price, SavingsOffer: p.SavingsOffer, CreatedAt: instant(p.CreatedAt), At: instant(at),
		Departures: make([]departure, 0, len(p.Departures)),
	}
	for _, d := range p.Departures {
		doc.Departures = append(doc.Departures, departure{d.DepartureID, d.Date, d.Capacity, d.Closure != nil})
	}
	return doc
}

// productTotals is the document of the counts of all departures of a product, each with its own version.
type productTotals struct {
	Departures map[string]departureTotals `json:"departures"` // by departure id
}

type departureTotals struct {
	Version      int64          `json:"version"`
	Capacity     int            `json:"capacity"`
	Held         int            `json:"held"`
	Confirmed    int            `json:"confirmed"`
	Closed       bool           `json:"closed,omitempty"`
	Reservations map[string]int `json:"reservations"`
	At           time.Time      `json:"at"` // time of the event
}

// BoardItem is a product with the state of its departures and reservations.
type BoardItem struct {
	ProductID    string                 `json:"productId"`
	Version      int64                  `json:"version"`
	Status       string                 `json:"status"` // OPEN, DISCONTINUED
	Kind         string                 `json:"kind"`
	Name         contract.Text          `json:"name"`
	Price        money.KRW              `json:"price"` // list price of one traveller
	SavingsOffer *contract.SavingsOffer `json:"savingsOffer"`
	Departures   []BoardDeparture       `json:"departures"`
	Reservations map[string]int         `json:"reservations"` // by status, over all departures
	AsOf         time.Time              `json:"asOf"`
}

// BoardDeparture is a departure with its seats and reservations.
type BoardDeparture struct {
	DepartureID  string         `json:"departureId"`
	Date         string         `json:"date"`
	Capacity     int            `json:"capacity"`
	Held         int            `json:"held"`
	Confirmed    int            `json:"confirmed"`
	Closed       bool           `json:"closed"`
	Reservations map[string]int `json:"reservations"` // by status
}

// Board is a page of the board. AsOf is the time of the newest event in it, absent when there is none.
type Board struct {
	Items []BoardItem
	Next  *Cursor
	AsOf  time.Time
}

// Board shows every product, newest first; kind narrows it unless it is empty.
func (s *Service) Board(ctx context.Context, kind string, behind *Cursor, limit int) (Board, error) {
	k, err := s.plans.reading(ctx)
	if err != nil {
		return Board{}, err
	}
	return s.board(ctx, k, k.allProducts(), kind, behind, limit)
}

// BoardOf shows the products of one MD, newest first.
func (s *Service) BoardOf(ctx context.Context, md string, behind *Cursor, limit int) (Board, error) {
	k, err := s.plans.reading(ctx)
	if err != nil {
		return Board{}, err
	}
	return s.board(ctx, k, k.productsOf(md), "", behind, limit)
}

// board reads the index, then all documents of the page at once.
func (s *Service) board(ctx context.Context, k keys, index, kind string, behind *Cursor, limit int) (Board, error) {
	entries, next, err := s.shelf.read(ctx, index, behind, limit, func(e domain.Entry) bool {
		return kind == "" || e.Kind == kind
	})
	if err != nil {
		return Board{}, err
	}
	board := Board{Items: make([]BoardItem, 0, len(entries)), Next: next}
	products, totals, err := s.readProducts(ctx, k, entries)
	if err != nil {
		return Board{}, err
	}
	for i, p := range products {
		if p == nil { // its index was written a moment ago, it follows
			continue
		}
		item := itemOf(p, totals[i])
		board.AsOf = later(board.AsOf, item.AsOf)
		board.Items = append(board.Items, item)
	}
	return board, nil
}

// readProducts reads the products of the entries with their counts, in one call.
func (s *Service) readProducts(ctx context.Context, k keys, entries []domain.Entry) ([]*product, []*productTotals, error) {
	n := len(entries)
	keys := make([]string, 2*n)
	for i, e := range entries {
		keys[i], keys[n+i] = k.product(e.ID), k.totals(e.ID)
	}
	docs, err := s.state.GetAll(ctx, keys)
	if err != nil {
		return nil, nil, err
	}
	products, err := decodeAll[product](docs[:n])
	if err != nil {
		return nil, nil, err
	}
	totals, err := decodeAll[productTotals](docs[n:])
	return products, totals, err
}

// itemOf joins a product with its counts. What the counts do not say yet is taken from the product; the sum of
// reservations is for display, the numbers are their owner's.
func itemOf(p *product, t *productTotals) BoardItem {
	item := BoardItem{
		ProductID: p.ProductID, Version: p.Version, Status: p.Status, Kind: p.Kind, Name: p.Name, Price: p.Price,
		SavingsOffer: p.SavingsOffer, Departures: make([]BoardDeparture, 0, len(p.Departures)),
		Reservations: map[string]int{}, AsOf: p.At,
	}
	for _, d := range p.Departures {
		shown := BoardDeparture{
			DepartureID: d.DepartureID, Date: d.Date, Capacity: d.Capacity, Closed: d.Closed,
			Reservations: map[string]int{},
		}
		if t != nil {
			if counts, known := t.Departures[d.DepartureID]; known {
				shown.Capacity, shown.Held, shown.Confirmed = counts.Capacity, counts.Held, counts.Confirmed
				shown.Closed = d.Closed || counts.Closed // a closure is final, whoever told it first
				for status, n := range counts.Reservations {
					shown.Reservations[status] = n
					item.Reservations[status] += n
				}
				item.AsOf = later(item.AsOf, counts.At)
			}
		}
		item.Departures = append(item.Departures, shown)
	}
	return item
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
