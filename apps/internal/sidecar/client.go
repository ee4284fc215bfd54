// Package sidecar is the outbound edge that all services share: publishing, invoking another service and
// keeping state, all through the service's own Dapr sidecar. It is the only importer of the Dapr SDK.
package sidecar

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	dapr "github.com/dapr/go-sdk/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	"oneqtour/apps/internal/config"
)

const tokenHeader = "dapr-api-token"

// maxMessage is how much one answer of the sidecar may hold, in bytes.
const maxMessage = 64 << 20

// Client talks to the sidecar.
type Client struct {
	sdk   dapr.Client
	conn  *grpc.ClientConn
	http  *http.Client
	base  string // http://host:port of the sidecar
	token string
}

// The SDK prints on its own, beside our log; what matters comes back as errors.
var silence = sync.OnceFunc(func() { dapr.SetLogger(log.New(io.Discard, "", 0)) })

// New prepares a client. It does not connect: the app must listen before its sidecar comes up.
func New(cfg config.Service) (*Client, error) {
	silence()
	withToken := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
		if cfg.DaprToken != "" {
			ctx = metadata.AppendToOutgoingContext(ctx, tokenHeader, cfg.DaprToken)
		}
		return invoke(ctx, method, req, reply, cc, opts...)
	}
	conn, err := grpc.NewClient(net.JoinHostPort(cfg.DaprHost, strconv.Itoa(cfg.DaprGRPCPort)),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithUnaryInterceptor(withToken),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxMessage), grpc.MaxCallSendMsgSize(maxMessage)),
		grpc.WithConnectParams(grpc.ConnectParams{MinConnectTimeout: 2 * time.Second}))
	if err != nil {
		return nil, fmt.Errorf("dapr: %w", err)
	}
	return &Client{
		sdk: dapr.NewClientWithConnection(conn), conn: conn, token: cfg.DaprToken,
		base: "http://" + net.JoinHostPort(cfg.DaprHost, strconv.Itoa(cfg.DaprHTTPPort)),
		http: &http.Client{Transport: &http.Transport{
			MaxIdleConns: 512, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second,
			DialContext: (&net.Dialer{Timeout: time.Second}).DialContext,
		}},
	}, nil
}

// Close ends the connection to the sidecar.
func (c *Client) Close() error { return c.conn.Close() }
