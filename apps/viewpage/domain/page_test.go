package domain

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAPageKeepsItsEntriesNewestFirstAndOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var page Page
		want := map[Position]int64{}
		for _, n := range rapid.SliceOf(rapid.IntRange(0, 40)).Draw(t, "entries") {
			e := Entry{Position: Position{At: int64(n % 8), ID: fmt.Sprint(n % 20)}, Version: int64(n)}
			page.Put(e)
			want[e.Position] = max(want[e.Position], e.Version)
		}
		if len(page.Entries) != len(want) {
			t.Fatalf("%d entries, want %d", len(page.Entries), len(want))
		}
		for i, e := range page.Entries {
			if e.Version != want[e.Position] {
				t.Fatalf("version %d of %v, want the highest, %d", e.Version, e.Position, want[e.Position])
			}
			if i > 0 && !e.OlderThan(page.Entries[i-1].Position) {
				t.Fatalf("not newest first: %v", page.Entries)
			}
		}
	})
}

func TestASplitPageAndTheOneBehindItShareTheRangeWithoutGapOrOverlap(t *testing.T) {
	var page Page
	for n := range 10 {
		page.Put(Entry{Position: Position{At: int64(n), ID: "x"}})
	}
	all := slices.Clone(page.Entries)
	older := page.Split("behind")
	if got := slices.Concat(page.Entries, older.Entries); !slices.Equal(got, all) {
		t.Fatalf("entries after the split: %v", got)
	}
	if page.Older != "behind" {
		t.Fatalf("linked page is %q", page.Older)
	}
	for n := range int64(10) {
		at := Position{At: n, ID: "x"}
		if (page.SideOf(at) == Here) == (older.SideOf(at) == Here) {
			t.Fatalf("position %v belongs to both pages or to none", at)
		}
	}
}

func TestTheDirectoryFindsThePageOfAnyPosition(t *testing.T) {
	var d Directory
	if d.Find(Position{At: 1}) != "" {
		t.Fatal("an empty directory knows nothing")
	}
	at := func(n int64) *Position { return &Position{At: n} }
	for _, p := range []PageAt{{at(20), "c"}, {nil, "a"}, {at(50), "d"}, {at(10), "b"}, {at(30), "c"}} {
		d.Note(p)
	}
	for position, want := range map[int64]string{5: "a", 10: "b", 29: "b", 30: "c", 49: "c", 50: "d", 99: "d"} {
		if got := d.Find(Position{At: position}); got != want {
			t.Errorf("position %d is looked for in %q, want %q", position, got, want)
		}
	}
}
