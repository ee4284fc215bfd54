package config

import (
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"
)

func (c Common) profileAddr() string { return c.ProfileAt }

// serveProfiles tells, for measuring, where a program's time and memory go, when its settings name an address for that.
// Whoever reads a profile learns much of a program and slows it down, so the address must be one of this machine alone.
func serveProfiles(cfg any) error {
	with, ok := cfg.(interface{ profileAddr() string })
	if !ok || with.profileAddr() == "" {
		return nil
	}
	addr := with.profileAddr()
	host, _, err := net.SplitHostPort(addr)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		return fmt.Errorf("ONEQ_PPROF_ADDR must be a loopback address with a port such as 127.0.0.1:6060, not %q", addr)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with the program
	return nil
}
