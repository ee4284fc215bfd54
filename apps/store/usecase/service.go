// Package usecase is what happens in the 1Q Store, step by step.
package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/terms"
	"oneqtour/apps/store/domain"
)

// Items keeps display items.
type Items interface {
	// Update locks the item of a product, changes it and stores it when it has changed. An unknown product has
	// an empty item. change may run several times.
	Update(ctx context.Context, id domain.ProductID, change func(*domain.DisplayItem) (changed bool, err error)) error
	// CopySeats stores totals of a departure that are newer, whether or not the product is known.
	CopySeats(ctx context.Context, product domain.ProductID, departure domain.DepartureID, told domain.Seats) error
	// Find reads an item. fault.NotFound.
	Find(ctx context.Context, id domain.ProductID) (*domain.DisplayItem, error)
	// List reads listed items; next is where the page has ended, nil on the last.
	List(ctx context.Context, s Search) (items []*domain.DisplayItem, next *Place, err error)
}

// Sort is an order of the list.
type Sort string

// The orders of the list. Ties are broken by the time of registration.
const (
	ByPosition       Sort = "position"       // the MDs' positions, then the newest first
	ByNewest         Sort = "newest"         // the newest first
	ByPrice          Sort = "price"          // the cheapest first, discount included
	ByPriceDown      Sort = "-price"         // the dearest first
	ByRecommendation Sort = "recommendation" // the most stars first
	ByReserved       Sort = "reserved"       // the most reservations first
	ByDeparture      Sort = "departure"      // the next open departure first
)

// Search is what a reader of the list looks for; empty members do not matter.
type Search struct {
	Kind    string
	Country string
	Text    string // in names and descriptions of both languages
	Sort    Sort
	After   *Place // where the page before has ended
	Limit   int
	Today   terms.Date
}

// Place is where a page has ended: a value of what the list is sorted by, and an id.
type Place struct {
	Sort  Sort             `json:"s"`
	Value int64            `json:"v"`
	ID    domain.ProductID `json:"i"`
}

// Service carries out the use cases.
type Service struct {
	items Items
	now   func() time.Time
}

// New makes a service.
func New(items Items, now func() time.Time) *Service { return &Service{items, now} }

// Today is the date in Seoul.
func (s *Service) Today() terms.Date { return terms.DateOf(s.now()) }
