package usecase

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"oneqtour/apps/internal/fault"
	"oneqtour/apps/viewpage/domain"
)

func numbered(n int) domain.Entry {
	return domain.Entry{Position: domain.Position{At: int64(n), ID: fmt.Sprint(n)}}
}

// walk reads a whole index, limit entries at a time.
func walk(t fataler, s *Service, index string, limit int) (got []int64) {
	t.Helper()
	for behind := (*Cursor)(nil); ; {
		entries, next, err := s.indexes.read(context.Background(), index, behind, limit, all)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			got = append(got, e.At)
		}
		if next == nil {
			return got
		}
		behind = next
	}
}

// Whatever answers of the store are lost, as a conflict or as an error: no entry is lost, none is there twice.
func TestI6_LostAnswersLoseNoEntry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := newMemory()
		m.loseAnswers(rapid.IntRange(1, 12).Draw(t, "one in"), rapid.Uint64().Draw(t, "seed"))
		replicas := []*Service{newView(m), newView(m)}
		count := rapid.IntRange(40, 120).Draw(t, "entries")
		numbers := make([]int, count)
		for i := range numbers {
			numbers[i] = i + 1
		}
		if rapid.Bool().Draw(t, "in disorder") {
			numbers = rapid.Permutation(numbers).Draw(t, "order")
		}
		for i, n := range numbers {
			err := errLost
			for try := 0; err != nil && try < 200; try++ {
				err = replicas[(i+try)%2].indexes.put(context.Background(), "g1:test", numbered(n))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		got := walk(t, replicas[0], "g1:test", 7)
		for i, n := range got {
			if n != int64(count-i) {
				t.Fatalf("want %d … 1, got %v", count, got)
			}
		}
		if len(got) != count {
			t.Fatalf("%d entries of %d: %v", len(got), count, got)
		}
	})
}

// A writer who loses a split to another one takes its page away again.
func TestALostSplitLeavesNoPageBehind(t *testing.T) {
	m := newMemory()
	s := newView(m)
	for n := 1; n <= 100; n++ {
		if err := s.indexes.put(t.Context(), "g1:test", numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	other := newView(m)
	m.meanwhile = func(key string) { // between the two writes of the split
		if strings.HasPrefix(key, "g1:test:") && key != pageKey("g1:test", newest) {
			m.meanwhile = nil
			if err := other.indexes.put(t.Context(), "g1:test", numbered(1001)); err != nil {
				t.Error(err)
			}
		}
	}
	for n := 1002; m.meanwhile != nil; n++ {
		if err := s.indexes.put(t.Context(), "g1:test", numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	linked := map[string]bool{pageKey("g1:test", newest): true, directoryKey("g1:test"): true}
	for name := newest; name != ""; {
		page := documentOf[domain.Page](t, m, pageKey("g1:test", name))
		name = page.Older
		linked[pageKey("g1:test", name)] = true
	}
	for key := range m.docs {
		if !linked[key] {
			t.Errorf("%s is left over", key)
		}
	}
}

func TestALinkedPageThatIsMissingIsAnErrorAndNoEnd(t *testing.T) {
	m := newMemory()
	s := newView(m)
	for n := 1; n <= 20; n++ {
		if err := s.indexes.put(t.Context(), "g1:test", numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	_, behind, err := s.indexes.read(t.Context(), "g1:test", nil, 1, all)
	if err != nil {
		t.Fatal(err)
	}
	// A cursor into a page that is gone goes on by its position.
	gone := Cursor{Page: "01990000-0000-7000-8000-000000000000", Position: numbered(20).Position}
	if entries, _, err := s.indexes.read(t.Context(), "g1:test", &gone, 1, all); err != nil || len(entries) != 1 || entries[0].At != 19 {
		t.Errorf("behind a lost cursor: %v, %v", entries, err)
	}
	first := documentOf[domain.Page](t, m, pageKey("g1:test", newest))
	delete(m.docs, pageKey("g1:test", first.Older))
	if _, _, err := s.indexes.read(t.Context(), "g1:test", behind, 100, all); !errors.Is(err, fault.New(fault.Unavailable)) {
		t.Errorf("read: %v", err)
	}
	if err := s.indexes.put(t.Context(), "g1:test", numbered(int(first.Entries[len(first.Entries)-1].At)-1)); !errors.Is(err, fault.New(fault.Unavailable)) {
		t.Errorf("put: %v", err)
	}
	if _, made := m.docs[pageKey("g1:test", first.Older)]; made {
		t.Error("the missing page was written anew")
	}
}

// A crash between a split and its note leaves the directory incomplete: it is a hint, and the pages decide.
func TestALateEntryFindsItsPageWhateverTheDirectorySays(t *testing.T) {
	const index = "g1:test"
	for name, spoil := range map[string]func(*domain.Directory){
		"complete":               func(*domain.Directory) {},
		"empty":                  func(d *domain.Directory) { d.Pages = nil },
		"only the oldest page":   func(d *domain.Directory) { d.Pages = d.Pages[len(d.Pages)-1:] },
		"without the oldest one": func(d *domain.Directory) { d.Pages = d.Pages[:len(d.Pages)-1] },
	} {
		t.Run(name, func(t *testing.T) {
			s := newView(newMemory())
			for n := 2; n <= 100; n += 2 {
				if err := s.indexes.put(t.Context(), index, numbered(n)); err != nil {
					t.Fatal(err)
				}
			}
			err := s.indexes.directories.update(t.Context(), directoryKey(index), func(d *domain.Directory) bool {
				spoil(d)
				return true
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{1, 31, 33, 35, 37, 39, 51, 97, 99, 101} {
				if err := s.indexes.put(t.Context(), index, numbered(n)); err != nil {
					t.Fatal(err)
				}
			}
			got := walk(t, s, index, 7)
			if len(got) != 60 {
				t.Errorf("%d entries, want 60: %v", len(got), got)
			}
			for i := 1; i < len(got); i++ {
				if got[i] >= got[i-1] {
					t.Errorf("not newest first: %v", got)
				}
			}
		})
	}
}

func TestACursorStaysGoodWhileTheIndexGrows(t *testing.T) {
	s := newView(newMemory())
	put := func(n int) {
		if err := s.indexes.put(t.Context(), "g1:test", numbered(n)); err != nil {
			t.Fatal(err)
		}
	}
	for n := 1; n <= 20; n++ {
		put(n)
	}
	first, behind, err := s.indexes.read(t.Context(), "g1:test", nil, 5, all)
	if err != nil || len(first) != 5 || behind == nil {
		t.Fatal(first, behind, err)
	}
	for n := 21; n <= 60; n++ {
		put(n)
	}
	rest, _, err := s.indexes.read(t.Context(), "g1:test", behind, 100, all)
	if err != nil || len(rest) != 15 || rest[0].At != 15 {
		t.Errorf("behind the cursor: %v, %v", rest, err)
	}
}
