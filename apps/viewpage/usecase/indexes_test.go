package usecase

import (
	"fmt"
	"testing"

	"oneqtour/apps/viewpage/domain"
)

// A crash between a split and its note leaves the directory incomplete: it is a hint, and the pages decide.
func TestALateEntryFindsItsPageWhateverTheDirectorySays(t *testing.T) {
	entry := func(n int) domain.Entry {
		return domain.Entry{Position: domain.Position{At: int64(n), ID: fmt.Sprint(n)}}
	}
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
				if err := s.indexes.put(t.Context(), index, entry(n)); err != nil {
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
				if err := s.indexes.put(t.Context(), index, entry(n)); err != nil {
					t.Fatal(err)
				}
			}
			var got []int64
			for behind := (*Cursor)(nil); ; {
				entries, next, err := s.indexes.read(t.Context(), index, behind, 7, all)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					got = append(got, e.At)
				}
				if next == nil {
					break
				}
				behind = next
			}
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
		e := domain.Entry{Position: domain.Position{At: int64(n), ID: fmt.Sprint(n)}}
		if err := s.indexes.put(t.Context(), "g1:test", e); err != nil {
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
