package main

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/dbtest"
)

// drawLives makes up the events of some reservations, each told with the history until then.
func drawLives(t *rapid.T) (events []contract.Event) {
	const pending, confirmed, requested, cancelled = contract.StatusPending, contract.StatusConfirmed, contract.StatusCancelRequested, contract.StatusCancelled
	lives := [][]string{
		{pending},
		{pending, contract.StatusRejected},
		{pending, confirmed, contract.StatusCompleted},
		{pending, confirmed, requested, cancelled},
		{pending, confirmed, requested, requested, cancelled},
	}
	p, departure := object{"productId": newID()}, newID()
	for range rapid.IntRange(1, 4).Draw(t, "reservations") {
		states := rapid.SampledFrom(lives).Draw(t, "life")
		whole, err := contract.Decode[contract.Reservation](reservation(newID(), p, departure, states...))
		if err != nil {
			t.Fatal(err)
		}
		for n := range states {
			e := reservation(whole.ReservationID, p, departure, states[:n+1]...)
			until := whole
			until.History, until.Version, until.Status = whole.History[:n+1], int64(n+1), states[n]
			told, err := contract.NewEvent(contract.Envelope{ID: e.ID, Source: e.Source, Type: e.Type, Subject: e.Subject, Time: e.Time}, until)
			if err != nil {
				t.Fatal(err)
			}
			events = append(events, told)
		}
	}
	return events
}

// Shuffled, doubled and delayed, the events of reservations end in the notices of a delivery in order: each change
// once, those of one reservation in their order, all numbered without a gap.
func TestI5_AnyOrderOfEventsMakesTheSameInbox(t *testing.T) {
	dbtest.FewChecks(t, 15)
	inOrder, shuffled := start(t), start(t)
	rapid.Check(t, func(t *rapid.T) {
		hear := func(s *service, events []contract.Event) {
			for _, e := range events {
				if ack := s.Deliver("reservation", e); ack != "SUCCESS" {
					t.Fatalf("%s was answered %s", e.Type, ack)
				}
			}
		}
		events := drawLives(t)
		hear(inOrder, events)
		hear(shuffled, rapid.Permutation(append(slices.Clone(events), events...)).Draw(t, "deliveries"))
		for _, e := range events {
			for _, query := range []string{
				"SELECT * FROM heard_reservations WHERE reservation_id = ?",
				"SELECT version, product_id, status, kind, cause, at FROM notices WHERE reservation_id = ? ORDER BY seq",
			} {
				want, got := dbtest.Found(t, inOrder.db, query, e.Subject), dbtest.Found(t, shuffled.db, query, e.Subject)
				if got != want {
					t.Fatalf("%s\nin order:\n%s\nshuffled:\n%s", query, want, got)
				}
			}
		}
		if gaps := dbtest.Found(t, shuffled.db, "SELECT md_id, last_seq FROM inboxes WHERE last_seq <> (SELECT COUNT(*) FROM notices n WHERE n.md_id = inboxes.md_id)"); gaps != "" {
			t.Fatalf("notices are not numbered without a gap: %s", gaps)
		}
	})
}
