package config

import (
	"net"
	"net/http"
	"testing"
)

func TestProfilesAreToldOnThisMachineAloneAndOnlyWhenAsked(t *testing.T) {
	type settings struct{ Service }
	at := func(addr string) settings { return settings{Service{Common: Common{ProfileAt: addr}}} }
	for _, addr := range []string{"0.0.0.0:6060", ":6060", "example.org:6060", "127.0.0.1", "10.0.0.1:6060"} {
		if serveProfiles(at(addr)) == nil {
			t.Errorf("%q is taken", addr)
		}
	}
	if err := serveProfiles(at("")); err != nil {
		t.Error(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	if err := serveProfiles(at(addr)); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + addr + "/debug/pprof/heap?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		t.Errorf("heap: %d", res.StatusCode)
	}
}
