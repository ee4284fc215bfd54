package usecase

import (
	"math/bits"
	"sync"
	"time"
)

const (
	lagSlots = 30               // of the time that is looked back at
	lagSlot  = 10 * time.Second // 5 minutes in all
	lagSteps = 8                // buckets between a power of two and the next: one is right to an eighth
	lagCount = 32 * lagSteps
)

// Lag is how long events took from their owner's transaction until they were in the documents, in milliseconds.
type Lag struct {
	Events int64 `json:"events"`
	P50    int64 `json:"p50"`
	P99    int64 `json:"p99"`
	Max    int64 `json:"max"`
}

// lags counts the lags of the last minutes, in this replica.
type lags struct {
	mu    sync.Mutex
	slots [lagSlots]lagsOf
}

type lagsOf struct {
	slot   int64 // number of its time, since 1970
	counts [lagCount]int32
	max    int64
}

// add counts an event of the given time that is written now.
func (l *lags) add(at, now time.Time) {
	ms := max(now.Sub(at).Milliseconds(), 0)
	slot := now.UnixNano() / int64(lagSlot)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slots[slot%lagSlots]
	if s.slot != slot {
		*s = lagsOf{slot: slot}
	}
	s.counts[bucketOf(ms)]++
	s.max = max(s.max, ms)
}

// over the last minutes.
func (l *lags) over(now time.Time) Lag {
	slot := now.UnixNano() / int64(lagSlot)
	var counts [lagCount]int64
	var sum Lag
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.slots {
		s := &l.slots[i]
		if slot-s.slot >= lagSlots {
			continue
		}
		for b, n := range s.counts {
			counts[b] += int64(n)
			sum.Events += int64(n)
		}
		sum.Max = max(sum.Max, s.max)
	}
	sum.P50, sum.P99 = percentile(&counts, sum, 50), percentile(&counts, sum, 99)
	return sum
}

func percentile(counts *[lagCount]int64, sum Lag, percent int64) int64 {
	want := (sum.Events*percent + 99) / 100
	seen := int64(0)
	for b, n := range counts {
		if seen += n; n > 0 && seen >= want {
			return min(upTo(b), sum.Max)
		}
	}
	return 0
}

// bucketOf: below 8 ms each its own, then eight between a power of two and the next.
func bucketOf(ms int64) int {
	if ms < lagSteps {
		return int(ms)
	}
	octave := bits.Len64(uint64(ms)) - 4 // 8–15: 0
	return min(lagSteps*(octave+1)+int(ms>>octave)-lagSteps, lagCount-1)
}

// upTo is the greatest lag of a bucket.
func upTo(bucket int) int64 {
	if bucket < lagSteps {
		return int64(bucket)
	}
	octave, step := bucket/lagSteps-1, bucket%lagSteps
	return int64(lagSteps+step+1)<<octave - 1
}
