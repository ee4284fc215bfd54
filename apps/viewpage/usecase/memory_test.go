package usecase

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"

	"oneqtour/apps/internal/contract"
)

// memory is a State in memory with the ETag rules of a real one, for tests that need thousands of runs; the
// real one is used in the tests of the program. Conflicts can be made up: another replica is always possible.
// So can lost answers: a write is applied, and its writer hears of a conflict or of an error.
type memory struct {
	mu        sync.Mutex
	docs      map[string]Document
	writes    int
	attempts  int
	conflicts int              // every so many writes one fails although nobody was faster; 0: none
	lose      func() error     // asked after each write; what it returns is the answer, nil is the true one
	meanwhile func(key string) // called after each write of a document that is new
	failing   error
}

func newMemory() *memory { return &memory{docs: map[string]Document{}} }

func (m *memory) Get(_ context.Context, key string) (Document, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d := m.docs[key]
	d.Key = key
	return d, m.failing
}

func (m *memory) GetAll(ctx context.Context, keys []string) ([]Document, error) {
	docs := make([]Document, len(keys))
	for i, key := range keys {
		docs[i], _ = m.Get(ctx, key)
	}
	return docs, m.failing
}

func (m *memory) Put(_ context.Context, d Document) error {
	if err := m.put(d); err != nil {
		return err
	}
	if m.meanwhile != nil && d.ETag == "" {
		m.meanwhile(d.Key)
	}
	return nil
}

func (m *memory) put(d Document) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failing != nil {
		return m.failing
	}
	m.attempts++
	if m.docs[d.Key].ETag != d.ETag || m.conflicts > 0 && m.attempts%m.conflicts == 0 {
		return ErrConflict
	}
	m.writes++
	n, _ := strconv.Atoi(d.ETag)
	d.ETag, d.Data = strconv.Itoa(n+1), bytes.Clone(d.Data)
	m.docs[d.Key] = d
	if m.lose != nil {
		return m.lose()
	}
	return nil
}

var errLost = errors.New("no answer")

// loseAnswers loses one answer of so many, at random; a seed makes a run that can be repeated.
func (m *memory) loseAnswers(one int, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 0))
	m.lose = func() error {
		switch random.IntN(2 * one) {
		case 0:
			return ErrConflict
		case 1:
			return errLost
		}
		return nil
	}
}

func (m *memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.docs, key)
	return nil
}

// deaf is a publisher whose owners answer in the tests themselves.
type deaf struct{}

func (deaf) Publish(context.Context, string, []contract.Event) ([]string, error) { return nil, nil }

// dump gives all documents but the pages of indexes, which may be cut differently and still say the same.
func (m *memory) dump() map[string]string {
	out := map[string]string{}
	for key, d := range m.docs {
		if strings.Contains(key, ":product:") || strings.Contains(key, ":totals:") || strings.Contains(key, ":reservation:") {
			out[key] = string(d.Data)
		}
	}
	return out
}
