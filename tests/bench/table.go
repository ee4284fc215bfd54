package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// print shows the result as tables.
func (r *Result) print(out io.Writer) {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	line("%s, %d customers, %d products, %d reservations, %s\n", r.Machine, r.Customers, r.Products, r.Reservations, r.At.Format("2006-01-02 15:04"))
	line("\ta second\tp50 ms\tp95 ms\tp99 ms\tfailed\t× floor\tsettled s\tanswers other than 201")
	figures := func(name string, f Figures, more string) {
		rate := ""
		if f.Rate > 0 {
			rate = fmt.Sprintf("%.0f", f.Rate)
		}
		line("%s\t%s\t%.1f\t%.1f\t%.1f\t%d\t%s", name, rate, f.P50, f.P95, f.P99, f.Failed, more)
	}
	load := func(name string, l Load) {
		figures(name, l.Figures, fmt.Sprintf("%.2f\t%.1f\t%s", l.Share, l.Settled, words(l.Refused)))
	}
	figures("floor, before", r.FloorBefore, "")
	figures("floor, after", r.FloorAfter, "")
	load("reserve + pay, burst", r.Burst)
	load("reserve + pay, sustained", r.Sustained)
	figures("… until the view shows it", r.SustainedLag, "")
	load("reserve + pay, half of that", r.Half)
	figures("… until the view shows it", r.HalfLag, "")
	figures("one departure, a crowd", r.Hot.Figures, "\t\t"+words(r.Hot.Refused)+" (all)")
	for _, b := range r.Board {
		figures("board, "+plural(b.Page, "product")+" a page", b.Figures, "\t\t"+words(b.Refused))
		figures("… as many documents by bulk get", b.Bulk, "")
	}
	line("\nfor each reservation: %.1f statements, %.1f commits, %.1f syncs of the database", r.Database.Statements, r.Database.Commits, r.Database.Syncs)
	line("\nprocess\tCPU ms for each reservation\tresident MB")
	sum := 0.0
	for _, c := range r.Costs {
		line("%s\t%.2f\t%.0f", c.Process, c.CPU, c.Resident)
		sum += c.CPU
	}
	line("all\t%.2f", sum)
	line("\ntarget\tmeasured\tmust\tgoal\treached")
	for _, g := range r.Targets {
		line("%s\t%.4g %s\t%s %g\t%s %g\t%s", g.What, g.Value, g.Unit, g.sign(), g.Must, g.sign(), g.Goal, g.Reached)
	}
	line("")
	if len(r.Wrong) == 0 {
		line("Correct: every 201 is a confirmed reservation with its seat, one charge and its notices.")
	}
	for _, w := range r.Wrong {
		line("WRONG: %s", w)
	}
	_ = t.Flush()
}

func (t Target) sign() string {
	if t.AtLeast {
		return "≥"
	}
	return "≤"
}

// words for counts by name.
func words(counts map[string]int64) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%d × %s", counts[k], k))
	}
	return strings.Join(all, ", ")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
