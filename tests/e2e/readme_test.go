package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"oneqtour/tests/stack"
)

// The tour of the README, line by line: what it says that a command prints is what it prints.
func TestTheTourOfTheREADME(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(sys.Root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands, want := tour(string(raw))
	if len(commands) < 8 {
		t.Fatalf("the tour has only %d commands", len(commands))
	}
	// The tests' system has other ports.
	script := strings.Join(commands, "\n")
	for _, port := range []int{8080, 8089, 3500} {
		script = strings.ReplaceAll(script, ":"+strconv.Itoa(port), ":"+strconv.Itoa(port+stack.Offset))
	}
	cmd := exec.CommandContext(t.Context(), "bash")
	cmd.Stdin = strings.NewReader(script)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := strings.TrimSpace(string(out)); got != want {
		t.Errorf("the tour prints\n%s\n\nand the README says\n%s", got, want)
	}
}

// tour takes the console blocks apart: lines after "$ " are typed, "> " continues them, the rest is printed.
func tour(text string) (commands []string, printed string) {
	var out []string
	for i, block := range strings.Split(text, "```console\n") {
		if i == 0 {
			continue
		}
		body, _, _ := strings.Cut(block, "```")
		for line := range strings.Lines(body) {
			line = strings.TrimSuffix(line, "\n")
			if typed, ok := strings.CutPrefix(line, "$ "); ok {
				commands = append(commands, typed)
			} else if more, ok := strings.CutPrefix(line, "> "); ok {
				commands[len(commands)-1] += "\n" + more
			} else if line != "" {
				out = append(out, line)
			}
		}
	}
	return commands, strings.Join(out, "\n")
}
