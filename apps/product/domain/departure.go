package domain

import (
	"oneqtour/apps/internal/fault"
	"oneqtour/apps/internal/terms"
)

// Departure is one date on which a product can be travelled.
type Departure struct {
	ID              DepartureID
	Date            terms.Date
	Capacity        int // seats the MD offers; reservation never goes below what is taken
	MinParticipants int
	Closure         *Closure // nil while the departure takes place
}

// matchDepartures makes the departures of a revised product from the known ones and the draft. A known
// departure is matched by its id and is neither left out nor moved to another date, since people may hold
// seats on it; it is closed instead. One without id is new and must lie in the future in Seoul.
func matchDepartures(known []Departure, drafts []DepartureDraft, on Occasion, wrong *fault.Fields) []Departure {
	byID := make(map[DepartureID]Departure, len(known))
	for _, d := range known {
		byID[d.ID] = d
	}
	departures := make([]Departure, 0, len(drafts))
	seen := make(map[DepartureID]bool, len(drafts))
	for i, draft := range drafts {
		at := departureField(i)
		d := Departure{ID: draft.ID, Date: draft.Date, Capacity: draft.Capacity, MinParticipants: draft.MinParticipants}
		if draft.ID == "" {
			d.ID = DepartureID(on.NewID())
			wrong.Check(draft.Date > on.today(), at+".date", fault.InThePast, "> "+string(on.today()))
			wrong.Check(draft.Closure == nil, at+".closure", fault.ReadOnly, "")
		} else if was, ok := byID[draft.ID]; ok {
			wrong.Check(!seen[draft.ID], at+".departureId", fault.Duplicate, "")
			wrong.Check(draft.Date == was.Date, at+".date", fault.ReadOnly, string(was.Date))
			wrong.Check(draft.Closure == nil || was.Closure != nil && draft.Closure.sameAs(*was.Closure), at+".closure", fault.ReadOnly, "")
			d.Closure = was.Closure
		} else {
			wrong.Check(false, at+".departureId", fault.NotAllowed, "")
		}
		seen[draft.ID] = true
		departures = append(departures, d)
	}
	for _, d := range known {
		wrong.Check(seen[d.ID], "departures", fault.Required, string(d.ID))
	}
	return departures
}
