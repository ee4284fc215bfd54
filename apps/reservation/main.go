// Reservation is the service that owns seats, reservations and their history.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/httpapi"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/peers"
	"oneqtour/apps/reservation/usecase"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "reservation:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	var cfg settings
	if err := config.Load(&cfg); err != nil {
		return err
	}
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	ctx = log.WithContext(ctx)

	database, err := mysqldb.Start(cfg.DatabaseDSN, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	if err != nil {
		return err
	}
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return err
	}
	relay := outbox.NewRelay(database.DB, dapr.Publisher(cfg.PubSub))
	repository := mysql.NewRepository(database.DB)
	limits := usecase.DefaultLimits()
	limits.Hold = cfg.HoldLimit
	service := usecase.New(usecase.Ports{
		Reservations: repository, Catalogue: repository, Keys: repository, Agenda: repository,
		Payments: peers.NewPayment(dapr), Now: time.Now, NewID: newID, Committed: relay.Wake,
	}, limits)

	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: database.Ready})
	httpapi.Mount(app, web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience), service,
		web.Subscriptions{App: cfg.AppID, PubSub: cfg.PubSub, Keep: deadletter.Keep(database.DB)})

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return web.Serve(ctx, app, cfg.Addr(), cfg.DrainTime) })
	group.Go(func() error {
		if err := database.Migrate(ctx); err != nil {
			return err
		}
		workers, ctx := errgroup.WithContext(ctx)
		workers.Go(func() error { return relay.Run(ctx) })
		workers.Go(func() error { return service.Resume(ctx) })
		return workers.Wait()
	})
	err = group.Wait()
	log.Info().Err(err).Msg("stopped")
	return errors.Join(err, dapr.Close(), database.Close())
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
