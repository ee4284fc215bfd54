// Command product keeps the travel products of the MDs and the MDs' inbox.
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
	"oneqtour/apps/product/domain"
	"oneqtour/apps/product/httpapi"
	"oneqtour/apps/product/mysql"
	"oneqtour/apps/product/peers"
	"oneqtour/apps/product/usecase"
)

func main() { config.Main("product", run) }

// run serves until the context ends.
func run(ctx context.Context, cfg settings) error {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	ctx = log.WithContext(ctx)
	config.Log(log, cfg)

	database, err := mysqldb.Start(cfg.DatabaseDSN, mysql.Migrations(), outbox.Migrations(), deadletter.Migrations(), replay.Migrations())
	if err != nil {
		return err
	}
	dapr, err := sidecar.New(cfg.Service)
	if err != nil {
		return errors.Join(err, database.Close())
	}
	relay := outbox.NewRelay(database.DB, dapr.Publisher(cfg.PubSub))
	teller := replay.New(database.DB, cfg.AppID, relay.Wake, mysql.Replayed())
	inbox, handOver, err := inboxOf(cfg, database, dapr)
	if err != nil {
		return errors.Join(err, dapr.Close(), database.Close())
	}
	products := usecase.New(mysql.NewProducts(database.DB), inbox, usecase.Environment{
		App: cfg.AppID, Now: time.Now, NewID: newID, Stored: relay.Wake,
	})
	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: database.Ready})
	identity := web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience)
	events := httpapi.Mount(app, products, identity,
		web.Subscriptions{App: cfg.AppID, PubSub: cfg.PubSub, Letters: deadletter.New(database.DB), Identity: identity,
			Topics: map[string]web.Hear{contract.TopicRebuild: teller.Hear}})

	group, serving := errgroup.WithContext(ctx)
	// The relay outlives the server: what the last requests have stored leaves now rather than after a restart.
	relaying, stopRelay := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error {
		defer stopRelay()
		return web.Serve(serving, app, cfg.Addr(), cfg.DrainTime)
	})
	// The sidecar waits for our port, so the port does not wait for the database, which may come late.
	group.Go(func() error {
		if err := database.Migrate(relaying); err != nil {
			return err
		}
		group.Go(func() error { return handOver(relaying) })
		group.Go(func() error { return events.Retry(relaying) })
		group.Go(func() error {
			return database.Purge(relaying, mysql.OldNotices(domain.KeepNotices), deadletter.Settled())
		})
		group.Go(func() error { return teller.Run(relaying) })
		return relay.Run(relaying)
	})
	err = group.Wait()
	log.Info().Err(err).Msg("stopped")
	return errors.Join(err, dapr.Close(), database.Close())
}

// inboxOf is the inbox, and the worker that hands its notices over where a binding is named.
func inboxOf(cfg settings, database *mysqldb.Database, dapr *sidecar.Client) (*mysql.Inbox, func(context.Context) error, error) {
	inbox := mysql.NewInbox(database.DB)
	if cfg.NoticeBinding == "" {
		return inbox, func(context.Context) error { return nil }, nil
	}
	receiver, err := peers.NewNotices(dapr, cfg.NoticeBinding, cfg.NoticeAddress)
	if err != nil {
		return nil, nil, err
	}
	return inbox.HandingOver(), func(ctx context.Context) error {
		return usecase.HandOver(ctx, mysql.NewHandovers(database.DB), receiver)
	}, nil
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
