// Package secret puts secrets into the keys of a script, in the place of objects that
// name them, as nXCC's Zenroom VM does:
//
//	{"$secret": "NAME", "encoding": "base64" or "hex", "kdf": {"salt": "", "info": "", "len": 32}}
package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Limits bound what is put in. The zero value allows nothing: see Defaults.
type Limits struct {
	TotalBytes   int  // of all that is put in, before it is encoded
	DerivedBytes int  // of one derived key
	RequireKDF   bool // only what is derived may be put in
}

// Defaults are nXCC's.
var Defaults = Limits{TotalBytes: 65536, DerivedBytes: 64}

// None bound nothing: what was put in once under whatever limits can be again.
var None = Limits{TotalBytes: math.MaxInt, DerivedBytes: expandMax}

const (
	placeholder    = "$secret"
	derivedDefault = 32
	expandMax      = 255 * sha256.Size // RFC 5869, 2.3
)

// Keys are keys with secrets in them.
type Keys struct {
	Text []byte   // JSON. Nothing else that was made on the way has a secret in it
	Used []string // whose secrets, sorted

	values [][2]int // where the secrets are
}

// Values are the secrets in the text, as they stand there. They are parts of it.
func (k *Keys) Values() [][]byte {
	var all [][]byte
	for _, at := range k.values {
		all = append(all, k.Text[at[0]:at[1]])
	}
	return all
}

// Wipe forgets the secrets.
func (k *Keys) Wipe() { clear(k.Text) }

// Inject gives keys, a JSON text, with every placeholder replaced by the secret that it
// names, or what is derived of that: HKDF-SHA-256 of RFC 5869, salt and info being the
// bytes of their texts. Objects come out with their names in order. The errors have
// nXCC's texts, and never a secret.
func Inject(keys []byte, secrets map[string][]byte, limits Limits) (*Keys, error) {
	decoder := json.NewDecoder(bytes.NewReader(keys))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("keys: something follows the JSON")
	}
	i := &injection{secrets: secrets, limits: limits, used: map[string]bool{}}
	if err := i.write(value); err != nil {
		clear(i.out)
		return nil, err
	}
	return &Keys{i.out, slices.Sorted(maps.Keys(i.used)), i.values}, nil
}

// Named tells whether something in a JSON value stands for a secret.
func Named(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, Named)
	case map[string]any:
		_, is := v[placeholder]
		return is || slices.ContainsFunc(slices.Collect(maps.Values(v)), Named)
	}
	return false
}

type injection struct {
	secrets map[string][]byte
	limits  Limits
	total   int
	used    map[string]bool
	out     []byte
	values  [][2]int
}

// room has the output take so many bytes more, and wipes what it moves from.
func (i *injection) room(n int) {
	if cap(i.out)-len(i.out) >= n {
		return
	}
	larger := make([]byte, len(i.out), 2*cap(i.out)+n)
	copy(larger, i.out)
	clear(i.out)
	i.out = larger
}

func (i *injection) add(text ...byte) {
	i.room(len(text))
	i.out = append(i.out, text...)
}

// write writes a value as JSON.
func (i *injection) write(value any) error {
	switch v := value.(type) {
	case []any:
		i.add('[')
		for n := range v {
			if n > 0 {
				i.add(',')
			}
			if err := i.write(v[n]); err != nil {
				return err
			}
		}
		i.add(']')
	case map[string]any:
		if _, ok := v[placeholder]; ok {
			return i.secret(v)
		}
		i.add('{')
		for n, name := range slices.Sorted(maps.Keys(v)) {
			if n > 0 {
				i.add(',')
			}
			if err := i.plain(name); err != nil {
				return err
			}
			i.add(':')
			if err := i.write(v[name]); err != nil {
				return err
			}
		}
		i.add('}')
	default:
		return i.plain(value)
	}
	return nil
}

// plain writes what has no secret in it.
func (i *injection) plain(value any) error {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	i.add(bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
	return nil
}

// secret writes what a placeholder stands for.
func (i *injection) secret(object map[string]any) error {
	name, ok := object[placeholder].(string)
	if !ok {
		return errors.New("Invalid $secret value")
	}
	content, ok := i.secrets[name]
	if !ok {
		return fmt.Errorf("Missing secret '%s'", name)
	}
	i.used[name] = true
	kdf, ok := object["kdf"]
	switch {
	case ok:
		var err error
		if content, err = i.derive(content, kdf); err != nil {
			return err
		}
		defer clear(content)
	case i.limits.RequireKDF:
		return errors.New("HKDF is required for secret injection")
	}
	if i.total += len(content); i.total > i.limits.TotalBytes {
		return fmt.Errorf("Total derived secrets size %d exceeds max %d", i.total, i.limits.TotalBytes)
	}
	i.room(2*len(content) + len(`"===="`))
	i.out = append(i.out, '"')
	from := len(i.out)
	encoding, ok := object["encoding"].(string)
	if !ok {
		encoding = "base64"
	}
	switch encoding = strings.ToLower(encoding); encoding {
	case "base64":
		i.out = base64.StdEncoding.AppendEncode(i.out, content)
	case "hex":
		i.out = hex.AppendEncode(i.out, content)
	default:
		return fmt.Errorf("Unsupported encoding '%s'", encoding)
	}
	i.values = append(i.values, [2]int{from, len(i.out)})
	i.out = append(i.out, '"')
	return nil
}

func (i *injection) derive(content []byte, kdf any) ([]byte, error) {
	object, ok := kdf.(map[string]any)
	if !ok {
		return nil, errors.New("kdf must be an object")
	}
	salt, _ := object["salt"].(string)
	info, _ := object["info"].(string)
	length := uint64(derivedDefault)
	if number, ok := object["len"].(json.Number); ok {
		if n, err := strconv.ParseUint(number.String(), 10, 64); err == nil {
			length = n
		}
	}
	switch {
	case length > uint64(max(0, i.limits.DerivedBytes)):
		return nil, fmt.Errorf("Derived key length %d exceeds max %d", length, i.limits.DerivedBytes)
	case length > expandMax:
		return nil, errors.New("HKDF expand failed")
	}
	return hkdf.Key(sha256.New, content, []byte(salt), info, int(length))
}
