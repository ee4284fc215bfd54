package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"oneqtour/tests/stack"
)

// profiled services and the ports on which they tell, when asked to, where their time goes.
var profiled = map[string]int{"gateway": 9100, "product": 9101, "store": 9102, "reservation": 9103, "payment": 9104, "viewpage": 9106}

// profile takes CPU profiles of all services during the sustained load, into profiles/ of the stack's folder; the
// returned function waits for them.
func (r run) profile(ctx context.Context) func() error {
	if !r.Profile {
		return func() error { return nil }
	}
	dir := filepath.Join(r.sys.Dir, "profiles")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() error { return err }
	}
	group, ctx := errgroup.WithContext(ctx)
	for app, port := range profiled {
		group.Go(func() error {
			url := fmt.Sprintf("http://127.0.0.1:%d/debug/pprof/profile?seconds=%s", port+stack.Offset, strconv.Itoa(int(r.Sustained.Seconds())))
			ctx, cancel := context.WithTimeout(ctx, r.Sustained+30*time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if err != nil {
				return err
			}
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				return err
			}
			defer func() { _ = res.Body.Close() }()
			raw, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != http.StatusOK {
				return fmt.Errorf("profile of %s: %d %w", app, res.StatusCode, err)
			}
			return os.WriteFile(filepath.Join(dir, app+".pprof"), raw, 0o600)
		})
	}
	return group.Wait
}
