package domain

import (
	"slices"
	"testing"
	"time"
)

func history(states ...string) []HistoryRow {
	var rows []HistoryRow
	from := ""
	for i, to := range states {
		rows = append(rows, HistoryRow{Version: int64(i + 1), From: from, To: to, At: now.Add(time.Duration(i) * time.Hour)})
		from = to
	}
	return rows
}

func TestN5_OneNoticeForEveryRowButTheFirst(t *testing.T) {
	all := history("PENDING", "CONFIRMED", "CONFIRMED", "CANCEL_REQUESTED", "CANCELLED")
	cases := []struct {
		name    string
		history []HistoryRow
		known   []int64
		want    []int64
	}{
		{"pending only", all[:1], nil, nil},
		{"all are missing", all, nil, []int64{2, 3, 4, 5}},
		{"some are known", all, []int64{2, 4}, []int64{3, 5}},
		{"all are known", all, []int64{2, 3, 4, 5}, nil},
		{"rows in disorder, one twice", []HistoryRow{all[4], all[1], all[4], all[0]}, nil, []int64{2, 5}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var got []int64
			for _, n := range (ReservationNews{History: c.history}).MissingNotices(0, c.known) {
				got = append(got, n.Version)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("versions %v, want %v", got, c.want)
			}
		})
	}
}

func TestN5_ARowThatIsNoTransitionIsNewsToo(t *testing.T) {
	rows := history("PENDING", "CONFIRMED", "CANCEL_REQUESTED", "CANCEL_REQUESTED", "CANCELLED", "CANCELLED", "CANCELLED")
	for i, kind := range []string{"TRANSITION", "TRANSITION", "TRANSITION", "WAIVER_CLAIMED", "TRANSITION", "REFUND_DONE", "COMPENSATION_PAID"} {
		rows[i].Kind, rows[i].Cause = kind, "cause of "+kind
	}
	var got []string
	for _, n := range (ReservationNews{History: rows}).MissingNotices(0, []int64{2}) {
		if n.Cause != "cause of "+n.Kind {
			t.Errorf("notice %+v", n)
		}
		got = append(got, n.Kind+" "+n.Status)
	}
	want := []string{"TRANSITION CANCEL_REQUESTED", "WAIVER_CLAIMED CANCEL_REQUESTED", "TRANSITION CANCELLED", "REFUND_DONE CANCELLED", "COMPENSATION_PAID CANCELLED"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestWhenAReservationIsFinished(t *testing.T) {
	if _, ok := (ReservationNews{History: history("PENDING", "CONFIRMED", "CANCEL_REQUESTED")}).FinishedAt(); ok {
		t.Error("a reservation that is cancelling is not finished")
	}
	// A waiver that is granted later adds a row and moves no end.
	at, ok := (ReservationNews{History: history("PENDING", "CONFIRMED", "CANCEL_REQUESTED", "CANCELLED", "CANCELLED")}).FinishedAt()
	if !ok || !at.Equal(now.Add(3*time.Hour)) {
		t.Errorf("finished %v at %v", ok, at)
	}
	// One that was rejected because payment was certainly not asked may come to life again.
	if _, ok := (ReservationNews{History: history("PENDING", "REJECTED", "PENDING")}).FinishedAt(); ok {
		t.Error("a reservation that was opened again is not finished")
	}
	at, ok = (ReservationNews{History: history("PENDING", "REJECTED", "PENDING", "REJECTED")}).FinishedAt()
	if !ok || !at.Equal(now.Add(3*time.Hour)) {
		t.Errorf("opened again: finished %v at %v", ok, at)
	}
	rows := history("PENDING", "REJECTED", "PENDING", "CONFIRMED")
	slices.Reverse(rows)
	if _, ok := (ReservationNews{History: rows}).FinishedAt(); ok {
		t.Error("the order of the rows is the order of their versions")
	}
}
