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
			v.isAmong(t, judged(t, s, people.log, w, v.in))
			if slices.Contains([]string{oracle.Unpaid, oracle.SeatsDiffer, oracle.Oversold}, v.kind) {
				v.isAmong(t, sampled(t, s, people.log))
			}
			undo()
		})
	}
	inTheLedger(t, s, w, people.log, absent)
	after, err := s.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if found := after.Judge(people.log); len(found) > 0 {
		t.Errorf("all is undone, and it still finds %v", found)
	}
}

// inOrder is a system that has settled, with something of all that is to be planted into.
func inOrder(t *testing.T, people *load, s oracle.Sources) *oracle.World {
	t.Helper()
	for seed := range uint64(15) { // a busy machine does less in a round
		settled := &report{}
		w := settled.settle(t, s, people.log)
		if len(settled.Findings) > 0 {
			t.Fatalf("nothing is planted yet, and it found %v", settled.Findings)
		}
		own, other := declined(w, people.log)
		if owed(w) != "" && own != nil && other != nil && slices.ContainsFunc(people.log.Calls(), misused) {
			return w // the tests before may have done it all
		}
		ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
		people.run(ctx, 99+seed)
		cancel()
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

// judged is what is found when some parts of a world that was in order are read again.
func judged(t *testing.T, s oracle.Sources, calls *oracle.Log, inOrder *oracle.World, parts ...oracle.Part) []oracle.Finding {
	t.Helper()
	w, err := s.Again(context.Background(), inOrder, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return w.Judge(calls)
}

// inTheLedger are the violations that are lines of the provider's journal, each of another reservation. It reads the
// journal when it starts, so they are planted all at once.
func inTheLedger(t *testing.T, s oracle.Sources, w *oracle.World, calls *oracle.Log, absent string) {
	t.Helper()
	confirmed, cancelled, stranger := some(t, w, "CONFIRMED").ID, "", newID()
	var order string
	for _, c := range w.Ledger {
		id, _, whole := strings.Cut(c.OrderID, "-PRICE")
		if strings.HasPrefix(c.OrderID, confirmed) {
			order = c.OrderID
		}
		if r := w.Reservations[id]; whole && c.Kind == "REFUND" && r != nil && r.Status == "CANCELLED" && id != absent {
			cancelled = id
		}
	}
	planted := []struct {
		violation
		line again
	}{
		{violation{name: "a charge of nobody", kind: oracle.Orphan, subject: stranger}, again{"CHARGE", order, stranger + "-PRICE"}},
		{violation{name: "a second charge", kind: oracle.MoneyDiffers, subject: confirmed}, again{"CHARGE", order, order}},
		{violation{name: "a second refund", kind: oracle.RefundRepeated, subject: cancelled}, again{"REFUND", cancelled + "-PRICE", cancelled + "-PRICE"}},
		{violation{name: "a no-show whose money went back whole", kind: oracle.MoneyDiffers, subject: absent}, again{"REFUND", absent + "-PRICE", absent + "-PRICE"}},
	}
	var lines []again
	for _, p := range planted {
		lines = append(lines, p.line)
	}
	undo := intoLedger(t, lines...)
	found := judged(t, s, calls, w, oracle.Payments)
	for _, p := range planted {
		t.Run(p.name, func(t *testing.T) { p.isAmong(t, found) })
	}
	undo()
}

func mentions(found []oracle.Finding, kind, subject string) bool {
	for _, f := range found {
		if f.Kind == kind && strings.HasPrefix(f.Subject, subject) {
			return true
		}
	}
	return false
}

// violation is planted into one part of the world, and its subject must be found with its kind.
type violation struct {
	name, kind, subject string
	in                  oracle.Part
	plant               func(*testing.T) (undo func())
}

func (v violation) isAmong(t *testing.T, found []oracle.Finding) {
	t.Helper()
	if !mentions(found, v.kind, v.subject) {
		t.Errorf("no %s of %s found, but %v", v.kind, v.subject, found)
	}
}

func violations(t *testing.T, w *oracle.World) []violation {
	t.Helper()
	confirmed, cancelled := some(t, w, "CONFIRMED"), some(t, w, "CANCELLED")
	var payment string
	for id, p := range w.Payments {
		if p.Reservation == confirmed.ID {
			payment = id
		}
	}
	last := w.LastSeq[mds[0]]
	var newest oracle.Notice
	for _, n := range w.Notices {
		if n.MD == mds[0] && n.Seq == last {
			newest = n
		}
	}
	debtor := owed(w)
	return []violation{
		{"the last notice is lost and not counted", oracle.InboxDiffers, newest.Reservation, oracle.Products, lastNotice(newest)},
		{"a total of the board", oracle.ViewDiffers, confirmed.Departure, oracle.View, viewDocument("totals:"+confirmed.Product, `"`+confirmed.Departure+`":`, `"confirmed":`)},
		{"one won of a compensation", oracle.CompensationOff, debtor, oracle.Owed, change("reservation", "UPDATE compensations SET amount = amount + ? WHERE reservation_id = ?", 1, -1, debtor)},
		{"a compensation is lost", oracle.CompensationOff, debtor, oracle.Owed, row("reservation", "compensations", "reservation_id = ?", debtor)},
		{"an event stays in its outbox", oracle.Undelivered, "reservation", oracle.Leftovers, outboxRow},
		{"a payment is in no final state", oracle.Unsettled, payment, oracle.Payments, change("payment", "UPDATE payments SET status = ? WHERE payment_id = ?", "PLANTED", "APPROVED", payment)},
		{"a refund of a cancellation is not done", oracle.Unsettled, cancelled.ID, oracle.Payments, refundStatus(t, w, cancelled.ID)},
		{"one won of a payment", oracle.Unpaid, confirmed.ID, oracle.Payments, change("payment", "UPDATE payments SET amount = amount + ? WHERE payment_id = ?", 1, -1, payment)},
		{"one won of a fee", oracle.FeeDiffers, cancelled.ID, oracle.Reservations, document("$.cancellation.fee", cancelled.Cancellation.Fee, cancelled.Cancellation.Fee+1, cancelled.ID)},
		{"a notice is lost", oracle.InboxDiffers, mds[0], oracle.Products, row("product", "notices", "md_id = ? AND seq = ?", mds[0], last)},
		{"a notice in the middle is lost", oracle.InboxDiffers, mds[0], oracle.Products, row("product", "notices", "md_id = ? AND seq = ?", mds[0], last/2+1)},
		{"a seat is counted twice", oracle.SeatsDiffer, confirmed.Departure, oracle.Reservations, change("reservation", "UPDATE departures SET confirmed = confirmed + ? WHERE id = ?", 1, -1, confirmed.Departure)},
		{"a departure is oversold", oracle.Oversold, confirmed.Departure, oracle.Reservations, change("reservation", "UPDATE departures SET held = held + ? WHERE id = ?", 10_000, -10_000, confirmed.Departure)},
		{"a history row is lost", oracle.HistoryBroken, confirmed.ID, oracle.Reservations, historyRow(confirmed.ID)},
		{"a document of the view", oracle.ViewDiffers, confirmed.ID, oracle.View, viewDocument("reservation:"+confirmed.ID, `"travellers":`)},
		{"a reservation count in the store", oracle.StoreDiffers, confirmed.Product, oracle.Store, change("store", "UPDATE items SET reserved = reserved + ? WHERE product_id = ?", 1, -1, confirmed.Product)},
		{"an unsettled reservation", oracle.Unsettled, confirmed.ID, oracle.Reservations, status(confirmed.ID, "CONFIRMED", "PENDING")},
		{"a dead letter", oracle.DeadLetter, "store", oracle.Leftovers, deadLetter},
		{"a dead letter of the view", oracle.DeadLetter, "viewpage", oracle.ViewLetters, viewLetter},
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
