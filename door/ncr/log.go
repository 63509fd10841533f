package ncr

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// secretBytesMin is what a text of the keys has at least for it to be kept out of
// logs: shorter ones stand everywhere.
const secretBytesMin = 4

// hidden stands where a text of the keys was.
const hidden = "•••"

// logLines are the lines of Zenroom's log that a client may see: without the heap and
// the trace, which have all keys in them. Of a script with keys only those are left
// that tell of errors, without what is in the keys.
func logLines(log, keys []byte) []string {
	var lines []string
	if json.Unmarshal(log, &lines) != nil { // it is text, or ended early
		for line := range strings.Lines(string(log)) {
			line = strings.TrimRight(line, "\r\n")
			line = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(line, ","), `"`), `"`)
			lines = append(lines, line)
		}
	}
	secrets := secretsOf(keys)
	left := []string{}
	for _, line := range lines {
		switch {
		case strings.Contains(line, "J64 "), strings.Contains(line, "ZENROOM JSON LOG "), strings.TrimSpace(line) == "":
			continue
		case len(keys) > 0 && !strings.HasPrefix(line, "[!]") && !strings.HasPrefix(line, "[W]"):
			continue
		}
		left = append(left, secrets.Replace(strings.ToValidUTF8(line, "\uFFFD")))
	}
	return left
}

// reason is the line of the log that says best why a script failed.
func reason(lines []string) string {
	const mark = "[!]"
	found := ""
	for _, line := range lines {
		text, ok := strings.CutPrefix(line, mark)
		if text = strings.TrimSpace(text); !ok || text == "Execution aborted with errors." || text == "Execution aborted" {
			continue
		}
		found = text // the first is a heading
	}
	if found == "" {
		return "the script failed"
	}
	return place.ReplaceAllString(found, "")
}

// place is where in Zenroom something went wrong.
var place = regexp.MustCompile(`/\w+\.lua:\d+: `)

// secretsOf replaces the texts of keys, in all the ways in which Zenroom writes
// bytes.
func secretsOf(keys []byte) *strings.Replacer {
	var forms []string
	add := func(form string) {
		if len(form) >= secretBytesMin && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	var value any
	decoder := json.NewDecoder(bytes.NewReader(keys))
	decoder.UseNumber()
	_ = decoder.Decode(&value) // what is no JSON has no texts
	leaves(value, func(leaf string) {
		for _, content := range contents(leaf) {
			add(string(content))
			add(hex.EncodeToString(content))
			add(strings.ToUpper(hex.EncodeToString(content)))
			add(base64.StdEncoding.EncodeToString(content))
			add(base64.RawStdEncoding.EncodeToString(content))
			add(base64.RawURLEncoding.EncodeToString(content))
		}
		add(leaf)
	})
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) }) // the longest first
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, hidden)
	}
	return strings.NewReplacer(pairs...)
}

// leaves tells of each text and number in a JSON value.
func leaves(value any, tell func(string)) {
	switch v := value.(type) {
	case string:
		tell(v)
	case json.Number:
		tell(v.String())
	case []any:
		for _, item := range v {
			leaves(item, tell)
		}
	case map[string]any:
		for _, item := range v {
			leaves(item, tell)
		}
	}
}

// contents are the bytes that a text may stand for: its own, and what it encodes.
func contents(text string) [][]byte {
	all := [][]byte{[]byte(text)}
	if b, err := hex.DecodeString(text); err == nil {
		all = append(all, b)
	}
	trimmed := strings.TrimRight(text, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		if b, err := encoding.DecodeString(trimmed); err == nil {
			all = append(all, b)
			break
		}
	}
	return all
}
