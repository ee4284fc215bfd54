package main

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"oneqtour/tests/stack"
)

// Result of a run, as it is written to the file.
type Result struct {
	At        time.Time `json:"at"`
	Machine   string    `json:"machine"`
	Customers int       `json:"customers"`
	Products  int       `json:"products"`

	FloorBefore Figures `json:"floorBefore"`
	FloorAfter  Figures `json:"floorAfter"`
	Floor       Figures `json:"floor"` // their mean

	Burst        Load       `json:"burst"`
	Sustained    Load       `json:"sustained"`
	SustainedLag Figures    `json:"sustainedLag"` // from the answer 201 to the view
	Half         Load       `json:"half"`         // of the sustained rate
	HalfLag      Figures    `json:"halfLag"`
	Hot          Load       `json:"hot"`
	HotSeats     int        `json:"hotSeats"`
	HotConfirmed int64      `json:"hotConfirmed"` // when all answers that left it open were settled
	Board        []Board    `json:"board"`
	Costs        []Cost     `json:"costs"` // of a reservation under the sustained load
	Database     Statements `json:"database"`
	Reservations int64      `json:"reservations"` // when the board was read

	Targets []Target `json:"targets"`
	Wrong   []string `json:"wrong"` // what is not as it must be
}

// Load is how reserving and paying went.
type Load struct {
	Figures
	Share   float64          `json:"share,omitempty"`   // of the floor
	Settled float64          `json:"settled,omitempty"` // seconds until everybody had heard everything
	Refused map[string]int64 `json:"answers,omitempty"` // other than 201, by status and code; of the hot departure all
}

// Board is how it was read, in full pages of so many products, and as many documents by one bulk get.
type Board struct {
	Page int `json:"page"`
	Figures
	Refused map[string]int64 `json:"answers,omitempty"` // other than 200
	Bulk    Figures          `json:"bulk"`
}

func newResult(p plan) *Result {
	return &Result{At: time.Now().UTC().Truncate(time.Second), Machine: machine(), Customers: p.Customers, Products: p.Products, HotSeats: p.Seats}
}

// machine says where it was measured.
func machine() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	model := "unknown processor"
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.Join([]string{model, plural(runtime.NumCPU(), "core"), "Linux " + strings.TrimSpace(string(kernel)), runtime.Version()}, ", ")
}

func (r *Result) floor(before, after Figures) {
	r.FloorBefore, r.FloorAfter, r.Floor = before, after, mean(before, after)
	for _, l := range []*Load{&r.Burst, &r.Sustained, &r.Half} {
		l.Share = l.Rate / r.Floor.Rate
	}
}

// services have no sidecar's weight, nor that of servers or of this program.
func (c Cost) service() bool {
	_, ours := profiled[c.Process]
	return ours
}

// Target is a line of the table of targets.
type Target struct {
	What    string  `json:"what"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Must    float64 `json:"must"`
	Goal    float64 `json:"goal"`
	AtLeast bool    `json:"atLeast"` // or else at most
	Reached string  `json:"reached"` // goal, must, or nothing
}

// judge compares with the targets.
func (r *Result) judge() {
	heaviest := 0.0
	for _, c := range r.Costs {
		if c.service() {
			heaviest = max(heaviest, c.Resident)
		}
	}
	r.Targets = []Target{
		{What: "reserve + pay, sustained", Value: r.Sustained.Share, Unit: "× floor", Must: 0.20, Goal: 0.50, AtLeast: true},
		{What: "… and how late the view is, p99", Value: r.SustainedLag.P99, Unit: "ms", Must: 2000, Goal: 2000},
		{What: "reserve + pay, burst", Value: r.Burst.Share, Unit: "× floor", Must: 0.30, Goal: 0.60, AtLeast: true},
		{What: "one departure, a crowd: seats confirmed", Value: float64(r.HotConfirmed), Must: float64(r.HotSeats), Goal: float64(r.HotSeats), AtLeast: true},
		{What: "one departure, a crowd: answer p99", Value: r.Hot.P99, Unit: "ms", Must: 2000, Goal: 500},
		{What: "event to view at half the rate, p99", Value: r.HalfLag.P99, Unit: "ms", Must: 1000, Goal: 200},
	}
	for _, b := range r.Board {
		r.Targets = append(r.Targets, Target{What: "board, pages of " + plural(b.Page, "product") + ", p95", Value: b.P95 / cmp.Or(b.Bulk.P95, 1), Unit: "× bulk get", Must: 3, Goal: 1.5})
	}
	r.Targets = append(r.Targets, Target{What: "memory of the largest service", Value: heaviest, Unit: "MB", Must: 80, Goal: 40})
	for i := range r.Targets {
		r.Targets[i].judge()
	}
}

func (t *Target) judge() {
	met := func(bound float64) bool { return t.AtLeast && t.Value >= bound || !t.AtLeast && t.Value <= bound }
	switch {
	case met(t.Goal):
		t.Reached = "goal"
	case met(t.Must):
		t.Reached = "must"
	default:
		t.Reached = "missed"
	}
}

// save writes the result into the stack's folder and, when that is wanted, into the repository with its plot.
func (r *Result) save(p plan) error {
	root, err := stack.Root()
	if err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	raw = append(raw, '\n')
	files := map[string][]byte{filepath.Join(stack.Dir(root), "latest.json"): raw}
	if p.Save {
		files[filepath.Join(root, "tests/bench/results/latest.json")] = raw
		files[filepath.Join(root, "tests/bench/results/latest.svg")] = r.plot()
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, content, 0o644); err != nil {
			return err
		}
		say("written: %s", strings.TrimPrefix(name, root+"/"))
	}
	return nil
}
