package main

import "time"

const (
	maxKeyLength = 300                 // characters of an Idempotency-Key
	keepAnswers  = 15 * 24 * time.Hour // counted from the first request
)

type keptAnswer struct {
	answer answer
	at     time.Time
}

// callOf names a call for its repeats. As published, the same request is one with the same key, method and
// address; the body is not compared. Without a key no call is the repeat of another.
func callOf(method, path, key string) string {
	if key == "" {
		return ""
	}
	return method + " " + path + " " + key
}

// once answers a repeat with the stored answer and refuses a twin of a call that is still running. What do
// commits under the call is stored; answers that changed nothing and 5xx are not, so they may be tried again.
func (b *book) once(call string, do func() (answer, error)) (answer, error) {
	if call == "" {
		return do()
	}
	b.mu.Lock()
	if _, running := b.running[call]; running {
		b.mu.Unlock()
		return answer{}, errTwinRunning
	}
	if kept, ok := b.answers[call]; ok {
		if b.now().Sub(kept.at) < keepAnswers {
			b.mu.Unlock()
			return kept.answer, nil
		}
		delete(b.answers, call)
	}
	b.running[call] = struct{}{}
	b.mu.Unlock()

	defer func() {
		b.mu.Lock()
		delete(b.running, call)
		b.mu.Unlock()
	}()
	return do()
}
