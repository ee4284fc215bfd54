package httpapi

import (
	"container/list"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxKeys bounds what a limiter remembers: about 300 bytes a key, 6 MB in all.
const maxKeys = 20_000

// Limiter gives each key a quota: so many requests a second, a burst at once. It is this replica's own: with n
// replicas a caller has up to n quotas. When there are more keys than it can remember, those unused for the
// longest time begin anew with a full burst.
type Limiter struct {
	rate  rate.Limit
	burst int

	mu   sync.Mutex
	keys map[string]*list.Element
	used list.List // of *quota, most recently used first
}

type quota struct {
	key    string
	bucket *rate.Limiter
}

// NewLimiter allows perSecond requests a second and burst at once for each key; perSecond 0 limits nothing.
func NewLimiter(perSecond, burst int) *Limiter {
	return &Limiter{rate: rate.Limit(perSecond), burst: max(burst, 1), keys: map[string]*list.Element{}}
}

// Take takes one request from the key's quota. It returns 0, or how long to wait until there is one.
func (l *Limiter) Take(key string) time.Duration { return l.takeAt(key, time.Now()) }

func (l *Limiter) takeAt(key string, now time.Time) time.Duration {
	if l.rate <= 0 {
		return 0
	}
	bucket := l.bucket(key, now)
	if bucket.AllowN(now, 1) {
		return 0
	}
	lacking := 1 - bucket.TokensAt(now)
	return max(time.Duration(lacking/float64(l.rate)*float64(time.Second)), time.Millisecond)
}

func (l *Limiter) bucket(key string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget(now)
	if e, ok := l.keys[key]; ok {
		l.used.MoveToFront(e)
		return e.Value.(*quota).bucket
	}
	q := &quota{key: key, bucket: rate.NewLimiter(l.rate, l.burst)}
	l.keys[key] = l.used.PushFront(q)
	return q.bucket
}

// forget drops up to two keys a call: those that are as good as new, and the longest unused one when there are
// too many.
func (l *Limiter) forget(now time.Time) {
	for range 2 {
		oldest := l.used.Back()
		if oldest == nil {
			return
		}
		q := oldest.Value.(*quota)
		if len(l.keys) < maxKeys && q.bucket.TokensAt(now) < float64(l.burst) {
			return
		}
		l.used.Remove(oldest)
		delete(l.keys, q.key)
	}
}
