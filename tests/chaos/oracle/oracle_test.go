package oracle

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// An oracle that used the services' own rules would repeat their mistakes.
func TestTheOracleSharesNothingWithTheServices(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 5 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range tree.Imports {
			if strings.Contains(i.Path.Value, "oneqtour/") {
				t.Errorf("%s imports %s", name, i.Path.Value)
			}
		}
	}
}

func TestFeesByTheTables(t *testing.T) {
	for _, c := range []struct {
		kind              string
		nights            int
		days, price, paid int64
		want              int64
	}{
		{"OVERSEAS", 2, 30, 1_520_000, 1_520_000, 0},
		{"OVERSEAS", 2, 29, 1_520_000, 1_520_000, 152_000},
		{"OVERSEAS", 2, 15, 2_800_000, 2_800_000, 420_000},
		{"OVERSEAS", 2, 5, 800_000, 400_000, 240_000},
		{"OVERSEAS", 2, 5, 1_520_000, 152_000, 152_000},
		{"DOMESTIC", 1, 5, 350_000, 350_000, 0},
		{"DOMESTIC", 1, 4, 350_000, 350_000, 35_000},
		{"DOMESTIC", 1, 1, 350_000, 350_000, 70_000},
		{"DOMESTIC", 1, 0, 350_000, 150_000, 105_000},
		{"DOMESTIC", 0, 3, 750_000, 750_000, 0},
		{"DOMESTIC", 0, 2, 750_000, 750_000, 75_000},
		{"DOMESTIC", 0, 1, 750_000, 750_000, 150_000},
		{"DOMESTIC", 0, 0, 750_000, 750_000, 225_000},
		{"OVERSEAS", 2, 15, 199, 199, 29}, // cut to the won
	} {
		if got := Fee(c.kind, c.nights, c.days, c.price, c.paid); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestCompensationsByTheTables(t *testing.T) {
	for _, c := range []struct {
		kind, reason string
		nights       int
		days, price  int64
		want         int64
	}{
		{"OVERSEAS", "UNDER_SUBSCRIBED", 2, 7, 1_000_000, 0},
		{"OVERSEAS", "UNDER_SUBSCRIBED", 2, 6, 1_000_000, 300_000},
		{"OVERSEAS", "UNDER_SUBSCRIBED", 2, 1, 1_000_000, 300_000},
		{"OVERSEAS", "UNDER_SUBSCRIBED", 2, 0, 1_000_000, 500_000},
		{"DOMESTIC", "UNDER_SUBSCRIBED", 1, 3, 350_000, 0},
		{"DOMESTIC", "UNDER_SUBSCRIBED", 1, 2, 350_000, 35_000},
		{"DOMESTIC", "UNDER_SUBSCRIBED", 0, 2, 50_000, 0},
		{"DOMESTIC", "UNDER_SUBSCRIBED", 0, 1, 50_000, 5_000},
		{"DOMESTIC", "SUPPLIER_FAULT", 0, 1, 750_000, 150_000},
		{"OVERSEAS", "SUPPLIER_FAULT", 2, 29, 1_520_000, 152_000},
		{"OVERSEAS", "SUPPLIER_FAULT", 2, 0, 1_520_000, 760_000},
		{"OVERSEAS", "FORCE_MAJEURE", 2, 0, 1_520_000, 0},
	} {
		if got := Compensation(c.kind, c.nights, c.reason, c.days, c.price); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestDaysAreThoseOfSeoul(t *testing.T) {
	for at, want := range map[string]int64{"2027-02-12T14:59:59Z": 30, "2027-02-12T15:00:00Z": 29, "2027-03-13T15:00:00Z": 0} {
		instant, _ := time.Parse(time.RFC3339, at)
		if got := daysBefore("2027-03-14", instant); got != want {
			t.Errorf("%s: %d days", at, got)
		}
	}
	if got := daysBetween("2027-03-07", "2027-03-14"); got != 7 {
		t.Error(got)
	}
}

// The model of seats accepts what can have happened, and nothing else.
func TestSeatHistories(t *testing.T) {
	op := func(kind string, index, seats int, from, to int64) porcupine.Operation {
		return porcupine.Operation{ClientId: index, Input: seatOp{kind, index, seats}, Call: from, Return: to}
	}
	for _, c := range []struct {
		name string
		ops  []porcupine.Operation
		want bool
	}{
		{"all taken, then sold out", []porcupine.Operation{op("take", 0, 2, 0, 1), op("take", 1, 1, 0, 1), op("soldOut", 0, 1, 2, 3)}, true},
		{"sold out while a seat was free all the time", []porcupine.Operation{op("take", 0, 2, 0, 1), op("soldOut", 0, 1, 2, 3)}, false},
		{"sold out while a third held it for a moment", []porcupine.Operation{op("take", 0, 2, 0, 1), op("take", 1, 1, 2, 9), op("free", 1, 1, 2, 9), op("soldOut", 0, 1, 3, 4)}, true},
		{"sold out before the third came", []porcupine.Operation{op("take", 0, 2, 0, 1), op("soldOut", 0, 1, 2, 3), op("take", 1, 1, 4, 5)}, false},
		{"one seat too many", []porcupine.Operation{op("take", 0, 2, 0, 1), op("take", 1, 2, 0, 1)}, false},
		{"taken again after it was given back", []porcupine.Operation{op("take", 0, 3, 0, 1), op("free", 0, 3, 2, 3), op("take", 1, 3, 2, 4)}, true},
		{"taken again before it was given back", []porcupine.Operation{op("take", 0, 3, 0, 1), op("free", 0, 3, 5, 6), op("take", 1, 3, 2, 4)}, false},
		{"given back twice", []porcupine.Operation{op("take", 0, 3, 0, 1), op("free", 0, 3, 2, 3), op("free", 0, 3, 2, 3)}, false},
	} {
		if got := porcupine.CheckOperations(seatModel(3), c.ops); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A departure that became smaller than what was taken of it takes nobody more.
func TestADepartureThatIsTooFullDoesNotGrow(t *testing.T) {
	calls := NewLog()
	for _, capacity := range []int{20, 5, 30, 7, 30, 7} {
		calls.AskCapacity("d", capacity)
	}
	for _, c := range []struct {
		was, now taken
		want     int
	}{
		{taken{10, 20}, taken{12, 20}, 0},
		{taken{10, 20}, taken{12, 5}, 0},
		{taken{10, 5}, taken{10, 5}, 0},
		{taken{10, 5}, taken{9, 5}, 0},
		{taken{10, 5}, taken{11, 5}, 1},
		{taken{5, 5}, taken{6, 5}, 1},
		{taken{10, 7}, taken{11, 7}, 0}, // it may have been 30 in between
	} {
		s := NewSampler(Sources{})
		s.before["d"] = c.was
		w := &World{Departures: map[string]*Departure{"d": {Asked: c.now.asked, Confirmed: c.now.seats}}}
		if found := s.growth(w, calls); len(found) != c.want {
			t.Errorf("%+v, then %+v: %v", c.was, c.now, found)
		}
	}
}
