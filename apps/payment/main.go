// Command payment charges and refunds through one payment provider, once each, and never forgets an attempt.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/rs/zerolog"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/httpapi"
	"oneqtour/apps/payment/mysql"
	"oneqtour/apps/payment/provider"
	"oneqtour/apps/payment/usecase"
)

func main() {
	var cfg settings
	err := config.Load(&cfg)
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = run(ctx, cfg)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "payment:", err)
		os.Exit(1)
	}
}

// run serves until the context ends. Requests stop first, then what they began is finished, then the workers.
func run(ctx context.Context, cfg settings) (err error) {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	ctx = log.WithContext(ctx)

	db, err := mysqldb.Open(cfg.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dapr.Close()) }()
	bank := provider.New(cfg.ProviderURL, cfg.ProviderSecret, cfg.ProviderTimeout)
	defer bank.Close()

	relay := outbox.NewRelay(db, dapr.Publisher(cfg.PubSub))
	repository := mysql.NewRepository(db, cfg.lease())
	payments := usecase.New(usecase.Ports{
		Payments: repository, Agenda: repository, Provider: bank, Announce: relay.Wake,
		Clock: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}, usecase.Settings{
		Pace:         domain.Pace{InFlight: cfg.inFlight(), Watch: cfg.Watch},
		AnswerWithin: cfg.AnswerWithin,
	})

	var migrated atomic.Bool
	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: ready(db.PingContext, &migrated)})
	httpapi.App(app, payments, web.Subscriptions{App: cfg.AppID, PubSub: cfg.PubSub, Keep: deadletter.Keep(db)})

	group, ctx := errgroup.WithContext(ctx)
	working, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorkers()
	group.Go(func() error {
		defer stopWorkers()
		err := web.Serve(ctx, app, cfg.Addr(), cfg.DrainTime)
		payments.Drain()
		return err
	})
	group.Go(func() error {
		if err := mysqldb.Migrate(ctx, db, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations()); err != nil {
			return unlessStopped(ctx, err)
		}
		migrated.Store(true)
		zerolog.Ctx(ctx).Info().Str("addr", cfg.Addr()).Msg("ready")
		group.Go(func() error { return relay.Run(working) })
		group.Go(func() error { return payments.Resume(working) })
		return nil
	})
	return group.Wait()
}

// ready says whether payment can write.
func ready(ping func(context.Context) error, migrated *atomic.Bool) func(context.Context) error {
	return func(ctx context.Context) error {
		if !migrated.Load() {
			return errors.New("the database is not migrated yet")
		}
		return ping(ctx)
	}
}

// unlessStopped takes an error for none when the program was told to stop.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
