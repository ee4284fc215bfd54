// Package usecase is what happens to travel products and in the MD's inbox, step by step.
package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/product/domain"
)

// Products keeps products. A change and its event are stored together or not at all.
type Products interface {
	// Add stores a new product.
	Add(ctx context.Context, p *domain.TourProduct, said contract.Event) error
	// Update locks a product, changes it and stores it with the event that change returns; without an event
	// nothing is stored. change may run several times. fault.NotFound.
	Update(ctx context.Context, id domain.ProductID, change Change) error
	// Find reads a product. fault.NotFound.
	Find(ctx context.Context, id domain.ProductID) (*domain.TourProduct, error)
	// ListOf reads the newest products of an MD, those registered before the given one if it is not empty.
	ListOf(ctx context.Context, md domain.MDID, before domain.ProductID, limit int) ([]*domain.TourProduct, error)
}

// Change changes a locked product and says what to tell others; no event: nothing has changed.
type Change func(p *domain.TourProduct) (*contract.Event, error)

// Inbox keeps the notices of the MDs and what was heard of reservations.
type Inbox interface {
	// Hear stores the news and the notices that are missing, numbered without gaps.
	Hear(ctx context.Context, news domain.ReservationNews) error
	// Notices reads an MD's notices in the order of their numbers.
	Notices(ctx context.Context, md domain.MDID, page NoticePage) ([]domain.Notice, error)
	// Acknowledge marks a notice as read. fault.NotFound.
	Acknowledge(ctx context.Context, md domain.MDID, seq int64, at time.Time) error
	// Progress counts the reservations of a departure that was closed at the given time.
	Progress(ctx context.Context, id domain.DepartureID, closedAt time.Time) (domain.ClosureProgress, error)
}

// Service carries out the use cases.
type Service struct {
	app      string // app id, the source of the events
	products Products
	inbox    Inbox
	now      func() time.Time
	newID    func() string
	stored   func()
}

// Environment is what a Service takes from outside.
type Environment struct {
	App    string // app id
	Now    func() time.Time
	NewID  func() string // UUIDv7
	Stored func()        // called after an event was stored, so that it leaves at once
}

// New makes a service.
func New(products Products, inbox Inbox, env Environment) *Service {
	return &Service{app: env.App, products: products, inbox: inbox, now: env.Now, newID: env.NewID, stored: env.Stored}
}

// Instants are kept to the microsecond, so that what is answered is what is stored.
func (s *Service) occasion() domain.Occasion {
	return domain.Occasion{At: s.now().UTC().Truncate(time.Microsecond), NewID: s.newID}
}
