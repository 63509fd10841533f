package seal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// safeIntegerMax is the largest integer that every JSON reader keeps: 2^53 - 1.
// Larger quantities are written as decimal strings.
const safeIntegerMax = 1<<53 - 1

// CanonicalJSON rewrites a JSON text in the one form that is hashed and
// compared, that of RFC 8785 restricted to integers: members sorted by name
// (as UTF-16), no white space, shortest escapes, UTF-8. It refuses what has no
// canonical form or is read differently by different readers: duplicate
// members, fractions and exponents, integers beyond ±(2^53 - 1), bad UTF-8,
// nesting deeper than JSONDepthMax, more than JSONValuesMax values, anything
// after the value.
func CanonicalJSON(text []byte) ([]byte, error) {
	value, err := parseJSON(text, JSONValuesMax)
	if err != nil {
		return nil, err
	}
	return appendJSON(make([]byte, 0, len(text)), value)
}

// parseJSON reads one value as nil, bool, string, int64, []any, map[string]any.
func parseJSON(text []byte, valuesMax int) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("read JSON: not UTF-8")
	}
	if err := CheckValues(text, valuesMax); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	value, err := readValue(decoder, 0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read JSON at byte %d: %w", decoder.InputOffset(), err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read JSON at byte %d: something follows the value", decoder.InputOffset())
	}
	return value, nil
}

// CheckValues refuses a text that may hold more than valuesMax JSON values. It
// only looks at commas and brackets: every value but the first follows one of
// them. Whoever reads JSON into memory calls it first.
func CheckValues(text []byte, valuesMax int) error {
	values, quoted := 1, false
	for n := 0; n < len(text); n++ {
		switch c := text[n]; {
		case quoted && c == '\\':
			n++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '{' || c == '['):
			values++
		}
	}
	if values > valuesMax {
		return fmt.Errorf("more than %d values", valuesMax)
	}
	return nil
}

func readValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token := token.(type) {
	case json.Delim:
		if depth == JSONDepthMax {
			return nil, fmt.Errorf("nested deeper than %d", JSONDepthMax)
		}
		if token == '{' {
			return readObject(decoder, depth+1)
		}
		return readArray(decoder, depth+1)
	case json.Number:
		return readInteger(string(token))
	default:
		return token, nil
	}
}

func readObject(decoder *json.Decoder, depth int) (any, error) {
	object := map[string]any{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name, ok := token.(string)
		if !ok {
			return nil, errors.New("a member has no name")
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("member %.80q occurs twice", name)
		}
		if object[name], err = readValue(decoder, depth); err != nil {
			return nil, err
		}
	}
	_, err := decoder.Token()
	return object, err
}

func readArray(decoder *json.Decoder, depth int) (any, error) {
	array := []any{}
	for decoder.More() {
		value, err := readValue(decoder, depth)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := decoder.Token()
	return array, err
}

func readInteger(digits string) (any, error) {
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > safeIntegerMax || n < -safeIntegerMax || digits == "-0" {
		return nil, fmt.Errorf("number %.40s is not an integer within ±(2^53 - 1)", digits)
	}
	return n, nil
}

// appendJSON writes what parseJSON returns, in canonical form.
func appendJSON(dst []byte, value any) ([]byte, error) {
	var err error
	switch value := value.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, value), nil
	case int64:
		return strconv.AppendInt(dst, value, 10), nil
	case string:
		return appendString(dst, value)
	case []any:
		dst = append(dst, '[')
		for n, element := range value {
			if n > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendJSON(dst, element); err != nil {
				return nil, err
			}
		}
		return append(dst, ']'), nil
	case map[string]any:
		dst = append(dst, '{')
		for n, name := range memberNames(value) {
			if n > 0 {
				dst = append(dst, ',')
			}
			if dst, err = appendString(dst, name); err != nil {
				return nil, err
			}
			if dst, err = appendJSON(append(dst, ':'), value[name]); err != nil {
				return nil, err
			}
		}
		return append(dst, '}'), nil
	default:
		return nil, fmt.Errorf("write JSON: no form for %T", value)
	}
}

// memberNames are the names of an object in the order of RFC 8785: by UTF-16
// code units.
func memberNames(object map[string]any) []string {
	names := make([]string, 0, len(object))
	ascii := true
	for name := range object {
		names = append(names, name)
		ascii = ascii && isASCII(name)
	}
	if ascii {
		slices.Sort(names)
		return names
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	return names
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r >= utf8.RuneSelf }) < 0
}

// appendString writes a string with the escapes of RFC 8785.
func appendString(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("string %.80q is not UTF-8", s)
	}
	dst = append(dst, '"')
	start := 0
	for n := 0; n < len(s); n++ {
		c := s[n]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:n]...)
		start = n + 1
		switch {
		case c == '"', c == '\\':
			dst = append(dst, '\\', c)
		case strings.IndexByte("\b\t\n\f\r", c) >= 0:
			dst = append(dst, '\\', "btn?fr"[c-'\b'])
		default:
			dst = append(dst, '\\', 'u', '0', '0', '0'+c>>4, "0123456789abcdef"[c&15])
		}
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"'), nil
}
