package domain

import (
	"testing"
	"time"
)

func TestTheRestOfAFailedNoticeDoublesUpToTenMinutes(t *testing.T) {
	for attempts, want := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 5: 16 * time.Second, 10: 512 * time.Second, 11: 10 * time.Minute, 1_000_000: 10 * time.Minute,
	} {
		if got := PauseAfter(attempts); got != want {
			t.Errorf("after %d: %v, want %v", attempts, got, want)
		}
	}
}
