package main

import "oneqtour/apps/internal/config"

// settings are read from the environment; README.md explains them. Clients call the gateway directly, so there
// is no token that its sidecar would have to show.
type settings struct {
	config.Common `env:",squash"`
	DaprToken     string `env:"DAPR_API_TOKEN" secret:"true" optional:"true"` // what we show our sidecar
	DaprHTTPPort  int    `env:"DAPR_HTTP_PORT" default:"3500"`
	DaprGRPCPort  int    `env:"DAPR_GRPC_PORT" default:"50001"`
	DaprHost      string `env:"ONEQ_DAPR_HOST" default:"127.0.0.1"`
	OIDCIssuer    string `env:"ONEQ_OIDC_ISSUER"`
	OIDCAudience  string `env:"ONEQ_OIDC_AUDIENCE" default:"oneqtour"`

	// Requests a second, and how many may come at once; a rate of 0 means no limit.
	RateSubject  int `env:"ONEQ_RATE_SUBJECT" default:"50"` // of a signed-in caller
	BurstSubject int `env:"ONEQ_BURST_SUBJECT" default:"200"`
	RateAddress  int `env:"ONEQ_RATE_ADDRESS" default:"200"` // of an address, without a valid token
	BurstAddress int `env:"ONEQ_BURST_ADDRESS" default:"400"`
}

func (s settings) sidecar() config.Service {
	return config.Service{
		Common: s.Common, DaprToken: s.DaprToken, DaprHost: s.DaprHost,
		DaprHTTPPort: s.DaprHTTPPort, DaprGRPCPort: s.DaprGRPCPort,
	}
}
