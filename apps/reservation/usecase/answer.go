package usecase

import (
	"crypto/sha256"
	"encoding/json"
	"errors"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/reservation/domain"
)

// Statuses of answers, by their meaning over HTTP.
const (
	StatusOK       = 200 // cancelled
	StatusCreated  = 201 // confirmed
	StatusAccepted = 202 // pending, withdrawn or cancelling
	StatusDeclined = 402
)

// Answer is what a caller is told, kept under the idempotency key so that a repeat is told the same.
type Answer struct {
	Status      int                        `json:"status"`
	Reservation *contract.ReservationState `json:"reservation"`
	DeclineCode string                     `json:"declineCode,omitempty"`
	Replayed    bool                       `json:"-"`
}

// Err is the refusal that the answer is; nil when it is none.
func (a Answer) Err() error {
	if a.Status != StatusDeclined {
		return nil
	}
	return domain.ErrDeclined.With("declineCode", a.DeclineCode).With("reservationId", a.Reservation.ReservationID)
}

// Key is an idempotency key in its scope.
type Key struct {
	Subject   string // of the caller
	Operation string // method and path
	Value     string
	BodyHash  [sha256.Size]byte
}

// OperationReserve is the operation under which reservations are made.
const OperationReserve = "POST /reservations"

// OperationCancel is the operation under which a reservation is cancelled.
func OperationCancel(id domain.ReservationID) string {
	return "POST /reservations/" + string(id) + "/cancellation"
}

// HashBody is the hash of a request in canonical form. Only the hash is stored: the request holds a token.
func HashBody(request any) [sha256.Size]byte {
	raw, _ := json.Marshal(request) // structs of plain values always marshal
	return sha256.Sum256(raw)
}

// Stored is what is known of a key.
type Stored struct {
	BodyHash    [sha256.Size]byte
	Reservation domain.ReservationID
	Answer      *Answer // nil: the first request has not been answered
}

// ErrKeyKnown says that a key was used before.
var ErrKeyKnown = errors.New("idempotency key is known")

var (
	errKeyReused  = fault.New(fault.IdempotencyKeyReused)
	errInProgress = fault.New(fault.IdempotencyInProgress)
	errBusy       = fault.New(fault.Busy)
	errNoSavings  = &fault.Error{Code: fault.Invalid, Fields: []fault.Field{{Name: "savings", Code: fault.NotAllowed, Detail: "SAVINGS_FUNDED"}}}
)
