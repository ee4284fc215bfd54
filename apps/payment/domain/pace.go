package domain

import "time"

// Pace says how long things take and how often they are asked for.
type Pace struct {
	// InFlight is how long after its request a charge may still be on its way to the provider. Until then it
	// proves nothing that the provider does not know the payment.
	InFlight time.Duration
	// Watch is how long a declined or voided payment is asked for, in case that it is charged after all.
	Watch time.Duration
}

var never time.Time

const (
	firstPause = 500 * time.Millisecond
	longPause  = 30 * time.Second
	firstWatch = 15 * time.Second
	tooOld     = 24 * time.Hour // of an UNKNOWN payment
)

// again schedules the next attempt: after 0.5, 1, 2, 4, 8 … s, at most 30 s. What has been open for long is
// asked for more rarely, every twentieth of its age.
func (p *Payment) again(now time.Time) {
	p.attempts++
	pause := firstPause << min(p.attempts-1, 20)
	p.next = now.Add(min(pause, max(longPause, now.Sub(p.requestedAt)/20)).Truncate(time.Microsecond))
}

// final begins the watch over a payment that had been requested.
func (p *Payment) final(m Moment) {
	p.finalAt = m.Now
	p.watch(m)
}

// watch schedules the next look at a final payment, each time twice as late as the one before. The last look
// is when the watch ends or after it.
func (p *Payment) watch(m Moment) {
	p.attempts = 0
	end := p.finalAt.Add(m.Pace.Watch)
	if p.requestedAt.IsZero() || !m.Now.Before(end) {
		p.next = never
		return
	}
	p.next = m.Now.Add(max(firstWatch, m.Now.Sub(p.finalAt)))
	if p.next.After(end) {
		p.next = end
	}
}

// Soon asks resume to look at once.
func (p *Payment) Soon(now time.Time) { p.next = now }

// Rest says that there is nothing to do.
func (p *Payment) Rest() { p.next = never }

// Due says whether resume has something to do at once.
func (p *Payment) Due(now time.Time) bool { return !p.next.IsZero() && !p.next.After(now) }
