package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"oneqtour/tests/stack"
)

// process is one of the stack's, or this program itself, which works on the same machine.
type process struct {
	cpu      time.Duration // so far, in user and kernel mode
	resident float64       // MB
}

// readProcesses of the stack by their names: product, product.daprd, mariadb …
func readProcesses(sys *stack.Stack) (map[string]process, error) {
	pids, err := sys.Pids()
	if err != nil {
		return nil, err
	}
	delete(pids, "launcher")
	delete(pids, "cli")
	pids["bench"] = os.Getpid()
	all := map[string]process{}
	for name, pid := range pids {
		if all[name], err = readProcess(pid); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// ticks of the kernel's clock in a second, on every Linux that Go runs on.
const ticks = 100

func readProcess(pid int) (process, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, err
	}
	// The name of the program, in brackets, may hold blanks; utime and stime are the 14th and 15th member in all.
	_, rest, _ := strings.Cut(string(stat), ") ")
	members := strings.Fields(rest)
	if len(members) < 13 {
		return process{}, fmt.Errorf("/proc/%d/stat reads %q", pid, stat)
	}
	var p process
	for _, m := range members[11:13] {
		n, err := strconv.ParseInt(m, 10, 64)
		if err != nil {
			return process{}, err
		}
		p.cpu += time.Duration(n) * time.Second / ticks
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return process{}, err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kB, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
			if err != nil {
				return process{}, err
			}
			p.resident = float64(kB) / 1024
		}
	}
	return p, nil
}

// Cost of one process.
type Cost struct {
	Process  string  `json:"process"`
	CPU      float64 `json:"cpuMs"` // milliseconds for each reservation
	Resident float64 `json:"residentMB"`
}

// costs of each reservation between two readings, the dearest process first.
func costs(before, after map[string]process, reservations int) []Cost {
	var all []Cost
	for _, name := range slices.Sorted(maps.Keys(after)) {
		c := Cost{Process: name, Resident: after[name].resident}
		if reservations > 0 {
			c.CPU = float64((after[name].cpu - before[name].cpu).Microseconds()) / 1000 / float64(reservations)
		}
		all = append(all, c)
	}
	slices.SortStableFunc(all, func(a, b Cost) int {
		switch {
		case a.CPU > b.CPU:
			return -1
		case a.CPU < b.CPU:
			return 1
		}
		return 0
	})
	return all
}
