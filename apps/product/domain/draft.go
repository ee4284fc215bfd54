package domain

import (
	"strconv"
	"time"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
)

// Draft is a product as an MD writes it: for registering, or as the revised whole of a registered one.
type Draft struct {
	Details
	Departures []DepartureDraft
	Repeats    Repeats
}

// DepartureDraft is a departure as an MD writes it. Without ID it is a new one. Closure is what the MD repeats
// of a closure that is known.
type DepartureDraft struct {
	ID              DepartureID
	Date            terms.Date
	Capacity        int // seats
	MinParticipants int
	Closure         *Closure
}

const (
	maxDepartures = 100
	maxCapacity   = 10_000
	lastDate      = terms.Date("2999-12-31") // later ones would leave the calendar when nights are added
)

// Check refuses with fault.Invalid whatever is wrong with the draft by itself, without a look at the product.
func (d Draft) Check() error {
	var wrong fault.Fields
	d.Details.check(&wrong)
	wrong.Check(len(d.Departures) > 0, "departures", fault.Required, "")
	if len(d.Departures) > maxDepartures { // not a word on each of them: a body may hold hundreds of thousands
		wrong.Check(false, "departures", fault.TooLong, "<= 100")
		return wrong.Err()
	}
	dates := map[terms.Date]bool{}
	for i, dep := range d.Departures {
		at := departureField(i)
		dep.check(at, &wrong)
		wrong.Check(dep.Date == "" || !dates[dep.Date], at+".date", fault.Duplicate, "")
		dates[dep.Date] = true
	}
	return wrong.Err()
}

func departureField(i int) string { return "departures[" + strconv.Itoa(i) + "]" }

func (d DepartureDraft) check(at string, wrong *fault.Fields) {
	if d.Date == "" {
		wrong.Check(false, at+".date", fault.Required, "")
	} else if _, err := terms.ParseDate(string(d.Date)); err != nil {
		wrong.Check(false, at+".date", fault.BadFormat, "YYYY-MM-DD")
	} else {
		wrong.Check(d.Date <= lastDate, at+".date", fault.OutOfRange, "<= "+string(lastDate))
	}
	wrong.Check(d.Capacity >= 1 && d.Capacity <= maxCapacity, at+".capacity", fault.OutOfRange, "1..10000")
	wrong.Check(d.MinParticipants >= 1 && d.MinParticipants <= max(d.Capacity, 1), at+".minParticipants", fault.OutOfRange, "1..capacity")
}

func (d Draft) details() Details {
	details := d.Details
	details.Name = details.Name.filled()
	details.Description = details.Description.filled()
	details.Policy = details.Policy.filled()
	return details
}

// Repeats are the members of a product that only the service writes, as far as the MD's document repeats
// them; nil is absent. They may be repeated as they are and not be changed.
type Repeats struct {
	ID            *ProductID
	MD            *MDID
	Status        *Status
	Version       *int64
	PolicyVersion *string
	CreatedAt     *time.Time
}

func (r Repeats) check(p *TourProduct, wrong *fault.Fields) {
	repeated(r.ID, p.id, "productId", wrong)
	repeated(r.MD, p.md, "mdId", wrong)
	repeated(r.Status, p.status, "status", wrong)
	repeated(r.Version, p.version, "version", wrong)
	repeated(r.PolicyVersion, p.policyVersion, "policyVersion", wrong)
	wrong.Check(r.CreatedAt == nil || r.CreatedAt.Equal(p.createdAt), "createdAt", fault.ReadOnly, "")
}

// checkAbsent is for a product that is not registered yet: there is nothing to repeat.
func (r Repeats) checkAbsent(wrong *fault.Fields) {
	wrong.Check(r.ID == nil, "productId", fault.ReadOnly, "")
	wrong.Check(r.MD == nil, "mdId", fault.ReadOnly, "")
	wrong.Check(r.Status == nil, "status", fault.ReadOnly, "")
	wrong.Check(r.Version == nil, "version", fault.ReadOnly, "")
	wrong.Check(r.PolicyVersion == nil, "policyVersion", fault.ReadOnly, "")
	wrong.Check(r.CreatedAt == nil, "createdAt", fault.ReadOnly, "")
}

func repeated[T comparable](said *T, is T, name string, wrong *fault.Fields) {
	wrong.Check(said == nil || *said == is, name, fault.ReadOnly, "")
}
