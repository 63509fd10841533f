package xsnaptest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A Transcript is what the published supervisor was seen to do, line by line:
// deliveries to it (CMD) and what it replies (RES), what it asks (W>K) and is
// answered (K>W).
type Transcript struct {
	lines []string
	line  int
}

// Supervisor is the transcript of guest/js/testdata.
func Supervisor(t testing.TB) *Transcript {
	t.Helper()
	dir := filepath.Join(Root(), "guest", "js", "testdata")
	text, err := os.ReadFile(filepath.Join(dir, "supervisor-deliveries.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	vat, err := os.ReadFile(filepath.Join(dir, "counter.js"))
	if err != nil {
		t.Fatal(err)
	}
	// The first delivery was shortened when it was written down.
	first, err := json.Marshal([]any{"setBundle", "v1", map[string]string{"moduleFormat": "getExport", "source": string(vat)}, map[string]string{}})
	if err != nil {
		t.Fatal(err)
	}
	lines[0] = "CMD " + string(first)
	return &Transcript{lines: lines}
}

// Before leaves out the deliveries from the first one on that has a text in it.
func (s *Transcript) Before(text string) *Transcript {
	for n, line := range s.lines {
		if strings.HasPrefix(line, "CMD ") && strings.Contains(line, text) {
			s.lines = s.lines[:n]
			break
		}
	}
	return s
}

// More reports whether there is another delivery.
func (s *Transcript) More() bool { return s.line < len(s.lines) }

// Next is the rest of the next line, which must begin so.
func (s *Transcript) Next(kind string) (string, error) {
	if !s.More() {
		return "", fmt.Errorf("a %s after the last line", kind)
	}
	text, ok := strings.CutPrefix(s.lines[s.line], kind+" ")
	s.line++
	if !ok {
		return "", fmt.Errorf("line %d: a %s, want %.200q", s.line, kind, s.lines[s.line-1])
	}
	return text, nil
}

// Expect holds what came against the next line.
func (s *Transcript) Expect(kind, got string) error {
	want, err := s.Next(kind)
	if err == nil && got != want {
		err = fmt.Errorf("line %d: %s, want %s", s.line, got, want)
	}
	return err
}

// Handle answers what the supervisor asks.
func (s *Transcript) Handle(_ context.Context, message []byte) ([]byte, error) {
	if err := s.Expect("W>K", string(message)); err != nil {
		return nil, err
	}
	answer, err := s.Next("K>W")
	return []byte(answer), err
}
