package main

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"testing"

	"oneqtour/tests/stack"
)

// The floor's programs are this program, here as in the real thing.
func TestMain(m *testing.M) {
	if os.Getenv(noopPort) != "" {
		exit(serveNoop())
	}
	os.Exit(m.Run())
}

// The bench still measures: every row has figures, nothing was refused, and what it counted is true.
func TestSmoke(t *testing.T) {
	if err := os.Setenv("ONEQ_TEST_RUN_DIR", cmp.Or(os.Getenv("ONEQ_TEST_RUN_DIR"), ".run/bench-smoke")); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("ONEQ_TEST_PORT_OFFSET") == "" {
		stack.Offset = 12000
	}
	p := smokePlan()
	r, err := measure(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	var table bytes.Buffer
	r.print(&table)
	t.Log("\n" + table.String())
	for _, w := range r.Wrong {
		t.Error(w)
	}
	for name, f := range map[string]Figures{
		"floor before": r.FloorBefore, "floor after": r.FloorAfter, "burst": r.Burst.Figures, "sustained": r.Sustained.Figures, "half": r.Half.Figures,
		"view": r.SustainedLag, "view at half": r.HalfLag, "crowd": r.Hot.Figures, "board": r.Board[0].Figures, "bulk get": r.Board[0].Bulk,
	} {
		if f.Done == 0 || f.Failed > 0 || f.P50 <= 0 || f.P99 < f.P50 {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if got := r.Hot.Refused["201"]; got != int64(p.Seats) || r.Hot.Refused["409 SOLD_OUT"] != int64(p.Crowd-p.Seats) {
		t.Errorf("%d customers wanted %d seats and were answered %v", p.Crowd, p.Seats, r.Hot.Refused)
	}
	if len(r.Costs) < 16 || r.Costs[0].CPU <= 0 || r.Database.Commits < 1 || len(r.Targets) < 8 {
		t.Errorf("costs %+v, database %+v, targets %+v", r.Costs, r.Database, r.Targets)
	}
	if err := wellFormed(r.plot()); err != nil {
		t.Errorf("the plot: %v", err)
	}
}

func wellFormed(document []byte) error {
	for d := xml.NewDecoder(bytes.NewReader(document)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
