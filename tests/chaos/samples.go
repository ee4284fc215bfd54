package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"

	"oneqtour/tests/chaos/oracle"
)

// look is one sample of the running system.
type look struct {
	from, to time.Time
	err      error
}

// watcher looks every second until it is told to stop.
type watcher struct {
	stop  context.CancelFunc
	over  chan struct{}
	looks []look
	found []oracle.Finding
}

func watch(s oracle.Sources, calls *oracle.Log) *watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watcher{stop: cancel, over: make(chan struct{})}
	go func() {
		defer close(w.over)
		sampler, tick := oracle.NewSampler(s), time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				w.look(ctx, sampler, calls)
			}
		}
	}()
	return w
}

func (w *watcher) look(ctx context.Context, sampler *oracle.Sampler, calls *oracle.Log) {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	l := look{from: time.Now()}
	var found []oracle.Finding
	found, l.err = sampler.Look(short, calls)
	w.found = append(w.found, found...)
	if l.to = time.Now(); ctx.Err() == nil { // the last one may have been cut short
		w.looks = append(w.looks, l)
	}
}

// ended stops looking and gives what was seen.
func (w *watcher) ended() ([]look, []oracle.Finding) {
	w.stop()
	<-w.over
	return w.looks, w.found
}

// samples is how much the watcher saw.
type samples struct {
	Seeing  int `json:"seeing"`
	Excused int `json:"excused"` // blind, while the database was away
	Slow    int `json:"slow"`    // the database was there and did not answer in time
}

func (s samples) String() string {
	return fmt.Sprintf("%d samples (and %d blind while the database was away, %d too slow)", s.Seeing, s.Excused, s.Slow)
}

// judgeLooks counts the looks. A sample may be blind while a fault of the database lasts and for 5 s more, and only for
// want of a connection or an answer; elsewhere only a busy machine excuses one, which does not answer in time.
func judgeLooks(looks []look, done []struck) (s samples, found []oracle.Finding) {
	five := func(string) time.Duration { return 5 * time.Second }
	for _, l := range looks {
		switch {
		case l.err == nil:
			s.Seeing++
		case oracle.Lost(l.err) && lasts(done, []string{"mariadb", "mariadb.link"}, l.from, l.to, five):
			s.Excused++
		case errors.Is(l.err, context.DeadlineExceeded):
			s.Slow++
		default:
			found = append(found, oracle.Finding{Kind: oracle.Blind, Subject: l.from.Format(time.TimeOnly), Detail: l.err.Error()})
		}
	}
	return s, found
}

// once leaves one of the findings of a kind about a subject, the first: a sample repeats what the one before found.
func once(found []oracle.Finding) (first []oracle.Finding) {
	known := map[[2]string]bool{}
	for _, f := range found {
		if id := [2]string{f.Kind, f.Subject}; !known[id] {
			known[id] = true
			first = append(first, f)
		}
	}
	return first
}
