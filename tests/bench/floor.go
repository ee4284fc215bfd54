package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"oneqtour/tests/stack"
)

// The floor is what the way of a reservation costs when nothing is done on it: client → sidecar → app → sidecar →
// sidecar → app, with two programs that answer at once. They are this very program, told so by the environment.
const (
	noopPort = "ONEQ_BENCH_NOOP_PORT"
	noopNext = "ONEQ_BENCH_NOOP_NEXT" // address that it asks before it answers; none: it is the last
)

// serveNoop answers everything with nothing.
func serveNoop() error {
	next := os.Getenv(noopNext)
	client := &fasthttp.Client{MaxConnsPerHost: 512}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Post("/noop", func(c *fiber.Ctx) error {
		if next == "" {
			return c.SendStatus(http.StatusOK)
		}
		req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
		defer fasthttp.ReleaseRequest(req)
		defer fasthttp.ReleaseResponse(res)
		req.Header.SetMethod(http.MethodPost)
		req.SetRequestURI(next)
		req.SetBody(c.Body())
		if err := client.DoTimeout(req, res, 10*time.Second); err != nil {
			return err
		}
		return c.SendStatus(res.StatusCode())
	})
	return app.Listen("127.0.0.1:" + os.Getenv(noopPort))
}

// floor is the two programs with their sidecars.
type floor struct {
	dir      string
	running  []*exec.Cmd
	sidecars [2]int // HTTP ports
}

// openFloor starts it, with the settings that the services' sidecars have.
func openFloor(ctx context.Context, root, dir string) (*floor, error) {
	f := &floor{dir: filepath.Join(dir, "floor")}
	if err := errors.Join(os.RemoveAll(f.dir), os.MkdirAll(f.dir, 0o700)); err != nil {
		return f, err
	}
	settings, err := os.ReadFile(filepath.Join(root, "components/common/configuration-reservation.yaml"))
	if err != nil {
		return f, err
	}
	settings = bytes.ReplaceAll(settings, []byte(".run/names.db"), []byte(filepath.Join(f.dir, "names.db")))
	config := filepath.Join(f.dir, "configuration.yaml")
	if err := os.WriteFile(config, settings, 0o600); err != nil {
		return f, err
	}
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	for i := range 2 {
		id, port := "noop-"+strconv.Itoa(i+1), 9010+10*i+stack.Offset
		f.sidecars[i] = port + 1
		next := ""
		if i == 0 {
			next = fmt.Sprintf("http://127.0.0.1:%d/v1.0/invoke/noop-2/method/noop", port+1)
		}
		err := errors.Join(
			f.start(id, []string{noopPort + "=" + strconv.Itoa(port), noopNext + "=" + next}, self),
			f.start(id+".daprd", []string{"DAPR_HOST_IP=127.0.0.1"}, filepath.Join(root, ".run/bin/daprd"), "--app-id", id, "--app-protocol", "http",
				"--app-port", strconv.Itoa(port), "--dapr-http-port", strconv.Itoa(port+1), "--dapr-grpc-port", strconv.Itoa(port+2),
				"--dapr-internal-grpc-port", strconv.Itoa(port+3), "--metrics-port", strconv.Itoa(port+4), "--config", config,
				"--dapr-listen-addresses", "127.0.0.1", "--dapr-internal-grpc-listen-address", "127.0.0.1", "--metrics-listen-address", "127.0.0.1"))
		if err != nil {
			return f, err
		}
	}
	return f, f.await(ctx)
}

func (f *floor) start(name string, env []string, program string, args ...string) error {
	log, err := os.Create(filepath.Join(f.dir, name+".log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f.running = append(f.running, cmd)
	return nil
}

// await until the whole way answers.
func (f *floor) await(ctx context.Context) error {
	c := newCaller(f.sidecars[0])
	for end := time.Now().Add(10 * time.Second); ; {
		a := c.call(f.request())
		if a.status == http.StatusOK {
			return nil
		}
		if ctx.Err() != nil || time.Now().After(end) {
			return fmt.Errorf("the floor does not answer (%d %s); see %s", a.status, a.body, f.dir)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (f *floor) request() request {
	return request{method: http.MethodPost, path: "/v1.0/invoke/noop-1/method/noop", body: "{}"}
}

// close ends its processes.
func (f *floor) close() {
	for _, cmd := range f.running {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	f.running = nil
}

// measureFloor starts the floor, measures it alone on the machine and ends it.
func measureFloor(ctx context.Context, root, dir string, p plan) (Figures, error) {
	f, err := openFloor(ctx, root, dir)
	for n := 1; err != nil && n < 3 && ctx.Err() == nil; n++ {
		// Two sidecars that make the file of names at the same instant may lose the name of one.
		say("once more: %v", err)
		f.close()
		f, err = openFloor(ctx, root, dir)
	}
	defer func() { f.close() }()
	if err != nil {
		return Figures{}, err
	}
	c := newCaller(f.sidecars[0])
	ask := func(int) bool { return c.call(f.request()).status == http.StatusOK }
	crowd(ctx, p.Customers, p.Floor/4, ask) // warm
	return crowd(ctx, p.Customers, p.Floor, ask), ctx.Err()
}
