package usecase

import (
	"testing"
	"time"
)

func TestLagIsRightToAnEighth(t *testing.T) {
	var l lags
	at := time.Date(2026, 11, 28, 1, 0, 0, 0, time.UTC)
	for ms := range 1000 {
		l.add(at, at.Add(time.Duration(ms+1)*time.Millisecond))
	}
	got := l.over(at.Add(time.Minute))
	if got.Events != 1000 || got.Max != 1000 || got.P50 < 500 || got.P50 > 563 || got.P99 < 990 || got.P99 > 1000 {
		t.Errorf("%+v", got)
	}
	l.add(at.Add(time.Second), at) // a clock that is behind
	if got = l.over(at.Add(6 * time.Minute)); got != (Lag{}) {
		t.Errorf("after six minutes: %+v", got)
	}
	for ms := int64(0); ms < 1<<40; ms = ms*5/4 + 1 {
		if b := bucketOf(ms); upTo(b) < ms && b < lagCount-1 || b > 0 && upTo(b-1) >= ms {
			t.Errorf("%d ms in the bucket up to %d", ms, upTo(b))
		}
	}
}
