package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"carrel/disk"
	"carrel/door/nxcc"
	"carrel/home"
	"carrel/machine"
	"carrel/program/keys"
	"carrel/program/seal"
	"carrel/receipt"
	"carrel/runner"
)

// receipts are made of what workers do on the machine: they are kept in a directory, or
// go along with postbacks, or both.
type receipts struct {
	dir    string             // where they are kept; "" is nowhere
	post   ed25519.PrivateKey // signs postbacks; nil if they are not signed
	send   bool               // they go along with postbacks
	sign   seal.PrivateKey    // signs receipts
	blobs  string             // where what they name is kept
	engine machine.Engine
	parts  [][]byte // that all of them name: the engine

	mu   sync.Mutex
	kept bool // the parts are
}

func newReceipts(settings *nxcc.Settings, h home.Home) (*receipts, error) {
	r := &receipts{dir: settings.Receipts, send: settings.PostbackReceipt, blobs: filepath.Join(h.Blobs, "sha256")}
	if name := settings.PostbackSignKey; name != "" {
		var err error
		if r.post, err = readKey(name); err != nil {
			return nil, usageError{fmt.Errorf("--postback-sign-key: %w", err)}
		}
	}
	if !r.wanted() {
		return r, nil
	}
	for _, dir := range []string{r.dir, r.blobs} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("keep receipts: %w", err)
		}
	}
	var err error
	r.sign, err = keys.At(h.Keys).Ensure(rand.Reader, "nxcc-zenroom-vm")
	return r, err
}

// wanted reports whether there are to be any.
func (r *receipts) wanted() bool { return r.dir != "" || r.send }

// readKey reads a private key as openssl genpkey -algorithm ed25519 writes it.
func readKey(name string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM file; openssl genpkey -algorithm ed25519 makes one", name)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a %T, and not a key of Ed25519", name, key)
	}
	return private, nil
}

// keyID names the key that signs postbacks, as all keys of Carrel are named.
func (r *receipts) keyID() string {
	if r.post == nil {
		return ""
	}
	return seal.PublicKey(r.post.Public().(ed25519.PublicKey)).ID().String()
}

// keep is what keeps the inputs of invocations, nil if nothing does.
func (r *receipts) keep() func(digest string, content []byte) error {
	if r.dir == "" {
		return nil
	}
	return func(digest string, content []byte) error {
		d, err := seal.ParseDigest(digest)
		if err != nil {
			return err
		}
		name := filepath.Join(r.blobs, d.Hex())
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return install(name, content)
	}
}

// keepParts keeps the parts, once.
func (r *receipts) keepParts() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, part := range r.parts {
		if r.kept {
			break
		}
		if err := r.keep()(seal.Sum(part).String(), part); err != nil {
			return err
		}
	}
	r.kept = true
	return nil
}

func install(name string, content []byte) error {
	return disk.Install(name, 0o600, func(f *os.File) error { _, err := f.Write(content); return err })
}

// make makes a receipt of an invocation, keeps it if it is to be kept, and answers what
// is to be sent.
func (r *receipts) make(w *nxcc.Worker, t *runner.Turn) ([]byte, error) {
	text, err := r.sealed(w, t)
	if err != nil || !r.send {
		return nil, err
	}
	return text, nil
}

func (r *receipts) sealed(w *nxcc.Worker, t *runner.Turn) ([]byte, error) {
	done, err := t.Record()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	envelope, err := receipt.Sign(&receipt.Receipt{Input: done.Input, Result: done.Result, Remarks: receipt.Remarks{
		Engine: r.engine.Name(), EngineVersion: r.engine.Version(), Carrel: version(),
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Started: now.UTC().Format(time.RFC3339),
	}}, r.sign)
	if err != nil {
		return nil, err
	}
	text, err := envelope.Encode()
	if err != nil || r.dir == "" {
		return text, err
	}
	if err := r.keepParts(); err != nil {
		return nil, err
	}
	dir := filepath.Join(r.dir, fileName(w.ID))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	return text, install(filepath.Join(dir, now.UTC().Format("20060102T150405.000000000")+".json"), text)
}

// fileName is an id that can be the name of a directory.
func fileName(id string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id[:min(len(id), 128)])
}
