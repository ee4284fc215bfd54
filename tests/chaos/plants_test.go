package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"oneqtour/tests/chaos/oracle"
)

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

// row takes a row out of a table and puts it back, but for what the database computes.
func row(service, table, where string, args ...any) func(*testing.T) func() {
	return func(t *testing.T) func() {
		var columns string
		if err := sys.Database(t, service).QueryRow(`SELECT GROUP_CONCAT(column_name) FROM information_schema.columns
			WHERE table_schema = DATABASE() AND table_name = ? AND COALESCE(generation_expression, '') = ''`, table).Scan(&columns); err != nil {
			t.Fatal(err)
		}
		exec(t, service, "CREATE TABLE planted AS SELECT "+columns+" FROM "+table+" WHERE "+where, args...)
		exec(t, service, "DELETE FROM "+table+" WHERE "+where, args...)
		return func() {
			exec(t, service, "INSERT INTO "+table+" ("+columns+") SELECT "+columns+" FROM planted")
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

// lastNotice takes the newest notice of an MD away, as if it had never been numbered.
func lastNotice(n oracle.Notice) func(*testing.T) func() {
	notice := row("product", "notices", "md_id = ? AND seq = ?", n.MD, n.Seq)
	counter := change("product", "UPDATE inboxes SET last_seq = last_seq + ? WHERE md_id = ?", -1, 1, n.MD)
	return func(t *testing.T) func() {
		back, counted := notice(t), counter(t)
		return func() { counted(); back() }
	}
}

// outboxRow is an event that somebody claimed for a day.
func outboxRow(t *testing.T) func() {
	exec(t, "reservation", `INSERT INTO outbox (id, topic, partition_key, event, claim, claimed_until)
		VALUES ('planted', 'reservation', 'planted', '{}', 'planted', NOW(6) + INTERVAL 1 DAY)`)
	return func() { exec(t, "reservation", "DELETE FROM outbox WHERE id = 'planted'") }
}

// refundStatus has a refund that was done wait for an operator.
func refundStatus(t *testing.T, w *oracle.World, reservation string) func(*testing.T) func() {
	t.Helper()
	for _, r := range w.Refunds {
		if p := w.Payments[r.Payment]; p != nil && p.Reservation == reservation && r.Cause == "CANCELLATION" && r.Status == "DONE" {
			return change("payment", "UPDATE refunds SET status = ? WHERE refund_id = ?", "STUCK", "DONE", r.ID)
		}
	}
	t.Fatalf("%s has no refund of its cancellation", reservation)
	return nil
}

func deadLetter(t *testing.T) func() {
	exec(t, "store", "INSERT INTO dead_letters (id, topic, type, subject, reason, at, payload) VALUES ('store:planted', '', '', '', '', NOW(), '')")
	return func() { exec(t, "store", "DELETE FROM dead_letters WHERE id = 'store:planted'") }
}

// viewLetter is a dead letter that the view keeps among its documents.
func viewLetter(t *testing.T) func() {
	client, ctx, key := redisOf(t), context.Background(), oracle.Key("viewpage:"+newID())
	if err := client.HSet(ctx, key, "data", `{"replays":[{"result":"why not"}]}`).Err(); err != nil {
		t.Fatal(err)
	}
	return func() { client.Del(ctx, key) }
}

// viewDocument changes a document where the view keeps it: the number behind the last of the words, which follow each
// other.
func viewDocument(name string, words ...string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		client, ctx, key := redisOf(t), context.Background(), oracle.Key("g1:"+name)
		whole, err := client.HGet(ctx, key, "data").Result()
		if err != nil {
			t.Fatal(err)
		}
		set := func(text string) {
			if err := client.HSet(ctx, key, "data", text).Err(); err != nil {
				t.Fatal(err)
			}
		}
		at := 0
		for _, w := range words {
			next := strings.Index(whole[at:], w)
			if next < 0 {
				t.Fatalf("no %s in %s", w, whole)
			}
			at += next + len(w)
		}
		set(whole[:at] + "1" + whole[at:])
		return func() { set(whole) }
	}
}

// again is a line of the provider's journal that is there a second time, as it is or for another order.
type again struct{ kind, order, as string }

// intoLedger writes lines into the journal while the provider is away. It is killed, since to end by itself it waits for
// payment's connections.
func intoLedger(t *testing.T, lines ...again) (undo func()) {
	t.Helper()
	file := filepath.Join(sys.Dir, "data", "paymentsim.jsonl")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write := func(text []byte) {
		t.Helper()
		sys.Killed(t, "paymentsim")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		sys.Server(t, "start", "paymentsim")
	}
	text := slices.Clone(whole)
	for _, l := range lines {
		line := lineOf(string(whole), fmt.Sprintf(`"entry":{"kind":%q,"orderId":%q`, l.kind, l.order))
		if line == "" {
			t.Fatalf("the journal has no %s of %s", l.kind, l.order)
		}
		if l.as != l.order {
			line = strings.ReplaceAll(strings.ReplaceAll(line, l.order, l.as), `"paymentKey":"sim_`, `"paymentKey":"planted_`)
		}
		text = append(text, line...)
	}
	write(text)
	return func() { write(whole) }
}

func lineOf(text, with string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, with) {
			return line
		}
	}
	return ""
}

// openedAgain lets a reservation that was rejected be opened and rejected again, so many times; cause is why it had been
// rejected, and is again.
func openedAgain(r *oracle.Reservation, times int, cause string) func(*testing.T) func() {
	return func(t *testing.T) func() {
		db := sys.Database(t, "reservation")
		var whole string
		if err := db.QueryRow("SELECT document FROM reservations WHERE id = ?", r.ID).Scan(&whole); err != nil {
			t.Fatal(err)
		}
		var doc object
		if err := json.Unmarshal([]byte(whole), &doc); err != nil {
			t.Fatal(err)
		}
		history := doc["history"].([]any)
		history[len(history)-1].(object)["cause"] = cause
		version := r.Version
		for range times {
			for _, step := range [][2]string{{"REJECTED", "PENDING"}, {"PENDING", "REJECTED"}} {
				version++
				history = append(history, object{"version": version, "kind": "TRANSITION", "from": step[0], "to": step[1], "at": time.Now().UTC(), "actor": "planted", "cause": cause})
			}
		}
		doc["history"], doc["version"] = history, version
		changed, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		set := func(document string, version int64) {
			exec(t, "reservation", "UPDATE reservations SET document = ?, version = ? WHERE id = ?", document, version, r.ID)
		}
		set(string(changed), version)
		return func() { set(whole, r.Version) }
	}
}

// both plants two things.
func both(one, other func(*testing.T) func()) func(*testing.T) func() {
	return func(t *testing.T) func() {
		first, second := one(t), other(t)
		return func() { second(); first() }
	}
}
