package main

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"testing"
	"time"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/mysql"
	"oneqtour/apps/payment/usecase"
)

// The row is held up past the deadline of its caller and stored afterwards. Nobody was called, but to say "not
// sent" would end the reservation without the void order that alone can end the row.
func TestK3_APaymentThatIsStoredAfterItsDeadlineIsUnknownAndEndsByTheVoidOrder(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	db := dbtest.Open(t, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	s := serveWith(t, db, sim.url, usecase.Settings{Pace: pace, AnswerWithin: 200 * time.Millisecond})
	r := charge(newID(), 10_000, "tok_ok")

	// Somebody else is about to store the same payment, and gives up when the caller has left.
	holder, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = holder.Exec(`INSERT INTO payments (payment_id, reservation_id, purpose, method, amount, status, decline_code, charged,
		version, correlation_id, causation_id, attempts) VALUES (?, ?, 'PRICE', 'CARD', 1, 'REQUESTED', '', 0, 1, '', '', 0)`, newID(), r.ReservationID)
	if err != nil {
		t.Fatal(err)
	}
	status, word := s.approve(r)
	if err := holder.Rollback(); err != nil {
		t.Fatal(err)
	}
	if status != 504 || word != "UNKNOWN" {
		t.Errorf("answered %d %s", status, word)
	}
	s.becomes(r.ReservationID, "REQUESTED")
	s.resumes()
	s.becomes(r.ReservationID, "UNKNOWN")
	s.voidOrder(r.ReservationID)
	s.becomes(r.ReservationID, "VOIDED")
	if _, _, entries := sim.ledger(r.ReservationID); entries != 0 {
		t.Errorf("%d entries", entries)
	}
}

// The server refuses the row: that is certain.
func TestAPaymentThatTheDatabaseRefusesIsNotSent(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url)
	if _, err := s.db.Exec("RENAME TABLE payments TO hidden"); err != nil {
		t.Fatal(err)
	}
	r := charge(newID(), 10_000, "tok_ok")
	if status, word := s.approve(r); status != 503 || word != "NOT_SENT" {
		t.Errorf("answered %d %s", status, word)
	}
	if _, err := s.db.Exec("RENAME TABLE hidden TO payments"); err != nil {
		t.Fatal(err)
	}
	if got := s.stored(r.ReservationID).Status; got != domain.Status("") {
		t.Errorf("stored %s", got)
	}
}

func TestABodyIsNeitherInflatedNorReadWithoutLimit(t *testing.T) {
	s := serve(t, "http://"+freeAddr(t))
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(bytes.Repeat([]byte(" "), 1<<20))
	_ = w.Close()
	bomb := bytes.Repeat(packed.Bytes(), 64) // files behind each other are one
	huge := bytes.Repeat([]byte(" "), 2<<20)
	for path, caller := range map[string]string{contract.ApprovePath: "reservation", "/webhooks/payment": "gateway"} {
		if status, _ := s.callWith(http.Header{"Content-Encoding": {"gzip"}}, path, bomb, caller); status >= 500 || status == http.StatusUnprocessableEntity {
			t.Errorf("%s, packed: %d", path, status)
		}
		if status, _ := s.call(path, huge, caller); status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s, 2 MB: %d", path, status)
		}
	}
	// A packed request is refused, not obeyed after unpacking.
	packed.Reset()
	w.Reset(&packed)
	_, _ = w.Write([]byte(`{"reservationId":"` + newID() + `","purpose":"PRICE"}`))
	_ = w.Close()
	if status, raw := s.callWith(http.Header{"Content-Encoding": {"gzip"}}, contract.InquirePath, packed.Bytes(), "reservation"); status != http.StatusBadRequest && status != http.StatusUnsupportedMediaType {
		t.Errorf("a packed inquiry: %d %s", status, raw)
	}
}
