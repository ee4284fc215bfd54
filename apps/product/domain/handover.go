package domain

import "time"

// OwedNotice is a notice that is still to be handed over to a receiver outside, such as a mail server.
type OwedNotice struct {
	MD MDID
	Notice
	Attempts int // the present one included
}

const (
	firstPause = time.Second
	lastPause  = 10 * time.Minute
)

// PauseAfter is how long a notice rests after so many failed attempts: a second, then twice as long each time,
// up to ten minutes. None is ever given up, since the receiver may have been away for days.
func PauseAfter(attempts int) time.Duration {
	pause := firstPause
	for n := 1; n < attempts && pause < lastPause; n++ {
		pause *= 2
	}
	return min(pause, lastPause)
}
