package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// plan is how long and how much is measured.
type plan struct {
	Floor, Warm, Burst, Sustained, Half, Board time.Duration
	Limit                                      time.Duration // for everything

	Customers int // at work at the same time; some of them look at the view after each reservation
	Lookers   int
	Products  int // on the board
	Tours     int // of them, those that are reserved; each has two departures
	Fill      int // reservations that there must be before the board is read
	Crowd     int // who wants the hot departure's seats
	Seats     int // that it has

	Profile bool // CPU profiles of the services while the sustained load runs
	Save    bool // the result into the repository, with its plot
}

func fullPlan() plan {
	return plan{
		Floor: 10 * time.Second, Warm: 10 * time.Second, Burst: 15 * time.Second, Sustained: 60 * time.Second, Half: 30 * time.Second,
		Board: 10 * time.Second, Limit: 25 * time.Minute,
		Customers: 32, Lookers: 4, Products: 300, Tours: 100, Crowd: 500, Seats: 20,
	}
}

// smokePlan shows in seconds that everything here still works; its figures mean nothing.
func smokePlan() plan {
	return plan{
		Floor: 500 * time.Millisecond, Warm: 500 * time.Millisecond, Burst: time.Second, Sustained: time.Second, Half: time.Second,
		Board: 500 * time.Millisecond, Limit: 2 * time.Minute,
		Customers: 8, Lookers: 2, Products: 10, Tours: 5, Crowd: 20, Seats: 5,
	}
}

// planFromEnv is the full plan with what the environment says otherwise.
func planFromEnv() (plan, error) {
	p := fullPlan()
	p.Profile, p.Save = os.Getenv("PROFILE") == "1", os.Getenv("SAVE") == "1"
	switch fill := os.Getenv("FILL"); fill {
	case "":
	case "full": // the size of the table of targets; takes some ten minutes more
		p.Products, p.Fill, p.Limit = 10_000, 100_000, 2*time.Hour
	default:
		n, err := strconv.Atoi(fill)
		if err != nil || n < 1 {
			return p, fmt.Errorf("FILL must be full or a number of products, not %q", fill)
		}
		p.Products = n
	}
	if seconds := os.Getenv("SUSTAINED"); seconds != "" {
		n, err := strconv.Atoi(seconds)
		if err != nil || n < 1 {
			return p, fmt.Errorf("SUSTAINED must be a number of seconds, not %q", seconds)
		}
		p.Sustained = time.Duration(n) * time.Second
	}
	p.Tours = min(p.Tours, p.Products)
	return p, nil
}
