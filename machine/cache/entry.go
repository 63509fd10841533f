package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"carrel/machine/meter"
)

// formatVersion is the version of what is in an entry; it is part of the key.
const formatVersion = 3

const (
	sumsFile   = "sums"
	moduleFile = "module"
	dataFile   = "data"
	wasmFile   = "wasm"
	codeFile   = "code" // of engines that serialize; others choose their names
	tempPrefix = "new-"
)

var errDamaged = errors.New("entry is damaged")

// check verifies all files of an entry, and gives the contents of the metered
// module's.
func check(dir string) (map[string][]byte, error) {
	sums, err := readSums(dir, filepath.Base(dir))
	if err != nil {
		return nil, err
	}
	ours := map[string][]byte{}
	err = files(dir, func(path string) error {
		want, ok := sums[path]
		if !ok {
			return fmt.Errorf("%w: %s is not in its sums", errDamaged, path)
		}
		delete(sums, path)
		got := ""
		if path == moduleFile || path == dataFile || path == wasmFile {
			b, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				return err
			}
			ours[path] = b
			sum := sha256.Sum256(b)
			got = hex.EncodeToString(sum[:])
		} else if got, err = sum(filepath.Join(dir, path)); err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("%w: %s", errDamaged, path)
		}
		return nil
	})
	if err == nil && len(sums) > 0 {
		err = fmt.Errorf("%w: %d files are missing", errDamaged, len(sums))
	}
	return ours, err
}

// write puts files into a directory that may hold others already, and seals
// them all as the entry of a key.
func write(dir, key string, contents map[string][]byte) error {
	for name, b := range contents {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	var sums strings.Builder
	fmt.Fprintf(&sums, "%s\n", key)
	err := files(dir, func(path string) error {
		s, err := sum(filepath.Join(dir, path))
		fmt.Fprintf(&sums, "%s  %s\n", s, path)
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(sums.String()), 0o600)
}

// replace moves a finished entry to its place. If another process was faster,
// its entry is moved away: it is as good, or it was damaged.
func replace(temp, dir string) {
	if os.Rename(temp, dir) == nil {
		return
	}
	old := temp + "-old"
	if os.Rename(dir, old) == nil {
		_ = os.Rename(temp, dir)
		_ = os.RemoveAll(old)
	}
}

func readSums(dir, key string) (map[string]string, error) {
	b, err := os.ReadFile(filepath.Join(dir, sumsFile))
	if err != nil {
		return nil, err
	}
	rest, ok := strings.CutPrefix(string(b), key+"\n")
	if !ok {
		return nil, fmt.Errorf("%w: it is another program's", errDamaged)
	}
	sums := map[string]string{}
	for line := range strings.Lines(rest) {
		s, path, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok {
			return nil, fmt.Errorf("%w: a line of its sums", errDamaged)
		}
		sums[path] = s
	}
	return sums, nil
}

// files visits the regular files of an entry but its sums.
func files(dir string, visit func(path string) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		path, err = filepath.Rel(dir, path)
		if err != nil || path == sumsFile {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%w: %s is no regular file", errDamaged, path)
		}
		return visit(path)
	})
}

func sum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, make([]byte, 256<<10)); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// encode writes a module as files: its data segments and its code apart, so that
// they are read in one piece each. What describes functions and sections is for
// inspection, which meters a program anew: it is left out.
func encode(module *meter.Module) (map[string][]byte, error) {
	var b bytes.Buffer
	bare := *module
	bare.Wasm, bare.Data, bare.Functions, bare.Sections = nil, nil, nil, nil
	if err := gob.NewEncoder(&b).Encode(&bare); err != nil {
		return nil, err
	}
	return map[string][]byte{moduleFile: b.Bytes(), dataFile: encodeData(module.Data), wasmFile: module.Wasm}, nil
}

func decode(files map[string][]byte) (*meter.Module, error) {
	module := new(meter.Module)
	if err := gob.NewDecoder(bytes.NewReader(files[moduleFile])).Decode(module); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	data, err := decodeData(files[dataFile])
	if err != nil {
		return nil, err
	}
	module.Data, module.Wasm = data, files[wasmFile]
	return module, nil
}

// encodeData writes the number of segments, and each as its offset, its length
// and its bytes; numbers have 4 bytes, little endian.
func encodeData(segments []meter.DataSegment) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(segments)))
	for _, s := range segments {
		b = binary.LittleEndian.AppendUint32(b, s.Offset)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(s.Bytes)))
		b = append(b, s.Bytes...)
	}
	return b
}

// decodeData reads what encodeData writes. The segments share b.
func decodeData(b []byte) ([]meter.DataSegment, error) {
	early := fmt.Errorf("%w: its data ends early", errDamaged)
	if len(b) < 4 {
		return nil, early
	}
	count := binary.LittleEndian.Uint32(b)
	if b = b[4:]; uint64(count)*8 > uint64(len(b)) {
		return nil, early
	}
	segments := make([]meter.DataSegment, count)
	for n := range segments {
		if len(b) < 8 {
			return nil, early
		}
		offset, length := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if b = b[8:]; uint64(length) > uint64(len(b)) {
			return nil, early
		}
		segments[n] = meter.DataSegment{Offset: offset, Bytes: b[:length:length]}
		b = b[length:]
	}
	return segments, nil
}
