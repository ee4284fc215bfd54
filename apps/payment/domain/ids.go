package domain

import "regexp"

// Ids are UUIDs in lower case, as every service of oneqtour writes them.
type (
	PaymentID     string
	RefundID      string
	ReservationID string
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// Valid says whether the text is an id at all.
func (id ReservationID) Valid() bool { return uuid.MatchString(string(id)) }

// Valid says whether the text is an id at all.
func (id RefundID) Valid() bool { return uuid.MatchString(string(id)) }

// Purpose is what a payment is for; a reservation has at most one payment of each.
type Purpose string

// The purposes.
const (
	Price   Purpose = "PRICE"   // the payable price of the tour
	Deposit Purpose = "DEPOSIT" // the part that is charged with a reservation that savings will pay
	Balance Purpose = "BALANCE" // the rest
)

// Valid says whether there is such a purpose.
func (p Purpose) Valid() bool { return p == Price || p == Deposit || p == Balance }

// OrderID is the id under which the provider keeps the payment: it begins with the reservation's and has at
// most 44 of the 64 characters that the provider allows.
func OrderID(r ReservationID, p Purpose) string { return string(r) + "-" + string(p) }

// ParseOrderID takes an OrderID apart.
func ParseOrderID(s string) (ReservationID, Purpose, bool) {
	const idLength = 36
	if len(s) < idLength+2 || s[idLength] != '-' {
		return "", "", false
	}
	r, p := ReservationID(s[:idLength]), Purpose(s[idLength+1:])
	return r, p, r.Valid() && p.Valid()
}
