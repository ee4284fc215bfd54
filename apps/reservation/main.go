// Command reservation owns seats, reservations and their history.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/contract"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/outbox"
	"oneqtour/apps/internal/replay"
	"oneqtour/apps/internal/sidecar"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/reservation/httpapi"
	"oneqtour/apps/reservation/mysql"
	"oneqtour/apps/reservation/peers"
	"oneqtour/apps/reservation/usecase"
)

func main() { config.Main("reservation", run) }

// run serves until the context ends.
func run(ctx context.Context, cfg settings) error {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)
	ctx = log.WithContext(ctx)

	database, err := mysqldb.Start(cfg.DatabaseDSN, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations(), replay.Migrations())
	if err != nil {
		return err
	}
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return err
	}
	relay := outbox.NewRelay(database.DB, dapr.Publisher(cfg.PubSub))
	repository := mysql.NewRepository(database.DB)
	teller := replay.New(database.DB, cfg.AppID, relay.Wake, mysql.Replayed()...)
	payment := peers.NewPayment(dapr)
	service := usecase.New(usecase.Ports{
		Reservations: repository, Catalogue: repository, Keys: repository, Agenda: repository,
		Payments: payment,
		Closings: repository, Compensations: repository, Operations: repository, Ledger: repository, Desk: payment, Now: time.Now, NewID: newID, Committed: relay.Wake,
	}, cfg.limits())

	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: database.Ready})
	identity := web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience)
	events := httpapi.Mount(app, identity, service,
		web.Subscriptions{App: cfg.AppID, PubSub: cfg.PubSub, Letters: deadletter.New(database.DB), Identity: identity,
			Topics: map[string]web.Hear{contract.TopicRebuild: teller.Hear}})

	group, serving := errgroup.WithContext(ctx)
	// The workers outlive the server: what the last requests have stored leaves now rather than after a restart.
	working, stopWorkers := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		defer stopWorkers()
		return web.Serve(serving, app, cfg.Addr(), cfg.DrainTime)
	})
	// The sidecar waits for our port, so the port does not wait for the database, which may come late.
	group.Go(func() error {
		if err := database.Migrate(working); err != nil {
			return err
		}
		group.Go(func() error { return relay.Run(working) })
		group.Go(func() error { return events.Retry(working) })
		group.Go(func() error { return database.Purge(working, mysql.OldKeys(usecase.KeepKeys), deadletter.Settled()) })
		group.Go(func() error { return teller.Run(working) })
		return service.Resume(working)
	})
	err = group.Wait()
	log.Info().Err(err).Msg("stopped")
	return errors.Join(err, dapr.Close(), database.Close())
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
