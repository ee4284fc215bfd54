package main

import (
	"fmt"
	"strings"
	"testing"

	"oneqtour/apps/internal/contract"
)

// The payer's token, the provider's secret and the sidecar's token: in no log line, no table, no event, no
// answer, whatever goes wrong.
func TestSecretsAreNowhere(t *testing.T) {
	sim := simulate(t, freeAddr(t))
	s := serve(t, sim.url).resumes()
	down := serve(t, "http://"+freeAddr(t)).resumes()
	const mark = "SECRETMARK"
	var answers strings.Builder
	ask := func(s *service, body any) {
		status, raw := s.call(contract.ApprovePath, body, "reservation")
		fmt.Fprintln(&answers, status, string(raw))
	}
	reservation := newID()
	for _, token := range []string{"tok_ok.", "tok_declined.", "tok_lost.", "tok_error.", "tok_wrong_amount.", "tok_unknown."} {
		reservation = newID()
		ask(s, charge(reservation, 10_000, token+mark))
		ask(down, charge(newID(), 10_000, token+mark))
		s.voidOrder(reservation)
	}
	s.becomes(reservation, "VOIDED")
	bad := charge("nobody", 10_000, "tok_ok."+mark)
	ask(s, bad)
	ask(s, []byte(`{"token":"`+mark+`","amount":"`+mark+`"}`))
	ask(s, []byte(`{"token":["`+mark+`"]}`))
	ask(s, []byte(`{"token":"`+mark))
	ask(s, charge(newID(), 10_000, strings.Repeat(mark, 21)))

	everything := map[string]string{"log": s.log.String() + down.log.String(), "answers": answers.String(), "database": dump(s) + dump(down)}
	for where, text := range everything {
		for _, secret := range []string{mark, "tok_ok", "tok_lost", providerSecret, appToken, "Basic "} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("the %s shows %q: …%s…", where, secret, text[max(0, i-100):min(len(text), i+100)])
			}
		}
	}
	if len(everything["log"]) < 1000 || !strings.Contains(everything["database"], reservation) {
		t.Error("there was nothing to look at")
	}
}

// dump is the whole database as text.
func dump(s *service) string {
	s.t.Helper()
	var all strings.Builder
	for _, table := range []string{"payments", "refunds", "payment_steps", "outbox", "dead_letters"} {
		rows, err := s.db.Query("SELECT * FROM " + table)
		if err != nil {
			s.t.Fatal(err)
		}
		columns, _ := rows.Columns()
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			if err := rows.Scan(into...); err != nil {
				s.t.Fatal(err)
			}
			for _, v := range values {
				if raw, ok := v.([]byte); ok {
					v = string(raw)
				}
				fmt.Fprint(&all, v, " ")
			}
		}
		_ = rows.Close()
	}
	return all.String()
}
