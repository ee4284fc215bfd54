package domain

import (
	"cmp"
	"slices"
	"time"
)

// KeepNotices is how long an acknowledged notice can still be read.
const KeepNotices = 90 * 24 * time.Hour

// Notice tells an MD of one change of a reservation of the MD's products. Per MD the notices are numbered
// without gaps.
type Notice struct {
	Seq           int64 // 1, 2, 3 … per MD; 0 while it has no number
	ReservationID string
	ProductID     ProductID
	Version       int64  // of the reservation after the change
	Status        string // of the reservation after the change
	Kind          string // of the change: TRANSITION, or what happened without one
	Cause         string
	At            time.Time
	Acknowledged  bool
}

// HistoryRow is one line of a reservation's history. The first has no From; one that is no transition, such as
// a refund that was made or a compensation that was paid, has From = To.
type HistoryRow struct {
	Version     int64
	Kind, Cause string
	From, To    string
	At          time.Time
}

// ReservationNews is what an event says of a reservation: its whole history, however many events were missed.
type ReservationNews struct {
	ReservationID string
	MD            MDID
	ProductID     ProductID
	DepartureID   DepartureID
	Version       int64
	Status        string
	Stuck         bool // money of it cannot go back by itself
	History       []HistoryRow
}

// MissingNotices are the notices that the MD should have of the reservation and has not: one for every row of
// the history except the first, which is no news to act on. Up to the version heard all were made, whether they are
// still kept or not; known are the versions of those that are.
func (r ReservationNews) MissingNotices(heard int64, known []int64) []Notice {
	var missing []Notice
	for _, row := range r.History {
		if row.From == "" || row.Version <= heard || slices.Contains(known, row.Version) {
			continue
		}
		missing = append(missing, Notice{ReservationID: r.ReservationID, ProductID: r.ProductID,
			Version: row.Version, Status: row.To, Kind: row.Kind, Cause: row.Cause, At: row.At})
	}
	slices.SortStableFunc(missing, func(a, b Notice) int { return cmp.Compare(a.Version, b.Version) })
	return slices.CompactFunc(missing, func(a, b Notice) bool { return a.Version == b.Version })
}

// FinishedAt is when the reservation reached the final state that it is in; ok is false while it is in none. The
// last transition decides: one that was rejected may have been opened again.
func (r ReservationNews) FinishedAt() (at time.Time, ok bool) {
	var last HistoryRow
	for _, row := range r.History {
		if row.From != row.To && row.Version >= last.Version {
			last = row
		}
	}
	return last.At, last.To == "REJECTED" || last.To == "CANCELLED" || last.To == "COMPLETED"
}

// ClosureProgress counts the reservations that were alive when their departure was closed, or came after.
type ClosureProgress struct {
	Total  int
	Done   int // in a final state by now
	Failed int // of those not done: money that needs an operator's hand
}
