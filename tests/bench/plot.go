package main

import (
	"fmt"
	"html"
	"strings"
)

// Colours and measures of the plot, readable on light and on dark pages.
const (
	plotWidth = 760
	barLeft   = 250
	barMost   = 330
	barHeight = 16
	barStep   = 24
)

// plot draws three groups of bars: rates, latencies, and where the CPU's time of a reservation goes.
func (r *Result) plot() []byte {
	d := drawing{y: 8}
	d.title(fmt.Sprintf("Reservations a second (%s, %s)", r.Machine, r.At.Format("2006-01-02")))
	top := r.Floor.Rate
	d.bar("floor: two sidecars, no work", r.Floor.Rate, top, fmt.Sprintf("%.0f", r.Floor.Rate), "#9aa5b1")
	for _, l := range []struct {
		name       string
		load       Load
		must, goal float64
	}{{"burst", r.Burst, 0.30, 0.60}, {"sustained, all events consumed", r.Sustained, 0.20, 0.50}} {
		d.bar(l.name, l.load.Rate, top, fmt.Sprintf("%.0f = %.2f × floor", l.load.Rate, l.load.Share), "#2f7ed8")
		d.mark(l.must*r.Floor.Rate, top, "#d9534f")
		d.mark(l.goal*r.Floor.Rate, top, "#3c9d5b")
	}
	d.note("red line: must; green line: goal")
	d.title("Milliseconds, p99")
	times := []struct {
		name string
		ms   float64
	}{{"reserve + pay, sustained", r.Sustained.P99}, {"reserve + pay, half of that", r.Half.P99}, {"until the view shows it, sustained", r.SustainedLag.P99},
		{"until the view shows it, half of that", r.HalfLag.P99}, {"one departure, a crowd", r.Hot.P99}}
	top = 0
	for _, t := range times {
		top = max(top, t.ms)
	}
	for _, t := range times {
		d.bar(t.name, t.ms, top, fmt.Sprintf("%.0f", t.ms), "#8a63c9")
	}
	d.title("CPU milliseconds for each reservation, sustained")
	for _, c := range r.Costs {
		if c.CPU < 0.005 {
			continue
		}
		colour := "#9aa5b1"
		if c.service() {
			colour = "#2f7ed8"
		}
		d.bar(c.Process, c.CPU, r.Costs[0].CPU, fmt.Sprintf("%.2f, %.0f MB resident", c.CPU, c.Resident), colour)
	}
	return d.svg()
}

// drawing grows downwards.
type drawing struct {
	b strings.Builder
	y int
}

func (d *drawing) text(x, y int, size int, anchor, s string) {
	fmt.Fprintf(&d.b, `<text x="%d" y="%d" font-size="%d" text-anchor="%s">%s</text>`+"\n", x, y, size, anchor, html.EscapeString(s))
}

func (d *drawing) title(s string) {
	d.y += 28
	d.text(8, d.y, 14, "start", s)
	d.y += 10
}

func (d *drawing) note(s string) {
	d.y += 14
	d.text(barLeft, d.y, 11, "start", s)
}

func (d *drawing) bar(name string, value, top float64, said, colour string) {
	width := 0
	if top > 0 {
		width = int(barMost * value / top)
	}
	d.text(barLeft-8, d.y+barHeight-4, 12, "end", name)
	fmt.Fprintf(&d.b, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n", barLeft, d.y, max(width, 1), barHeight, colour)
	d.text(barLeft+width+6, d.y+barHeight-4, 12, "start", said)
	d.y += barStep
}

// mark draws a line across the bar that was drawn last.
func (d *drawing) mark(value, top float64, colour string) {
	if top > 0 {
		fmt.Fprintf(&d.b, `<rect x="%d" y="%d" width="2" height="%d" fill="%s"/>`+"\n", barLeft+int(barMost*value/top), d.y-barStep-2, barHeight+4, colour)
	}
}

func (d *drawing) svg() []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" font-family="sans-serif" fill="#5b6773">
%s</svg>
`, plotWidth, d.y+12, plotWidth, d.b.String())
}
