// Package domain is what is true of the 1Q Store: what is displayed and in which place, how many seats are
// left, and what a reservation would cost.
package domain

import (
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/money"
	"oneqtour/apps/internal/terms"
)

// ProductID, MDID and DepartureID name what product has made.
type (
	ProductID   string
	MDID        string
	DepartureID string
)

// Text is a text in both languages.
type Text struct{ Ko, En string }

// SavingsOffer is the savings account that comes with a product.
type SavingsOffer struct {
	BaseRate         money.BasisPoints
	PreferentialRate money.BasisPoints
	TermMonths       int
}

// Policy is the cancellation policy of a product: the standard schedule of its kind, or special terms.
type Policy struct {
	Type    string // terms.Standard or terms.Special
	Version string // of special terms
	Tiers   []terms.Tier
	Consent *Text
}

// Offer is a product as product has told it.
type Offer struct {
	ProductID      ProductID
	MD             MDID
	Version        int64 // 0: nothing was told yet
	Discontinued   bool
	Kind           string // terms.Domestic, terms.Overseas
	Name           Text
	Description    Text
	Country        string
	Nights         int
	Price          money.KRW // of one traveller
	DiscountRate   money.BasisPoints
	Recommendation int
	FXBenefitRate  money.BasisPoints
	Savings        *SavingsOffer
	Policy         Policy
	AsOf           time.Time
}

// DisplayItem is a product as the store displays it. What the product is comes from product's events; where
// it stands, and whether it is listed, is the MD's word here.
type DisplayItem struct {
	offer      Offer
	withdrawn  bool
	hidden     bool
	position   *int
	reserved   int
	departures []Departure
}

// Follow copies what product has told when it is newer; news that come late change nothing. A product that
// was discontinued is withdrawn for good, whatever is heard afterwards.
func (i *DisplayItem) Follow(o Offer, departures []PlannedDeparture) (changed bool) {
	if o.Version <= i.offer.Version {
		return false
	}
	i.offer = o
	i.withdrawn = i.withdrawn || o.Discontinued
	i.plan(departures)
	return true
}

// Bounds of a position in the display.
const (
	minPosition = 1
	maxPosition = 1_000_000
)

// CheckPosition refuses with fault.Invalid a place that does not exist; nil is none of its own.
func CheckPosition(position *int) error {
	var wrong fault.Fields
	wrong.Check(position == nil || *position >= minPosition && *position <= maxPosition, "position", fault.OutOfRange, "1..1000000")
	return wrong.Err()
}

// Hide takes the item off the list, or puts it back; it can still be read and reserved by who knows it.
func (i *DisplayItem) Hide(hidden bool) { i.hidden = hidden }

// Place gives the item a place in the list: 1 is the first; nil puts it among those without, the newest first.
func (i *DisplayItem) Place(position *int) { i.position = position }

// Displayed says whether the item can be read: product has told of it and has not discontinued it.
func (i *DisplayItem) Displayed() bool { return i.offer.Version > 0 && !i.withdrawn }

// Listed says whether the item is in the list.
func (i *DisplayItem) Listed() bool { return i.Displayed() && !i.hidden }

// OwnedBy says whether the product is the MD's.
func (i *DisplayItem) OwnedBy(md MDID) bool { return i.offer.Version > 0 && i.offer.MD == md }

// DiscountedPrice is what one traveller pays, in won.
func (i *DisplayItem) DiscountedPrice() money.KRW {
	return terms.PriceOf(i.offer.Price, i.offer.DiscountRate, 1).Payable
}

// Schedule is the cancellation schedule of a reservation made on the date. Its version is what reservation
// asks customers to accept.
func (i *DisplayItem) Schedule(reserved terms.Date) terms.Schedule {
	if p := i.offer.Policy; p.Type == terms.Special {
		return terms.Schedule{Version: p.Version, Tiers: p.Tiers}
	}
	return terms.StandardSchedule(i.offer.Kind, i.offer.Nights, reserved)
}

// Coming are the departures that can still be travelled: those after today in Seoul.
func (i *DisplayItem) Coming(today terms.Date) []Departure {
	coming := make([]Departure, 0, len(i.departures))
	for _, d := range i.departures {
		if d.Date > today {
			coming = append(coming, d)
		}
	}
	return coming
}

// AsOf is the time of the latest event that the item shows.
func (i *DisplayItem) AsOf() time.Time {
	latest := i.offer.AsOf
	for _, d := range i.departures {
		if d.Seats.AsOf.After(latest) {
			latest = d.Seats.AsOf
		}
	}
	return latest
}

// Snapshot is the whole state of an item, for storage and for showing it.
type Snapshot struct {
	Offer      Offer
	Withdrawn  bool
	Hidden     bool
	Position   *int
	Reserved   int // reservations that are CONFIRMED or COMPLETED
	Departures []Departure
}

// Snapshot gives the state.
func (i *DisplayItem) Snapshot() Snapshot {
	return Snapshot{i.offer, i.withdrawn, i.hidden, i.position, i.reserved, i.departures}
}

// Restore makes the item of a stored state; no rule is applied again.
func Restore(s Snapshot) *DisplayItem {
	return &DisplayItem{s.Offer, s.Withdrawn, s.Hidden, s.Position, s.Reserved, s.Departures}
}
