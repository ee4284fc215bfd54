package main

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/valyala/fasthttp"
)

// Figures of many calls.
type Figures struct {
	Rate   float64 `json:"rate"` // a second
	P50    float64 `json:"p50"`  // milliseconds, as the next two
	P95    float64 `json:"p95"`
	P99    float64 `json:"p99"`
	Done   int     `json:"done"`
	Failed int     `json:"failed"` // not in the rate, nor in the quantiles
}

// timing collects how long calls took.
type timing struct {
	mu     sync.Mutex
	hist   *hdrhistogram.Histogram // microseconds
	failed int
}

func newTiming() *timing { return &timing{hist: hdrhistogram.New(1, 60_000_000, 3)} }

func (t *timing) note(took time.Duration, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !ok {
		t.failed++
		return
	}
	_ = t.hist.RecordValue(min(max(took.Microseconds(), 1), 60_000_000))
}

func (t *timing) figures(in time.Duration) Figures {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := func(q float64) float64 { return float64(t.hist.ValueAtQuantile(q)) / 1000 }
	n := int(t.hist.TotalCount())
	f := Figures{P50: at(50), P95: at(95), P99: at(99), Done: n, Failed: t.failed}
	if in > 0 {
		f.Rate = float64(n) / in.Seconds()
	}
	return f
}

// crowd lets n people do the same thing again and again, each one thing at a time. What ends after the time is not
// counted, so that a rate is that of the whole time.
func crowd(ctx context.Context, n int, length time.Duration, step func(person int) bool) Figures {
	took := newTiming()
	end := time.Now().Add(length)
	var people sync.WaitGroup
	for person := range n {
		people.Go(func() {
			for ctx.Err() == nil {
				begun := time.Now()
				if begun.After(end) {
					return
				}
				ok := step(person)
				if now := time.Now(); !now.After(end) {
					took.note(now.Sub(begun), ok)
				}
			}
		})
	}
	people.Wait()
	return took.figures(length)
}

// caller is a client that costs little, since it works on the machine that it measures.
type caller struct{ client *fasthttp.HostClient }

func newCaller(port int) caller {
	return caller{&fasthttp.HostClient{
		Addr: "127.0.0.1:" + strconv.Itoa(port), MaxConns: 2048, ReadTimeout: 20 * time.Second, WriteTimeout: 20 * time.Second,
		ReadBufferSize: 16 << 10, MaxIdleConnDuration: time.Minute,
		RetryIf: func(*fasthttp.Request) bool { return false }, // each call is counted as it went
	}}
}

type request struct {
	method, path, body string
	header             [][2]string
}

// answer of a call; status 0: there was none.
type answer struct {
	status int
	body   []byte
}

func (c caller) call(r request) answer {
	req, res := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(res)
	req.Header.SetMethod(r.method)
	req.SetRequestURI("http://" + c.client.Addr + r.path)
	for _, h := range r.header {
		req.Header.Set(h[0], h[1])
	}
	if r.method != http.MethodGet {
		req.Header.SetContentType("application/json")
		req.SetBodyString(r.body)
	}
	if err := c.client.Do(req, res); err != nil {
		return answer{body: []byte(err.Error())}
	}
	return answer{res.StatusCode(), append([]byte(nil), res.Body()...)}
}
