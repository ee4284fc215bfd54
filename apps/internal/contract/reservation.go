package contract

import (
	"time"

	"oneqtour/apps/internal/money"
)

// Reservation states.
const (
	StatusPending         = "PENDING"
	StatusConfirmed       = "CONFIRMED"
	StatusRejected        = "REJECTED"
	StatusCancelRequested = "CANCEL_REQUESTED"
	StatusCancelled       = "CANCELLED"
	StatusCompleted       = "COMPLETED"
)

// Reservation is the data of every reservation event: the public state after the change, the whole history
// (so that a lost event is healed by the next) and the totals of its departure as of the same transaction.
type Reservation struct {
	Meta Meta `json:"meta"`
	ReservationState
	VoidOrder bool           `json:"voidOrder,omitempty"` // payment must leave nothing charged
	History   []HistoryEntry `json:"history"`
	Departure Totals         `json:"departure"`
}

// ReservationState is the public state of a reservation: what the API answers, too.
type ReservationState struct {
	ReservationID string        `json:"reservationId"`
	CustomerID    string        `json:"customerId"` // subject of the customer's token
	MDID          string        `json:"mdId"`
	Status        string        `json:"status"`
	Version       int64         `json:"version"`
	ProductID     string        `json:"productId"`
	ProductName   Text          `json:"productName"`
	Kind          string        `json:"kind"`
	Nights        int           `json:"nights"`
	DepartureID   string        `json:"departureId"`
	DepartureDate string        `json:"departureDate"` // YYYY-MM-DD in Asia/Seoul
	Travellers    int           `json:"travellers"`
	PaymentPlan   string        `json:"paymentPlan"`
	Price         Price         `json:"price"`
	Payment       *PaymentState `json:"payment,omitempty"` // what was charged with the reservation
	Payments      []PaymentPart `json:"payments,omitempty"`
	PolicyVersion string        `json:"policyVersion"`
	Cancellation  *Cancellation `json:"cancellation,omitempty"`
	CorrelationID string        `json:"correlationId"`
	CreatedAt     time.Time     `json:"createdAt"`
}

// Price is the price of a reservation, in won.
type Price struct {
	List     money.KRW `json:"list"`
	Discount money.KRW `json:"discount"`
	Payable  money.KRW `json:"payable"` // the tour price: list − discount
	DueNow   money.KRW `json:"dueNow"`
}

// PaymentState is the payment made with the reservation.
type PaymentState struct {
	PaymentID string    `json:"paymentId"`
	Status    string    `json:"status"`
	Amount    money.KRW `json:"amount"`
}

// PaymentPart is one payment of a reservation with what went back of it.
type PaymentPart struct {
	PaymentID string    `json:"paymentId"`
	Purpose   string    `json:"purpose"` // PRICE, DEPOSIT, BALANCE
	Method    string    `json:"method"`  // CARD, SAVINGS
	Status    string    `json:"status"`
	Amount    money.KRW `json:"amount"`
	Refunded  money.KRW `json:"refunded"`
}

// Cancellation is frozen when it is requested. Afterwards the status of its parts changes, and a waiver that is
// granted later moves money from the fee to the refund.
type Cancellation struct {
	RequestedAt  time.Time         `json:"requestedAt"`
	Actor        string            `json:"actor"`
	Reason       string            `json:"reason"`
	DaysBefore   int               `json:"daysBefore"`
	FeeRate      money.BasisPoints `json:"feeRate"`
	AssessedFee  money.KRW         `json:"assessedFee"` // percentage of the tour price
	Fee          money.KRW         `json:"fee"`         // at most what was paid
	Refund       money.KRW         `json:"refund"`
	Compensation money.KRW         `json:"compensation"`
	// CompensationStatus is DUE or PAID; empty when nothing is owed.
	CompensationStatus string       `json:"compensationStatus,omitempty"`
	Waiver             *Waiver      `json:"waiver,omitempty"`
	Savings            string       `json:"savings,omitempty"` // what becomes of the savings account: KEEP, CLOSE
	Parts              []RefundPart `json:"parts"`
}

// Waiver is a customer's claim that the fee does not apply, and what has been decided. Who has decided, and with what
// note, is for operators alone.
type Waiver struct {
	Reason    string     `json:"reason"`
	Status    string     `json:"status"` // CLAIMED, GRANTED, REFUSED
	DecidedAt *time.Time `json:"decidedAt,omitempty"`
}

// RefundPart is what goes back of one payment. Payment uses RefundID as its key towards the provider. Cause is
// WAIVER for a refund by a waiver that was granted later; empty: the cancellation.
type RefundPart struct {
	RefundID string    `json:"refundId"`
	Purpose  string    `json:"purpose"`
	Method   string    `json:"method"`
	Cause    string    `json:"cause,omitempty"`
	Amount   money.KRW `json:"amount"`
	Status   string    `json:"status"` // REQUESTED, STUCK, DONE
}

// HistoryEntry is one line of the history. An entry that is no transition has From = To.
type HistoryEntry struct {
	Version int64      `json:"version"`
	Kind    string     `json:"kind"`
	From    string     `json:"from"` // empty for the first
	To      string     `json:"to"`
	At      time.Time  `json:"at"`
	Actor   string     `json:"actor"`
	Cause   string     `json:"cause"`
	Amount  *money.KRW `json:"amount,omitempty"` // won: paid, charged as a fee or returned, 0 included
}

// Totals are the counts of a departure, computed by their owner; others copy, none counts.
// Held and Confirmed are seats, Reservations are reservations by status.
type Totals struct {
	DepartureID  string         `json:"departureId"`
	ProductID    string         `json:"productId"`
	Date         string         `json:"date"`
	Version      int64          `json:"version"`
	Capacity     int            `json:"capacity"` // the effective one: never less than what is taken
	Held         int            `json:"held"`
	Confirmed    int            `json:"confirmed"`
	Closed       bool           `json:"closed"`
	Reservations map[string]int `json:"reservations"`
}

// DepartureState is the data of departure-changed: opened, resized or closed.
type DepartureState struct {
	Meta      Meta   `json:"meta"`
	Departure Totals `json:"departure"`
}
