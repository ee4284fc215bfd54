package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestEverythingSurvivesARestart(t *testing.T) {
	s := start(t)
	paid := s.confirm("tok_ok", "order-1", 1000)
	part := s.cancel(paid.PaymentKey, "refund-1", 400)
	s.confirm("tok_declined", "order-2", 1000)
	lost := s.confirm("tok_refund_lost", "order-3", 1000)
	s.restart()

	if again := s.confirm("tok_ok", "order-1", 1000); again.text != paid.text {
		t.Errorf("the approval repeated: %s, want %s", again.text, paid.text)
	}
	if again := s.cancel(paid.PaymentKey, "refund-1", 400); again.text != part.text {
		t.Errorf("the refund repeated: %s, want %s", again.text, part.text)
	}
	want(t, s.confirm("tok_declined", "order-2", 1000), 403, "REJECT_CARD_COMPANY")
	if found := s.inquire("order-1"); found.text != part.text {
		t.Errorf("inquiry: %s, want %s", found.text, part.text)
	}
	if _, err := s.call(http.MethodPost, "/v1/payments/"+lost.PaymentKey+"/cancel", "r", cancelBody(1000)); err == nil {
		t.Error("the token of a payment was forgotten")
	}
	s.wantLedger("order-1", charge(1000), refund(400))
	want(t, s.cancel(paid.PaymentKey, "refund-2", 600), 200, "")
}

func TestATornLastLineIsCutOff(t *testing.T) {
	for _, torn := range []string{`{"at":"2026-`, `{"at":"2026-` + "\n", "\x00\x00\x00\n"} {
		s := start(t)
		s.confirm("tok_ok", "order-1", 1000)
		s.stop()
		file, err := os.OpenFile(s.file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteString(torn); err != nil {
			t.Fatal(err)
		}
		_ = file.Close()
		s.run()
		s.confirm("tok_ok", "order-2", 1000)
		s.restart()
		s.wantLedger("order-1", charge(1000))
		s.wantLedger("order-2", charge(1000))
	}
}

func TestADamagedMiddleIsNotSkipped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.jsonl")
	if err := os.WriteFile(path, []byte("nonsense\n{}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openBook(path); err == nil {
		t.Error("a damaged ledger was read")
	}
}

func TestAnAnswerIsKeptForFifteenDays(t *testing.T) {
	b, err := openBook(filepath.Join(t.TempDir(), "ledger.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	b.now = func() time.Time { return now }
	approve := func() answer {
		given, err := b.once("call", func() (answer, error) { return b.approve("call", tokOK, "order-1", 1000) })
		if err != nil {
			t.Fatal(err)
		}
		return given
	}
	first := approve()
	now = now.Add(15*24*time.Hour - time.Second)
	if repeat := approve(); repeat.payment != first.payment {
		t.Errorf("within 15 days: %+v", repeat)
	}
	now = now.Add(time.Second)
	if later := approve(); later.refusal != errAlreadyProcessed {
		t.Errorf("after 15 days: %+v", later)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.approve("", tokOK, "order-2", 1000); !errors.Is(err, errJournalClosed) {
		t.Errorf("after the end: %v", err)
	}
}
