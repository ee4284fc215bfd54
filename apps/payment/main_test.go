package main

import (
	"context"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"oneqtour/apps/internal/config"
	"oneqtour/apps/internal/dbtest"
)

func TestTheProgramMigratesGetsReadyAndStopsWhenTold(t *testing.T) {
	_, dsn := dbtest.OpenDSN(t)
	_, portText, _ := net.SplitHostPort(freeAddr(t))
	port, _ := strconv.Atoi(portText)
	cfg := settings{
		Service: config.Service{
			Common:   config.Common{AppID: "payment", Listen: "127.0.0.1", Port: port, LogLevel: "error", DrainTime: time.Second},
			AppToken: appToken, DaprHost: "127.0.0.1", DaprGRPCPort: 1, DaprHTTPPort: 1, PubSub: "pubsub",
		},
		DSN: dsn, ProviderURL: "http://" + freeAddr(t), ProviderSecret: providerSecret,
		ProviderTimeout: time.Second, AnswerWithin: time.Second, Watch: time.Hour,
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, cfg) }()
	eventually(t, "ready", func() bool {
		res, err := http.Get("http://" + cfg.Addr() + "/readyz")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it does not stop")
	}
}
