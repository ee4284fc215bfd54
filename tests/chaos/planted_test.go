package chaos

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// The oracle can find: each of these violations, planted into a system that is in order, is found, and nothing is
// found any more once it has been undone.
func TestTheOracleFindsWhatIsPlanted(t *testing.T) {
	people := whole(t)
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	people.run(ctx, 99)
	s := sources(t)
	settled := &report{}
	w := settled.settle(t, s, people.log)
	if len(settled.Findings) > 0 {
		t.Fatalf("nothing is planted yet, and it found %v", settled.Findings)
	}
	for _, v := range violations(t, w) {
		t.Run(v.name, func(t *testing.T) {
			undo := v.plant(t)
			if found := judged(t, s, people.log); !mentions(found, v.kind, v.subject) {
				t.Errorf("no %s of %s found, but %v", v.kind, v.subject, found)
			}
			undo()
			if found := judged(t, s, people.log); len(found) > 0 {
				t.Fatalf("undone, and it still finds %v", found)
			}
		})
	}
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
	all := []violation{
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
		{"a document of the view", oracle.ViewDiffers, confirmed.ID, viewDocument(confirmed.ID)},
		{"a reservation count in the store", oracle.StoreDiffers, confirmed.Product, change("store", "UPDATE items SET reserved = reserved + ? WHERE product_id = ?", 1, -1, confirmed.Product)},
		{"an unsettled reservation", oracle.Unsettled, confirmed.ID, status(confirmed.ID, "CONFIRMED", "PENDING")},
		{"a dead letter", oracle.DeadLetter, "store", deadLetter},
	}
	for id, debts := range w.Owed {
		if len(debts) == 1 && debts[0] > 0 {
			all = append(all, violation{"a compensation is lost", oracle.CompensationOff, id, row("reservation", "compensations", "reservation_id = ?", id)})
			break
		}
	}
	return all
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

func exec(t *testing.T, service, query string, args ...any) {
	t.Helper()
	if _, err := sys.Database(t, service).Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// change is a statement whose first parameter is another one to undo it.
func change(service, query string, plant, undo any, args ...any) func(*testing.T) func() {
	return func(t *testing.T) func() {
		exec(t, service, query, append([]any{plant}, args...)...)
		return func() { exec(t, service, query, append([]any{undo}, args...)...) }
	}
}

// row takes a row out of a table and puts it back.
func row(service, table, where string, args ...any) func(*testing.T) func() {
	return func(t *testing.T) func() {
		exec(t, service, "CREATE TABLE planted AS SELECT * FROM "+table+" WHERE "+where, args...)
		exec(t, service, "DELETE FROM "+table+" WHERE "+where, args...)
		return func() {
			exec(t, service, "INSERT INTO "+table+" SELECT * FROM planted")
			exec(t, service, "DROP TABLE planted")
		}
	}
}

func document(path string, old, changed any, id string) func(*testing.T) func() {
	return change("reservation", "UPDATE reservations SET document = JSON_SET(document, '"+path+"', ?) WHERE id = ?", changed, old, id)
}

// historyRow takes the last row of a history away.
func historyRow(id string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		var whole string
		if err := sys.Database(t, "reservation").QueryRow("SELECT document FROM reservations WHERE id = ?", id).Scan(&whole); err != nil {
			t.Fatal(err)
		}
		exec(t, "reservation", "UPDATE reservations SET document = JSON_REMOVE(document, '$.history[1]') WHERE id = ?", id)
		return func() { exec(t, "reservation", "UPDATE reservations SET document = ? WHERE id = ?", whole, id) }
	}
}

func status(id, old, changed string) func(*testing.T) func() {
	set := "UPDATE reservations SET status = ?, document = JSON_SET(document, '$.status', status) WHERE id = ?"
	return change("reservation", set, changed, old, id)
}

func deadLetter(t *testing.T) func() {
	exec(t, "store", "INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload) VALUES ('store:planted', '', '', '', '', NOW(), '')")
	return func() { exec(t, "store", "DELETE FROM dead_letters WHERE id = 'store:planted'") }
}

// viewDocument changes a reservation's document where the view keeps it.
func viewDocument(id string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		client, ctx, key := redisOf(t), context.Background(), oracle.Key("g1:reservation:"+id)
		whole, err := client.HGet(ctx, key, "data").Result()
		if err != nil {
			t.Fatal(err)
		}
		set := func(text string) {
			if err := client.HSet(ctx, key, "data", text).Err(); err != nil {
				t.Fatal(err)
			}
		}
		set(strings.Replace(whole, `"travellers":`, `"travellers":1`, 1))
		return func() { set(whole) }
	}
}

// ledgerAgain writes a line of the provider's journal a second time, as it is or for another order, while the provider
// is away.
func ledgerAgain(kind, order, as string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		file := filepath.Join(sys.Dir, "data", "paymentsim.jsonl")
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write := func(text []byte) {
			sys.Server(t, "stop", "paymentsim")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			sys.Server(t, "start", "paymentsim")
		}
		line := lineOf(string(whole), fmt.Sprintf(`"entry":{"kind":%q,"orderId":%q`, kind, order))
		if line == "" {
			t.Fatalf("the journal has no %s of %s", kind, order)
		}
		if as != order {
			line = strings.ReplaceAll(strings.ReplaceAll(line, order, as), `"paymentKey":"sim_`, `"paymentKey":"planted_`)
		}
		write(append(whole[:len(whole):len(whole)], line...))
		return func() { write(whole) }
	}
}

func lineOf(text, with string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, with) {
			return line
		}
	}
	return ""
}
