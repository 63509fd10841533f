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

const (
	placeholder    = "$secret"
	derivedDefault = 32
	expandMax      = 255 * sha256.Size // RFC 5869, 2.3
)

// Inject gives keys, a JSON text, with every placeholder replaced by the secret that it
// names, or what is derived of that: HKDF-SHA-256 of RFC 5869, salt and info being the
// bytes of their texts. Objects come out with their names in order. The errors have
// nXCC's texts, and never a secret.
func Inject(keys []byte, secrets map[string][]byte, limits Limits) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(keys))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("keys: something follows the JSON")
	}
	i := &injection{secrets: secrets, limits: limits}
	value, err := i.walk(value)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err = encoder.Encode(value)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}

type injection struct {
	secrets map[string][]byte
	limits  Limits
	total   int
}

func (i *injection) walk(value any) (_ any, err error) {
	switch v := value.(type) {
	case []any:
		for n := range v {
			if v[n], err = i.walk(v[n]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if _, ok := v[placeholder]; ok {
			return i.secret(v)
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if v[name], err = i.walk(v[name]); err != nil {
				return nil, err
			}
		}
	}
	return value, nil
}

// secret is what a placeholder stands for.
func (i *injection) secret(object map[string]any) (string, error) {
	name, ok := object[placeholder].(string)
	if !ok {
		return "", errors.New("Invalid $secret value")
	}
	content, ok := i.secrets[name]
	if !ok {
		return "", fmt.Errorf("Missing secret '%s'", name)
	}
	kdf, ok := object["kdf"]
	switch {
	case ok:
		var err error
		if content, err = i.derive(content, kdf); err != nil {
			return "", err
		}
	case i.limits.RequireKDF:
		return "", errors.New("HKDF is required for secret injection")
	}
	if i.total += len(content); i.total > i.limits.TotalBytes {
		return "", fmt.Errorf("Total derived secrets size %d exceeds max %d", i.total, i.limits.TotalBytes)
	}
	switch encoding, _ := object["encoding"].(string); strings.ToLower(encoding) {
	case "", "base64":
		return base64.StdEncoding.EncodeToString(content), nil
	case "hex":
		return hex.EncodeToString(content), nil
	default:
		return "", fmt.Errorf("Unsupported encoding '%s'", strings.ToLower(encoding))
	}
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
