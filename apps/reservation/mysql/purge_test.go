package mysql_test

import (
	"testing"
	"time"

	"oneqtour/apps/internal/dbtest"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/usecase"
)

func TestOldKeysGoWithoutHoldingUpReserving(t *testing.T) {
	db, dsn := dbtest.OpenDSN(t, mysql.Migrations())
	const old, young = 5_000, 100
	now := time.Now().UTC()
	dbtest.Fill(t, db, "INSERT INTO idempotency_keys (subject, operation, idem_key, body_hash, reservation_id, created_at)", old+young,
		func(i int) []any {
			made := now.Add(-time.Hour)
			if i >= young {
				made = now.Add(-usecase.KeepKeys - time.Duration(i)*time.Second)
			}
			return []any{"c", usecase.OperationReserve, dbtest.ID(i), make([]byte, 32), dbtest.ID(i), made}
		})
	removed := dbtest.PurgeUnderWrites(t, dsn, mysql.OldKeys(usecase.KeepKeys),
		"UPDATE idempotency_keys SET answer = UUID() WHERE reservation_id = ? AND operation = 'POST /reservations'",
		func(i int) any { return dbtest.ID(i) })
	var left int
	if err := db.QueryRow("SELECT COUNT(*) FROM idempotency_keys WHERE reservation_id < ?", dbtest.ID(young)).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if removed != old || left != young {
		t.Errorf("%d of %d old keys went, %d of %d young ones stay", removed, old, left, young)
	}
}
