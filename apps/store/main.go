// Command store is the 1Q Store: what is displayed, in which order, with price, seats and stars.
package main

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/deadletter"
	"oneqtour/apps/internal/mysqldb"
	"oneqtour/apps/internal/telemetry"
	"oneqtour/apps/internal/web"
	"oneqtour/apps/store/httpapi"
	"oneqtour/apps/store/mysql"
	"oneqtour/apps/store/usecase"
)

func main() { config.Main("store", run) }

// run serves until the context ends. The service only listens: it calls nobody and publishes nothing.
func run(ctx context.Context, cfg settings) error {
	log := telemetry.NewLogger(os.Stdout, cfg.AppID, cfg.LogLevel)
	config.Log(log, cfg)

	database, err := mysqldb.Start(cfg.DatabaseDSN, mysql.Migrations(), deadletter.Migrations())
	if err != nil {
		return err
	}
	app := web.NewApp(web.Options{AppID: cfg.AppID, AppToken: cfg.AppToken, Log: log, Ready: database.Ready})
	identity := web.NewIdentity(cfg.OIDCIssuer, cfg.OIDCAudience)
	events := httpapi.Mount(app, usecase.New(mysql.NewItems(database.DB), time.Now), identity,
		web.Subscriptions{App: cfg.AppID, PubSub: cfg.PubSub, Letters: deadletter.New(database.DB), Identity: identity})

	group, ctx := errgroup.WithContext(log.WithContext(ctx))
	group.Go(func() error { return web.Serve(ctx, app, cfg.Addr(), cfg.DrainTime) })
	// The sidecar waits for our port, so the port does not wait for the database, which may come late.
	group.Go(func() error {
		if err := database.Migrate(ctx); err != nil {
			return err
		}
		group.Go(func() error { return database.Purge(ctx, deadletter.Settled()) })
		return events.Retry(ctx)
	})
	err = group.Wait()
	log.Info().Err(err).Msg("stopped")
	return errors.Join(err, database.Close())
}
