package ncr

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"carrel/guest/zencode/secret"
)

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
	left := []string{}
	for _, line := range lines {
		switch {
		case strings.Contains(line, "J64 "), strings.Contains(line, "ZENROOM JSON LOG "), strings.TrimSpace(line) == "":
			continue
		case len(keys) > 0 && !strings.HasPrefix(line, "[!]") && !strings.HasPrefix(line, "[W]"):
			continue
		}
		left = append(left, strings.ToValidUTF8(line, "\uFFFD"))
	}
	if len(keys) == 0 || len(left) == 0 {
		return left
	}
	shown := secret.Redact([]byte(strings.Join(left, "\n")), secretsOf(keys), hidden)
	return strings.Split(strings.ToValidUTF8(string(shown), "\uFFFD"), "\n")
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

// secretsOf are the texts and numbers of keys, in all the ways in which Zenroom writes
// them.
func secretsOf(keys []byte) (forms [][]byte) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(keys))
	decoder.UseNumber()
	_ = decoder.Decode(&value) // what is no JSON has no texts
	leaves(value, func(leaf string) { forms = append(forms, secret.Forms([]byte(leaf))...) })
	return forms
}

// leaves tells of each text and number in a JSON value.
func leaves(value any, tell func(string)) {
	switch v := value.(type) {
	case string:
		tell(v)
	case json.Number:
		tell(v.String())
		if n, err := v.Float64(); err == nil {
			tell(strconv.FormatFloat(n, 'g', 7, 64)) // as Lua prints it
		}
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
