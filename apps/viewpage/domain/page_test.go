package domain

import (
	"fmt"
	"slices"
	"strconv"
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
	for _, p := range []PageAt{{at(20), at(50), "c"}, {nil, at(10), "a"}, {at(10), at(30), "b"}, {at(30), at(50), "c"}} {
		d.Note(p)
	}
	for position, want := range map[int64]string{5: "a", 10: "b", 29: "b", 30: "c", 49: "c", 50: ""} {
		if got := d.Find(Position{At: position}); got != want {
			t.Errorf("position %d is looked for in %q, want %q", position, got, want)
		}
	}
}

// However long an index is, its directory stays small, and leads to the page of a position or to a newer one: from
// there it is reached by going on to older ones.
func TestTheDirectoryIsBounded(t *testing.T) {
	var d Directory
	const pages = 5000
	for n := range int64(pages) { // page n holds n alone; the newest one is in no directory
		p := PageAt{From: &Position{At: n}, To: &Position{At: n + 1}, Name: strconv.FormatInt(n, 10)}
		if n == 0 {
			p.From = nil
		}
		d.Note(p)
		if len(d.Pages) > maxListed {
			t.Fatalf("%d pages are listed", len(d.Pages))
		}
	}
	farthest := int64(0)
	for n := range int64(pages) {
		found := int64(pages) // the newest page
		if name := d.Find(Position{At: n}); name != "" {
			found, _ = strconv.ParseInt(name, 10, 64)
		}
		if found < n {
			t.Fatalf("position %d is looked for in page %d, from which nothing leads to it", n, found)
		}
		farthest = max(farthest, found-n)
	}
	if farthest > pages*16/maxListed {
		t.Errorf("%d pages have to be walked", farthest)
	}
}
