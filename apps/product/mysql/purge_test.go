package mysql

import (
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/usecase"
)

func TestOldNoticesGoWithoutHoldingUpTheInbox(t *testing.T) {
	db, dsn := dbtest.OpenDSN(t, Migrations(), outbox.Migrations())
	const old, young, never = 5_000, 100, 50
	now := time.Now().UTC()
	dbtest.Fill(t, db, "INSERT INTO notices (md_id, seq, reservation_id, version, product_id, status, at, acknowledged_at)", old+young+never,
		func(i int) []any {
			acknowledged := any(now.Add(time.Hour - domain.KeepNotices))
			switch {
			case i >= old+young:
				acknowledged = nil
			case i >= young:
				acknowledged = now.Add(-domain.KeepNotices - time.Duration(i)*time.Second)
			}
			return []any{"md-1", i + 1, dbtest.ID(i), 2, dbtest.ID(i), "CONFIRMED", now.AddDate(-1, 0, 0), acknowledged}
		})
	if _, err := db.Exec("INSERT INTO notice_handovers (md_id, seq, attempts, due_at) VALUES ('md-1', ?, 9, NOW(6))", young+1); err != nil {
		t.Fatal(err)
	}
	removed := dbtest.PurgeUnderWrites(t, dsn, OldNotices(domain.KeepNotices),
		"UPDATE notices SET acknowledged_at = acknowledged_at + INTERVAL 1 SECOND WHERE md_id = 'md-1' AND seq = ?",
		func(i int) any { return i + 1 })
	var left int
	if err := db.QueryRow("SELECT COUNT(*) FROM notices").Scan(&left); err != nil {
		t.Fatal(err)
	}
	if removed != old-1 || left != young+never+1 {
		t.Errorf("%d went, %d stay; one that is owed outside stays, however old", removed, left)
	}
}

// A purged notice is no lost one: the next event of its reservation brings the whole history again.
func TestAPurgedNoticeDoesNotComeBack(t *testing.T) {
	db, dsn := dbtest.OpenDSN(t, Migrations(), outbox.Migrations())
	d, err := mysqldb.Start(dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = d.Close() }()
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	inbox := NewInbox(db)
	news := domain.ReservationNews{ReservationID: dbtest.ID(1), MD: "md-1", ProductID: domain.ProductID(dbtest.ID(2)),
		DepartureID: domain.DepartureID(dbtest.ID(3)), Version: 2, Status: "CONFIRMED", History: []domain.HistoryRow{
			{Version: 1, To: "PENDING", At: time.Now()}, {Version: 2, From: "PENDING", To: "CONFIRMED", At: time.Now()}}}
	if err := inbox.Hear(t.Context(), news); err != nil {
		t.Fatal(err)
	}
	if err := inbox.Acknowledge(t.Context(), "md-1", 1, time.Now().Add(-domain.KeepNotices-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if n, err := d.PurgeNow(t.Context(), OldNotices(domain.KeepNotices)); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	news.Version, news.Status = 3, "COMPLETED"
	news.History = append(news.History, domain.HistoryRow{Version: 3, From: "CONFIRMED", To: "COMPLETED", At: time.Now()})
	if err := inbox.Hear(t.Context(), news); err != nil {
		t.Fatal(err)
	}
	notices, err := inbox.Notices(t.Context(), "md-1", usecase.NoticePage{Limit: 10})
	if err != nil || len(notices) != 1 || notices[0].Seq != 2 || notices[0].Version != 3 {
		t.Errorf("%+v, %v", notices, err)
	}
}
