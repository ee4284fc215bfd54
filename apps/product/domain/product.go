// Package domain is what is true of travel products: what may be offered, how it may be revised, and that a
// departure which was opened stays until it is travelled or closed.
package domain

import (
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
)

// ProductID, MDID and DepartureID name things; they are UUIDs but for the MD, who is a subject of the issuer.
type (
	ProductID   string
	MDID        string
	DepartureID string
)

// Status of a product.
type Status string

// The states of a product. See lifecycle.go for the ways between them.
const (
	Open         Status = "OPEN"
	Discontinued Status = "DISCONTINUED"
)

// TourProduct is a travel product of one MD with its departures; it is changed as a whole.
type TourProduct struct {
	id            ProductID
	md            MDID
	status        Status
	version       int64
	details       Details
	policyVersion string
	departures    []Departure
	createdAt     time.Time
}

// Occasion is when a change is made, and where the ids of what it creates come from.
type Occasion struct {
	At    time.Time // UTC, whole microseconds
	NewID func() string
}

func (o Occasion) today() terms.Date { return terms.DateOf(o.At) }

// Register makes a product of the MD. fault.Invalid names every member that breaks a rule.
func Register(id ProductID, md MDID, d Draft, on Occasion) (*TourProduct, error) {
	if err := d.Check(); err != nil {
		return nil, err
	}
	p := &TourProduct{id: id, md: md, status: Open, version: 1, createdAt: on.At}
	var wrong fault.Fields
	d.Repeats.checkAbsent(&wrong)
	p.departures = matchDepartures(nil, d.Departures, on, &wrong)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	p.details = d.details()
	p.policyVersion = p.details.Policy.version(Policy{}, "", p.version)
	return p, nil
}

// Revise replaces everything that the MD may change, price included. Reservations keep what they were made
// with. Errors: Discontinued, Stale (seen is not the version of the product), Invalid.
func (p *TourProduct) Revise(d Draft, seen int64, on Occasion) error {
	if err := p.mustBeOpen(); err != nil {
		return err
	}
	if seen != p.version {
		return fault.New(fault.Stale)
	}
	if err := d.Check(); err != nil {
		return err
	}
	var wrong fault.Fields
	d.Repeats.check(p, &wrong)
	wrong.Check(d.Kind == p.details.Kind, "kind", fault.ReadOnly, "")
	departures := matchDepartures(p.departures, d.Departures, on, &wrong)
	if err := wrong.Err(); err != nil {
		return err
	}
	before := p.details.Policy
	p.enter(Open)
	p.details, p.departures = d.details(), departures
	p.policyVersion = p.details.Policy.version(before, p.policyVersion, p.version)
	return nil
}

// OwnedBy says whether the product is the MD's.
func (p *TourProduct) OwnedBy(md MDID) bool { return p.md == md }

// Version counts the changes, the registration included.
func (p *TourProduct) Version() int64 { return p.version }

// ID names the product.
func (p *TourProduct) ID() ProductID { return p.id }

// Snapshot is the whole state of a product, for storage and for telling others.
type Snapshot struct {
	ID            ProductID
	MD            MDID
	Status        Status
	Version       int64
	Details       Details
	PolicyVersion string // STANDARD, or SPECIAL-<version of the product in which the special terms last changed>
	Departures    []Departure
	CreatedAt     time.Time
}

// Snapshot gives the state.
func (p *TourProduct) Snapshot() Snapshot {
	return Snapshot{ID: p.id, MD: p.md, Status: p.status, Version: p.version, Details: p.details,
		PolicyVersion: p.policyVersion, Departures: p.departures, CreatedAt: p.createdAt}
}

// Restore makes the product of a stored state; no rule is applied again.
func Restore(s Snapshot) *TourProduct {
	return &TourProduct{id: s.ID, md: s.MD, status: s.Status, version: s.Version, details: s.Details,
		policyVersion: s.PolicyVersion, departures: s.Departures, createdAt: s.CreatedAt}
}
