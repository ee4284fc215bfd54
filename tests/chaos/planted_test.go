package chaos

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// The oracle can find: each of these violations, planted into a system that is in order, is found, and nothing is
// found any more once it has been undone.
func TestTheOracleFindsWhatIsPlanted(t *testing.T) {
	people := whole(t)
	s := sources(t)
	tried := people.special(t, 10)
	again, absent := people.comesBack(t, tried), people.doesNotCome(t, tried)
	w := inOrder(t, people, s)
	lies(t, w, people.log)
	liesOfIDs(t, w, people.log, again)
	liesOfNoShows(t, w, people.log, absent)
	for _, v := range append(violations(t, w), violationsOf(w, people.log, absent)...) {
		t.Run(v.name, func(t *testing.T) {
			undo := v.plant(t)
			if found := judged(t, s, people.log); !mentions(found, v.kind, v.subject) {
				t.Errorf("no %s of %s found, but %v", v.kind, v.subject, found)
			}
			if slices.Contains([]string{oracle.Unpaid, oracle.SeatsDiffer, oracle.Oversold}, v.kind) {
				if found := sampled(t, s, people.log); !mentions(found, v.kind, v.subject) {
					t.Errorf("no %s of %s in the sample, but %v", v.kind, v.subject, found)
				}
			}
			undo()
		})
	}
	if found := judged(t, s, people.log); len(found) > 0 {
		t.Errorf("all is undone, and it still finds %v", found)
	}
}

// inOrder is a system that has settled, with something of all that is to be planted into.
func inOrder(t *testing.T, people *load, s oracle.Sources) *oracle.World {
	t.Helper()
	for seed := range uint64(15) { // a busy machine does less in a round
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		people.run(ctx, 99+seed)
		cancel()
		settled := &report{}
		w := settled.settle(t, s, people.log)
		if len(settled.Findings) > 0 {
			t.Fatalf("nothing is planted yet, and it found %v", settled.Findings)
		}
		own, other := declined(w, people.log)
		if owed(w) != "" && own != nil && other != nil && slices.ContainsFunc(people.log.Calls(), misused) {
			return w
		}
	}
	t.Fatal("nobody is owed a compensation, or was declined, or misused an id")
	return nil
}

// owed is a reservation with a compensation.
func owed(w *oracle.World) string {
	for id, debts := range w.Owed {
		if len(debts) == 1 && debts[0] > 0 {
			return id
		}
	}
	return ""
}

func sampled(t *testing.T, s oracle.Sources, calls *oracle.Log) []oracle.Finding {
	t.Helper()
	found, err := oracle.NewSampler(s).Look(context.Background(), calls)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func judged(t *testing.T, s oracle.Sources, calls *oracle.Log) []oracle.Finding {
	t.Helper()
	w, err := s.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return w.Judge(calls)
}

func mentions(found []oracle.Finding, kind, subject string) bool {
	for _, f := range found {
		if f.Kind == kind && strings.HasPrefix(f.Subject, subject) {
			return true
		}
	}
	return false
}

// violation is planted, and its subject must be found with its kind.
type violation struct {
	name, kind, subject string
	plant               func(*testing.T) (undo func())
}

func violations(t *testing.T, w *oracle.World) []violation {
	t.Helper()
	confirmed, cancelled := some(t, w, "CONFIRMED"), some(t, w, "CANCELLED")
	var payment, order string
	for id, p := range w.Payments {
		if p.Reservation == confirmed.ID {
			payment = id
		}
	}
	for _, c := range w.Ledger {
		if strings.HasPrefix(c.OrderID, confirmed.ID) {
			order = c.OrderID
		}
	}
	last := w.LastSeq[mds[0]]
	stranger := newID()
	var newest oracle.Notice
	for _, n := range w.Notices {
		if n.MD == mds[0] && n.Seq == last {
			newest = n
		}
	}
	debtor := owed(w)
	return []violation{
		{"the last notice is lost and not counted", oracle.InboxDiffers, newest.Reservation, lastNotice(newest)},
		{"a total of the board", oracle.ViewDiffers, confirmed.Departure, viewDocument("totals:"+confirmed.Product, `"`+confirmed.Departure+`":`, `"confirmed":`)},
		{"one won of a compensation", oracle.CompensationOff, debtor, change("reservation", "UPDATE compensations SET amount = amount + ? WHERE reservation_id = ?", 1, -1, debtor)},
		{"a compensation is lost", oracle.CompensationOff, debtor, row("reservation", "compensations", "reservation_id = ?", debtor)},
		{"an event stays in its outbox", oracle.Undelivered, "reservation", outboxRow},
		{"a payment is in no final state", oracle.Unsettled, payment, change("payment", "UPDATE payments SET status = ? WHERE payment_id = ?", "PLANTED", "APPROVED", payment)},
		{"a refund of a cancellation is not done", oracle.Unsettled, cancelled.ID, refundStatus(t, w, cancelled.ID)},
		{"one won of a payment", oracle.Unpaid, confirmed.ID, change("payment", "UPDATE payments SET amount = amount + ? WHERE payment_id = ?", 1, -1, payment)},
		{"one won of a fee", oracle.FeeDiffers, cancelled.ID, document("$.cancellation.fee", cancelled.Cancellation.Fee, cancelled.Cancellation.Fee+1, cancelled.ID)},
		{"a notice is lost", oracle.InboxDiffers, mds[0], row("product", "notices", "md_id = ? AND seq = ?", mds[0], last)},
		{"a notice in the middle is lost", oracle.InboxDiffers, mds[0], row("product", "notices", "md_id = ? AND seq = ?", mds[0], last/2+1)},
		{"a seat is counted twice", oracle.SeatsDiffer, confirmed.Departure, change("reservation", "UPDATE departures SET confirmed = confirmed + ? WHERE id = ?", 1, -1, confirmed.Departure)},
		{"a departure is oversold", oracle.Oversold, confirmed.Departure, change("reservation", "UPDATE departures SET held = held + ? WHERE id = ?", 10_000, -10_000, confirmed.Departure)},
		{"a history row is lost", oracle.HistoryBroken, confirmed.ID, historyRow(confirmed.ID)},
		{"a charge of nobody", oracle.Orphan, stranger, ledgerAgain("CHARGE", order, stranger+"-PRICE")},
		{"a second charge", oracle.MoneyDiffers, confirmed.ID, ledgerAgain("CHARGE", order, order)},
		{"a second refund", oracle.RefundRepeated, cancelled.ID, ledgerAgain("REFUND", cancelled.ID+"-PRICE", cancelled.ID+"-PRICE")},
		{"a document of the view", oracle.ViewDiffers, confirmed.ID, viewDocument("reservation:"+confirmed.ID, `"travellers":`)},
		{"a reservation count in the store", oracle.StoreDiffers, confirmed.Product, change("store", "UPDATE items SET reserved = reserved + ? WHERE product_id = ?", 1, -1, confirmed.Product)},
		{"an unsettled reservation", oracle.Unsettled, confirmed.ID, status(confirmed.ID, "CONFIRMED", "PENDING")},
		{"a dead letter", oracle.DeadLetter, "store", deadLetter},
		{"a dead letter of the view", oracle.DeadLetter, "viewpage", viewLetter},
	}
}

// some reservation of the first MD in that state, with a payment that was not refused.
func some(t *testing.T, w *oracle.World, status string) *oracle.Reservation {
	t.Helper()
	for _, r := range w.Reservations {
		if r.Status == status && r.MD == mds[0] && (r.Cancellation == nil || r.Cancellation.Refund > 0) {
			return r
		}
	}
	t.Fatalf("no %s reservation", status)
	return nil
}
