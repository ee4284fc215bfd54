// Package config reads a program's settings from the environment. Dapr's own variables keep their names
// (APP_ID, APP_PORT, DAPR_HTTP_PORT, DAPR_GRPC_PORT, APP_API_TOKEN, DAPR_API_TOKEN); the project's begin
// with ONEQ_. A setting changes behaviour without a rebuild.
package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/viper"
)

// Common is what every program reads.
type Common struct {
	AppID       string        `env:"APP_ID"`
	Listen      string        `env:"ONEQ_LISTEN" default:"127.0.0.1"` // host to bind
	Port        int           `env:"APP_PORT"`
	Environment string        `env:"ONEQ_ENVIRONMENT" default:"production"`
	LogLevel    string        `env:"ONEQ_LOG_LEVEL" default:"info"`
	DrainTime   time.Duration `env:"ONEQ_DRAIN_TIME" default:"10s"`   // for requests at work when told to stop
	ProfileAt   string        `env:"ONEQ_PPROF_ADDR" optional:"true"` // loopback host:port where profiles are told; none by default
}

// Addr is host:port to listen on.
func (c Common) Addr() string { return fmt.Sprintf("%s:%d", c.Listen, c.Port) }

// Service is what every program with a sidecar reads.
type Service struct {
	Common       `env:",squash"`
	AppToken     string `env:"APP_API_TOKEN" secret:"true"`                  // what our sidecar shows us
	DaprToken    string `env:"DAPR_API_TOKEN" secret:"true" optional:"true"` // what we show our sidecar
	DaprHTTPPort int    `env:"DAPR_HTTP_PORT" default:"3500"`
	DaprGRPCPort int    `env:"DAPR_GRPC_PORT" default:"50001"`
	DaprHost     string `env:"ONEQ_DAPR_HOST" default:"127.0.0.1"`
	OIDCIssuer   string `env:"ONEQ_OIDC_ISSUER"`
	OIDCAudience string `env:"ONEQ_OIDC_AUDIENCE" default:"oneqtour"`
	PubSub       string `env:"ONEQ_PUBSUB" default:"pubsub"` // name of the Dapr component
}

// Load fills the struct that into points at. A field is named by its tag `env`, takes the tag `default` when
// the variable is absent, and is demanded when it has neither default nor the tag `optional:"true"`.
func Load(into any) error {
	v := viper.New()
	v.AutomaticEnv()
	var missing []string
	err := each(reflect.ValueOf(into).Elem(), func(f reflect.StructField, val reflect.Value) error {
		name := f.Tag.Get("env")
		def, has := f.Tag.Lookup("default")
		// Viper forgets a variable that it was not told of.
		if err := v.BindEnv(name, name); err != nil {
			return err
		}
		v.SetDefault(name, def)
		s := v.GetString(name)
		if s == "" && !has && f.Tag.Get("optional") != "true" {
			missing = append(missing, name)
			return nil
		}
		return set(val, v, name)
	})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("these environment variables are not set: %s", strings.Join(missing, ", "))
	}
	return nil
}

func set(val reflect.Value, v *viper.Viper, name string) error {
	switch val.Interface().(type) {
	case string:
		val.SetString(v.GetString(name))
	case bool:
		val.SetBool(v.GetBool(name))
	case int, int64:
		if v.GetString(name) == "" {
			return nil
		}
		var n int64
		if _, err := fmt.Sscanf(v.GetString(name), "%d", &n); err != nil {
			return fmt.Errorf("%s must be a whole number, not %q", name, v.GetString(name))
		}
		val.SetInt(n)
	case time.Duration:
		d, err := time.ParseDuration(v.GetString(name))
		if err != nil {
			return fmt.Errorf("%s must be a duration such as 3s, not %q", name, v.GetString(name))
		}
		val.SetInt(int64(d))
	default:
		return fmt.Errorf("%s: settings of type %s are not supported", name, val.Type())
	}
	return nil
}

// Log writes the settings at start, secrets masked.
func Log(log zerolog.Logger, cfg any) {
	e := log.Info()
	v := reflect.Indirect(reflect.ValueOf(cfg))
	_ = each(v, func(f reflect.StructField, val reflect.Value) error {
		name := f.Tag.Get("env")
		if f.Tag.Get("secret") == "true" {
			if val.String() == "" {
				e.Str(name, "")
			} else {
				e.Str(name, "****")
			}
			return nil
		}
		e.Str(name, fmt.Sprint(val.Interface()))
		return nil
	})
	e.Msg("settings")
}

func each(v reflect.Value, fn func(reflect.StructField, reflect.Value) error) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous {
			if err := each(v.Field(i), fn); err != nil {
				return err
			}
			continue
		}
		if f.Tag.Get("env") == "" {
			continue
		}
		if err := fn(f, v.Field(i)); err != nil {
			return err
		}
	}
	return nil
}
