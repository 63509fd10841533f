package nxcc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// depthMax bounds how deep JSON is nested, as nXCC's parser does.
const depthMax = 127

// decode reads a JSON text as nXCC's parser does, which is strict: UTF-8, no half of a
// pair of surrogates, no number beyond a float. Numbers stay as they are written.
func decode(text []byte) (any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is no UTF-8")
	}
	if err := scan(text); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("trailing characters")
	}
	return value, finite(value)
}

// finite refuses numbers that no float can be near to.
func finite(value any) (err error) {
	switch v := value.(type) {
	case json.Number:
		if _, err := strconv.ParseFloat(string(v), 64); err != nil {
			return fmt.Errorf("number out of range: %.20s", v)
		}
	case []any:
		for n := 0; n < len(v) && err == nil; n++ {
			err = finite(v[n])
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if err = finite(v[name]); err != nil {
				break
			}
		}
	}
	return err
}

// scan refuses a text that is nested deeper than depthMax, or has half of a pair of
// surrogates in it.
func scan(text []byte) error {
	depth, inside := 0, false
	for n := 0; n < len(text); n++ {
		switch c := text[n]; {
		case inside && c == '\\':
			if first, ok := escaped(text[n:]); ok && utf16.IsSurrogate(first) {
				second, ok := escaped(text[n+len(`\u0000`):])
				if !ok || utf16.DecodeRune(first, second) == utf8.RuneError {
					return errors.New("half of a pair of surrogates")
				}
				n += len(`\u0000`)
			}
			n++
		case c == '"':
			inside = !inside
		case inside:
		case c == '[' || c == '{':
			if depth++; depth > depthMax {
				return fmt.Errorf("nested deeper than %d", depthMax)
			}
		case c == ']' || c == '}':
			depth--
		}
	}
	return nil
}

// escaped is the character that \u0000 and the like at the beginning of a text is.
func escaped(text []byte) (rune, bool) {
	if len(text) < len(`\u0000`) || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	return rune(n), err == nil
}

// encode writes a value as compact JSON, the names of objects in order.
func encode(value any) []byte {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // of values that decode made, and of structs of them
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

// lossy is bytes as UTF-8: what is none becomes U+FFFD, once for each longest part
// that could have begun a character.
func lossy(b []byte) string {
	text, err := unicode.UTF8.NewDecoder().Bytes(b)
	if err != nil { // it never fails
		return strings.ToValidUTF8(string(b), "\uFFFD")
	}
	return string(text)
}

// resolve follows a JSON pointer (RFC 6901).
func resolve(value any, pointer string) (any, bool) {
	if pointer == "" {
		return value, true
	}
	if pointer[0] != '/' {
		return nil, false
	}
	for _, token := range strings.Split(pointer[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch v := value.(type) {
		case map[string]any:
			next, ok := v[token]
			if !ok {
				return nil, false
			}
			value = next
		case []any:
			index, err := strconv.ParseUint(token, 10, 31)
			if err != nil || token[0] == '+' || token[0] == '0' && len(token) > 1 || index >= uint64(len(v)) {
				return nil, false
			}
			value = v[index]
		default:
			return nil, false
		}
	}
	return value, true
}
