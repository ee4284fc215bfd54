// Package usecase is what happens in reservation, in order: one method a file.
package usecase

import (
	"context"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/reservation/domain"
)

// Change is what a transaction writes beside the aggregates.
type Change struct {
	Messages []outbox.Message
	Told     string    // id of the event of the state before, if it still waits: replaced by Messages, else released
	Answer   *Answer   // stored for the idempotency key under which the reservation was made
	Ended    *Answer   // replaces each 202 under the keys with which its cancellation was asked for
	Forget   bool      // that key is forgotten: the next attempt with it makes a new reservation
	NewKey   *NewKey   // a further key with its answer
	Next     time.Time // when the reservation wants to be looked at again; zero: never
	Tried    bool      // counts one more attempt to settle it; a new state counts from 0 again
	KeyOnly  bool      // nothing but NewKey is written
	_        struct{}  // keyed literals only
}

// NewKey is a key that is stored together with its answer.
type NewKey struct {
	Key    Key
	Answer Answer
}

// Reservations keeps reservations with their departures. Each write is one transaction that locks first the
// reservation, then its departure.
type Reservations interface {
	// Create runs fn on what is offered, the departure locked, and stores what it returns together with the key.
	// ErrKeyKnown: the key was used before. fault.NotFound: product or departure are not known (yet).
	Create(ctx context.Context, n NewReservation, fn func(Offer) (*domain.Reservation, Change, error)) error
	// Update runs fn on the locked reservation and departure; fault.NotFound when there is none. fn may run
	// several times and must touch nothing else. A nil Change writes nothing.
	Update(ctx context.Context, id domain.ReservationID, fn func(*domain.Reservation, *domain.Departure) (*Change, error)) error
	Find(ctx context.Context, id domain.ReservationID) (*domain.Reservation, error)
	ListOf(ctx context.Context, customer string, page Page) ([]*domain.Reservation, error)
}

// NewReservation is a reservation about to be made.
type NewReservation struct {
	Key        Key
	ID         domain.ReservationID
	ClientMade bool // the id is the client's, so there may be a reservation that has it
	Product    domain.ProductID
	Departure  domain.DepartureID
}

// Offer is what a reservation is made of, all as of one transaction.
type Offer struct {
	Product   domain.TourProduct
	Departure *domain.Departure
	Earlier   *domain.Reservation // that has the id already; nil: none
}

// Page asks for at most Limit reservations made before the given one, the newest first.
type Page struct {
	Limit    int
	Before   time.Time // zero: from the newest
	BeforeID domain.ReservationID
}

// Catalogue is reservation's own copy of products and departures.
type Catalogue interface {
	// Look reads a departure of a product without a lock; fault.NotFound when it was not announced (yet).
	Look(ctx context.Context, product domain.ProductID, departure domain.DepartureID) (Offer, error)
	// Follow locks the copy (nil when there is none) and its departures, and stores what fn returns.
	Follow(ctx context.Context, id domain.ProductID, fn func(*domain.TourProduct, map[domain.DepartureID]*domain.Departure) (Followed, error)) error
}

// Followed is what a product event changed.
type Followed struct {
	Product    *domain.TourProduct // nil: nothing new
	Departures []*domain.Departure
	Messages   []outbox.Message
}

// KeepKeys is how long an answer is kept for a repeat: 24 hours are promised.
const KeepKeys = 25 * time.Hour

// Keys finds what was answered to an idempotency key.
type Keys interface {
	Lookup(ctx context.Context, key Key) (Stored, bool, error)
}

// Agenda is which reservations want to be looked at, by the clock of the database.
type Agenda interface {
	// Due claims some for the lease, so that replicas do not repeat each other.
	Due(ctx context.Context, c Claim) ([]DueReservation, error)
	// Soon moves a PENDING reservation to the front.
	Soon(ctx context.Context, id domain.ReservationID) error
}

// Claim asks for what is due.
type Claim struct {
	Pending bool // PENDING ones, or all others
	Limit   int
	Lease   time.Duration
}

// DueReservation is one on the agenda, with how often settling it was tried.
type DueReservation struct {
	ID       domain.ReservationID
	Attempts int
}

// Payments is the one synchronous peer.
type Payments interface {
	// Approve charges; its outcome is one of four values and never an error.
	Approve(ctx context.Context, r contract.ApproveRequest) Outcome
	// Inquire asks what became of a payment.
	Inquire(ctx context.Context, r contract.InquiryRequest) (contract.PaymentResult, error)
}

// Outcome of an attempt to charge.
type Outcome struct {
	Kind    OutcomeKind
	Result  contract.PaymentResult // of Approved and Declined
	Refused bool                   // Unsent because the breaker is open, or payment did not reach the provider: the next would be as well
	Reason  string                 // of Unsent and Unknown, for the log
}

// OutcomeKind tells the four outcomes apart.
type OutcomeKind int

// Unsent is certain: nothing was charged. Unknown is everything that is not one of the other three.
const (
	Unknown OutcomeKind = iota
	Approved
	Declined
	Unsent
)

// Limits are the times of the saga, and how many may be at it.
type Limits struct {
	Admission   Admission
	ProductWait time.Duration // how long a product not yet heard of is looked for
	Saga        time.Duration // for reserving until payment has answered, detached from the request
	Call        time.Duration // that payment is given to answer; with less of Saga left it is not asked
	Settle      time.Duration // for writing what it answered
	Hold        time.Duration // how long seats wait for an unknown payment
	KeyInFlight time.Duration // for how long an unanswered key counts as being worked on
	Resend      time.Duration // after which a cancellation or a void order without an answer is announced again; doubled each time
}

// DefaultLimits suit a provider that answers at once.
func DefaultLimits() Limits {
	return Limits{Admission: Admission{AtWork: 64, Waiting: 1000, Wait: 2 * time.Second, Pause: time.Second, Unknown: 256},
		ProductWait: 2 * time.Second, Saga: 8 * time.Second, Call: 3 * time.Second, Settle: 3 * time.Second, Hold: 20 * time.Second,
		KeyInFlight: 10 * time.Second, Resend: time.Minute}
}

// Service is the use cases of reservation.
type Service struct {
	reservations  Reservations
	catalogue     Catalogue
	keys          Keys
	agenda        Agenda
	payments      Payments
	closings      Closings
	compensations Compensations
	operations    Operations
	ledger        Ledger
	desk          PaymentDesk
	gate          *gate
	limits        Limits
	now           func() time.Time // UTC, cut to microseconds as the database keeps it
	newID         func() string    // UUIDv7
	committed     func()           // wakes the relay
}

// Ports are what a service needs of the outside.
type Ports struct {
	Reservations  Reservations
	Catalogue     Catalogue
	Keys          Keys
	Agenda        Agenda
	Payments      Payments
	Closings      Closings
	Compensations Compensations
	Operations    Operations
	Ledger        Ledger
	Desk          PaymentDesk
	Now           func() time.Time
	NewID         func() string
	Committed     func()
}

// New makes the use cases.
func New(p Ports, l Limits) *Service {
	return &Service{
		reservations: p.Reservations, catalogue: p.Catalogue, keys: p.Keys, agenda: p.Agenda, payments: p.Payments,
		closings: p.Closings, compensations: p.Compensations, operations: p.Operations, ledger: p.Ledger, desk: p.Desk, gate: newGate(l.Admission), limits: l,
		now: func() time.Time { return p.Now().UTC().Truncate(time.Microsecond) }, newID: p.NewID, committed: p.Committed,
	}
}
