package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"oneqtour/tests/stack"
)

// strict stands for a test in a program: what fails there ends the run.
type strict struct{ testing.TB }

type failure string

func (strict) Helper()                           {}
func (strict) Fatal(args ...any)                 { panic(failure(fmt.Sprint(args...))) }
func (strict) Fatalf(format string, args ...any) { panic(failure(fmt.Sprintf(format, args...))) }

// run is one measurement under way.
type run struct {
	plan
	*market
	result *Result
}

// measure does everything, in this order: the floor alone on the machine, the system, the floor again.
func measure(ctx context.Context, p plan) (result *Result, err error) {
	dir, err := stack.Fresh()
	if err != nil {
		return nil, err
	}
	root, err := stack.Root()
	if err != nil {
		return nil, err
	}
	result = newResult(p)
	say("the floor, before")
	before, err := measureFloor(ctx, root, dir, p)
	if err != nil {
		return nil, err
	}
	if err := measureSystem(ctx, p, dir, result); err != nil {
		return nil, err
	}
	say("the floor, after")
	after, err := measureFloor(ctx, root, dir, p)
	result.floor(before, after)
	result.judge()
	return result, err
}

// measureSystem starts the system, measures it and ends it.
func measureSystem(ctx context.Context, p plan, dir string, result *Result) (err error) {
	if err := configure(dir, p); err != nil {
		return err
	}
	say("starting the system")
	sys, err := stack.Start()
	if err != nil {
		return err
	}
	defer func() {
		say("stopping the system")
		err = errors.Join(err, sys.Stop())
	}()
	r := run{p, newMarket(sys), result}
	for _, phase := range []func(context.Context) error{r.prepare, r.burst, r.sustained, r.atHalf, r.hotDeparture, r.board, r.check} {
		if err := errors.Join(strictly(ctx, phase), ctx.Err()); err != nil {
			return err
		}
	}
	return nil
}

// strictly gives what a phase failed by.
func strictly(ctx context.Context, phase func(context.Context) error) (err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			err = errors.New(string(f))
		default:
			panic(f)
		}
	}()
	return phase(ctx)
}

// configure writes the only settings that are not those of `make run`: 32 customers stand for many, and the MDs register
// all products at once, so each may ask more often than the gateway lets one person. It still counts every call.
func configure(dir string, p plan) error {
	env := filepath.Join(dir, "env")
	if err := os.MkdirAll(env, 0o700); err != nil {
		return err
	}
	quota := "ONEQ_RATE_SUBJECT=5000\nONEQ_BURST_SUBJECT=10000\nONEQ_RATE_ADDRESS=20000\nONEQ_BURST_ADDRESS=40000\n"
	for app, port := range profiled {
		settings := ""
		if app == "gateway" {
			settings = quota
		}
		if p.Profile {
			settings += "ONEQ_PPROF_ADDR=127.0.0.1:" + strconv.Itoa(port+stack.Offset) + "\n"
		}
		if err := os.WriteFile(filepath.Join(env, app+".override.env"), []byte(settings), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// prepare signs everybody in, fills the board and warms up.
func (r run) prepare(ctx context.Context) error {
	users := []string{"md-1", "md-2"}
	for n := range r.Customers {
		users = append(users, customer(n))
	}
	r.signIn(users...)
	say("registering %d products", r.Products)
	seats, err := r.register(ctx, r.Products, plenty)
	if err != nil {
		return err
	}
	r.tours = seats[:2*r.Tours]
	for _, s := range []seat{seats[0], seats[len(seats)-1]} {
		if err := r.onSale(ctx, s); err != nil {
			return err
		}
	}
	err = await(ctx, 5*time.Minute, "the board shows all products", func() error {
		pages, _, err := r.boardPages(100)
		n := 0
		for _, page := range pages {
			n += len(page.Items)
		}
		if err == nil && n < r.Products {
			err = fmt.Errorf("it shows %d", n)
		}
		return err
	})
	if err != nil {
		return err
	}
	say("warming up")
	r.reserving(ctx, r.plan, r.Warm, nil)
	_, err = r.settled(ctx)
	return err
}

func (r run) burst(ctx context.Context) (err error) {
	say("burst of %s", r.Burst)
	r.refused()
	r.result.Burst.Figures, _ = r.reserving(ctx, r.plan, r.Burst, nil)
	r.result.Burst.Refused = r.refused()
	r.result.Burst.Settled, err = seconds(r.settled(ctx))
	return err
}

// sustained is also what CPU, memory and statements are counted over: from a settled system to a settled system.
func (r run) sustained(ctx context.Context) error {
	say("sustained for %s", r.Sustained)
	processes, err := readProcesses(r.sys)
	if err != nil {
		return err
	}
	counters, err := r.counters(ctx)
	if err != nil {
		return err
	}
	told := r.confirmed.Load()
	profiles := r.profile(ctx)
	r.result.Sustained.Figures, r.result.SustainedLag = r.reserving(ctx, r.plan, r.Sustained, nil)
	r.result.Sustained.Refused = r.refused()
	if r.result.Sustained.Settled, err = seconds(r.settled(ctx)); err != nil {
		return err
	}
	n := int(r.confirmed.Load() - told)
	after, err := readProcesses(r.sys)
	if err != nil {
		return err
	}
	counted, err := r.counters(ctx)
	r.result.Costs, r.result.Database = costs(processes, after, n), statements(counters, counted, n)
	return errors.Join(err, profiles())
}

// atHalf is how soon the view knows when the system is busy and not overrun.
func (r run) atHalf(ctx context.Context) (err error) {
	pace := max(r.result.Sustained.Rate/2, 1)
	say("half of that, %.0f a second, for %s", pace, r.Half)
	r.result.Half.Figures, r.result.HalfLag = r.reserving(ctx, r.plan, r.Half, rate.NewLimiter(rate.Limit(pace), 1))
	r.result.Half.Refused = r.refused()
	r.result.Half.Settled, err = seconds(r.settled(ctx))
	return err
}

func (r run) hotDeparture(ctx context.Context) (err error) {
	say("%d customers want %d seats", r.Crowd, r.Seats)
	r.result.Hot, r.result.HotConfirmed, err = r.hot(ctx, r.plan)
	return err
}

func (r run) board(ctx context.Context) error {
	if have := int(r.confirmed.Load()); have < r.Fill {
		say("filling up to %d reservations", r.Fill)
		for ctx.Err() == nil && int(r.confirmed.Load()) < r.Fill {
			r.reserving(ctx, r.plan, 10*time.Second, nil)
		}
	}
	if _, err := r.settled(ctx); err != nil {
		return err
	}
	r.result.Reservations = r.confirmed.Load()
	for _, limit := range []int{20, 100} {
		say("the board, %d readers, pages of %d", r.Customers, limit)
		r.refused()
		board, bulk, err := r.boardFigures(ctx, r.plan, limit)
		if err != nil {
			return err
		}
		r.result.Board = append(r.result.Board, Board{Page: limit, Figures: board, Refused: r.refused(), Bulk: bulk})
	}
	return nil
}

func (r run) check(ctx context.Context) (err error) {
	say("checking %d reservations", r.confirmed.Load())
	if err := r.quiet(ctx); err != nil {
		return err
	}
	if _, err := r.settled(ctx); err != nil {
		return err
	}
	r.result.Wrong, err = r.wrong(ctx)
	return err
}

func seconds(d time.Duration, err error) (float64, error) { return d.Seconds(), err }
