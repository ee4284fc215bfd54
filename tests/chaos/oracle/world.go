package oracle

import "time"

// Departure as reservation stores it.
type Departure struct {
	ID, Product            string
	Version                int64
	Asked, Held, Confirmed int // Asked is the capacity as product said it
	Closed                 bool
	Counts                 map[string]int

	heldRows, takenRows int            // seats, counted from the reservations
	rows                map[string]int // reservations by status, counted
}

// Reservation as its owner stores it.
type Reservation struct {
	ID            string `json:"id"`
	Customer      string `json:"customer"`
	MD            string `json:"mdId"`
	Product       string `json:"product"`
	Departure     string `json:"departure"`
	Kind          string `json:"kind"`
	Nights        int    `json:"nights"`
	DepartureDate string `json:"departureDate"`
	Travellers    int    `json:"travellers"`
	Status        string `json:"status"`
	Version       int64  `json:"version"`
	Price         struct{ List, Discount, Payable int64 }
	DueNow        int64         `json:"dueNow"`
	Cancellation  *Cancellation `json:"cancellation"`
	Waiver        *Waiver       `json:"waiver"`
	History       []Entry       `json:"history"`
	CreatedAt     time.Time     `json:"createdAt"`
}

// Cancellation as it was frozen.
type Cancellation struct {
	RequestedAt  time.Time
	DaysBefore   int64
	Fee, Refund  int64
	Compensation *struct{ Amount int64 }
}

// Waiver of a fee, claimed or decided.
type Waiver struct{ Reason, Status string }

// Entry of a history.
type Entry struct {
	Version         int64
	From, To, Cause string
	At              time.Time
}

// ended is what has no seats any more.
func ended(status string) bool {
	return status == "REJECTED" || status == "CANCEL_REQUESTED" || status == "CANCELLED"
}

func (r *Reservation) was(status string) bool {
	for _, h := range r.History {
		if h.To == status {
			return true
		}
	}
	return false
}

// Attempts is how often its seats were asked for.
func (r *Reservation) Attempts() (n int) {
	for _, h := range r.History {
		if h.From != h.To && h.To == "PENDING" {
			n++
		}
	}
	return n
}

// Payment and Refund as payment stores them.
type Payment struct {
	ID, Reservation, Status string
	Amount                  int64
}

// Refund of a payment.
type Refund struct {
	ID, Payment, Cause, Status string
	Reference                  string // of a bank transfer that an operator made instead
	Amount                     int64
}

// Charge is a line of the provider's ledger.
type Charge struct {
	Kind, OrderID, PaymentKey string
	Amount                    int64
}

// Notice in an MD's inbox.
type Notice struct {
	MD, Reservation, Status string
	Seq, Version            int64
}

// World is everything at one time. What belongs to one database is one consistent snapshot of it.
type World struct {
	At           time.Time
	Departures   map[string]*Departure
	Reservations map[string]*Reservation
	Keys         map[string][]string // customer and key → reservations
	Payments     map[string]*Payment // by id
	Refunds      []Refund
	Ledger       []Charge
	Notices      []Notice
	LastSeq      map[string]int64 // by MD
	Products     map[string]*Product
	Waiting      map[string]int // rows in outboxes, by service
	Dead         map[string]int // dead letters that nobody has handled yet, by service
	Handled      map[string]int // dead letters that were handled after all, by service
	View         ViewState
	Store        StoreState
	Owed         map[string][]int64 // compensations by reservation, as the operator sees them
	Paid         map[string]bool    // reservations whose compensation was paid
}

// Product as its owner stores it.
type Product struct {
	ID, MD, Status string
	Version        int64
	Price          int64
	Closures       map[string]Closure // by departure
}

// Closure of a departure by its supplier.
type Closure struct{ Reason, On string }

// count adds reservations of the departure to what its own counts are compared with.
func (d *Departure) count(status string, reservations, seats int) {
	d.rows[status] += reservations
	switch status {
	case "PENDING":
		d.heldRows += seats
	case "CONFIRMED", "COMPLETED":
		d.takenRows += seats
	}
}
