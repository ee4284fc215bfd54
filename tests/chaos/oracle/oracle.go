// Package oracle judges a run from outside. It shares no code with the services: its own structs, its own tables of
// fees and compensations, written anew from the domain's description. What it needs it reads itself, from the
// databases, the state store, the API and the provider's ledger.
package oracle

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Sources are where the oracle looks.
type Sources struct {
	DB     map[string]*sql.DB // by service: product, store, reservation, payment
	Redis  *redis.Client      // the view's store
	Get    func(ctx context.Context, user, path string) ([]byte, error)
	Ledger func() ([]byte, error) // the provider's own
}

// Finding is one thing that must not be.
type Finding struct {
	Kind    string `json:"kind"`
	Subject string `json:"subject"` // an id
	Detail  string `json:"detail"`
}

func (f Finding) String() string { return f.Kind + " " + f.Subject + ": " + f.Detail }

// AtOnce says that it must not be at any instant; the others may pass while things are on their way.
func (f Finding) AtOnce() bool {
	return has([]string{Oversold, SeatsDiffer, Unpaid, KeyShared, HistoryBroken, NotLinearizable}, f.Kind)
}

// Kinds of findings.
const (
	Oversold         = "OVERSOLD"          // more seats taken than there are
	SeatsDiffer      = "SEATS_DIFFER"      // a departure's counts are not those of its reservations
	Unpaid           = "UNPAID"            // established without an approved payment of exactly the amount due
	MoneyDiffers     = "MONEY_DIFFERS"     // the provider's net is not what the reservation's state says
	Orphan           = "ORPHAN"            // a charge or a reservation that nobody asked for
	FeeDiffers       = "FEE_DIFFERS"       // fee or refund is not that of the tables
	RefundRepeated   = "REFUND_REPEATED"   // the same money went back twice
	CompensationOff  = "COMPENSATION_OFF"  // not that of the table, or not once
	BrokenPromise    = "BROKEN_PROMISE"    // what a client was told is not so
	KeyShared        = "KEY_SHARED"        // one key, two reservations
	HistoryBroken    = "HISTORY_BROKEN"    // a row is missing, or a step that does not exist
	InboxDiffers     = "INBOX_DIFFERS"     // a notice too many, too few, or a gap
	ViewDiffers      = "VIEW_DIFFERS"      // a document is not what its owner says
	StoreDiffers     = "STORE_DIFFERS"     // so in the store
	Unsettled        = "UNSETTLED"         // still on its way
	Undelivered      = "UNDELIVERED"       // an event waits in an outbox
	DeadLetter       = "DEAD_LETTER"       // an event was given up
	NotLinearizable  = "NOT_LINEARIZABLE"  // no order of the calls explains what the clients were told
	Blind            = "BLIND"             // nothing could be seen, and no fault explains it
	DiscontinuedOpen = "DISCONTINUED_OPEN" // displayed although it is no more
)

type findings []Finding

func (f *findings) add(kind, subject, format string, args ...any) {
	*f = append(*f, Finding{kind, subject, fmt.Sprintf(format, args...)})
}

// Judge is everything that must hold once the dust has settled. Calls are what the clients were told.
func (w *World) Judge(calls *Log) []Finding {
	var all []Finding
	all = append(all, w.seats(calls)...)
	all = append(all, w.histories(calls)...)
	all = append(all, w.money()...)
	all = append(all, w.cancellations()...)
	all = append(all, w.promises(calls)...)
	all = append(all, w.words(calls)...)
	all = append(all, w.ownIDs(calls)...)
	all = append(all, w.noShows(calls)...)
	all = append(all, w.inboxes()...)
	all = append(all, w.view()...)
	all = append(all, w.display()...)
	all = append(all, w.settled(calls)...)
	slices.SortStableFunc(all, func(a, b Finding) int { return strings.Compare(a.Kind, b.Kind) })
	return all
}
