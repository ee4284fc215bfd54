package batching

import "runtime"

// AwaitWaiting returns when so many values stand in line.
func (b *Batcher[T]) AwaitWaiting(n int) {
	for {
		b.mu.Lock()
		there := len(b.waiting)
		b.mu.Unlock()
		if there >= n {
			return
		}
		runtime.Gosched()
	}
}
