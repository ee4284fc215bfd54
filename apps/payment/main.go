// Command payment charges and refunds through one payment provider, once each, and never forgets an attempt.
package main

import (
	"context"
	"errors"
	"os"
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
	"oneqtour/apps/payment/domain"
	"oneqtour/apps/payment/httpapi"
	"oneqtour/apps/payment/mysql"
	"oneqtour/apps/payment/provider"
	"oneqtour/apps/payment/usecase"
)

func main() { config.Main("payment", run) }

// run serves until the context ends. Requests stop first, then what they began is finished, then the workers.
func run(ctx context.Context, cfg settings) (err error) {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	ctx = log.WithContext(ctx)

	database, err := mysqldb.Start(cfg.DSN, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dapr.Close()) }()
	bank := provider.New(cfg.ProviderURL, cfg.ProviderSecret, cfg.ProviderTimeout)
	defer bank.Close()

	relay := outbox.NewRelay(database.DB, dapr.Publisher(cfg.PubSub))
	repository := mysql.NewRepository(database.DB, cfg.lease(), relay.Wake)
	payments := usecase.New(usecase.Ports{
		Payments: repository, Agenda: repository, Books: repository, Provider: bank,
		Clock: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() },
	}, usecase.Settings{
		Pace:         domain.Pace{InFlight: cfg.inFlight(), Watch: cfg.Watch},
		AnswerWithin: cfg.AnswerWithin,
	})

	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: database.Ready})
	events := httpapi.App(app, payments, web.Subscriptions{
		App: cfg.AppID, PubSub: cfg.PubSub, Letters: deadletter.New(database.DB), Identity: web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience),
	})

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
		if err := database.Migrate(working); err != nil {
			return err
		}
		group.Go(func() error { return relay.Run(working) })
		group.Go(func() error { return payments.Resume(working) })
		group.Go(func() error { return events.Retry(working) })
		group.Go(func() error { return database.Purge(working, deadletter.Settled()) })
		return nil
	})
	return group.Wait()
}
