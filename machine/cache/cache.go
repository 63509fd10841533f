// Package cache keeps compiled programs in a directory, so that a program is
// metered and compiled once for each engine, and not in each process.
//
// An entry is a directory named by its key: a hash of the program, the machine
// version, the engine with its version, and the processor. In it are
//
//	sums     the key, and SHA-256 and path of each of the other files, a line each
//	module   the metered module but for its code and data (package gob)
//	data     its data segments
//	wasm     its code, for engines that want it when they load machine code
//	…        machine code, as the engine names and writes it
//
// An entry is made in a directory of its own and renamed into place, so that
// processes that share a cache never see half of one. Nothing of an entry is
// used before all its hashes were checked; one that does not fit is made again.
//
// The hashes find bits that fell over, not an enemy: who can write to the
// directory can have any code run. Hence it must be writable by its owner only.
package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sys/cpu"

	"carrel/machine"
	"carrel/machine/meter"
	"carrel/turn"
)

// BytesMax is the size of a cache when Open is told none.
const BytesMax = 4 << 30

// A Cache is a directory of compiled programs. It is safe for concurrent use,
// and so is the directory, by several processes.
type Cache struct {
	dir      string
	bytesMax int64
}

// Open opens the cache in a directory, which is made if there is none. It holds
// at most about bytesMax bytes, 0 meaning BytesMax: what was not used for the
// longest time goes first.
func Open(dir string, bytesMax int64) (*Cache, error) {
	if bytesMax == 0 {
		bytesMax = BytesMax
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open code cache: %w", err)
	}
	if info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("open code cache: others may write to %s, and so could run their code here", dir)
	}
	return &Cache{dir: dir, bytesMax: bytesMax}, nil
}

// An engine keeps machine code in one of two ways: it writes and reads files in
// a directory that it is given, or it gives bytes and takes a file of them. One
// that does neither has its metered modules cached only.
type (
	filer interface {
		CompileIn(ctx context.Context, module *meter.Module, dir string) (machine.Code, error)
	}
	serializer interface {
		Serialize(machine.Code) ([]byte, error)
		Restore(module *meter.Module, path string) (machine.Code, error)
	}
)

// Load is machine.Load, from the cache if it can be; a module from the cache has
// nothing that is for inspection only (functions, sections). A cache that cannot be
// read or written is no error: the program is compiled then.
func (c *Cache) Load(ctx context.Context, engine machine.Engine, wasm []byte) (*machine.Program, error) {
	dir := filepath.Join(c.dir, key(engine, wasm))
	if program, err := load(ctx, engine, dir); err == nil {
		now := time.Now()
		_ = os.Chtimes(dir, now, now)
		return program, nil
	}
	module, err := meter.Rewrite(wasm)
	if err != nil {
		return nil, err
	}
	if program, err := c.add(ctx, engine, module, dir); err == nil {
		c.evict()
		return program, nil
	}
	code, err := engine.Compile(ctx, module)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return machine.NewProgram(module, code), nil
}

// load makes a program of an entry.
func load(ctx context.Context, engine machine.Engine, dir string) (*machine.Program, error) {
	entry, err := check(dir)
	if err != nil {
		return nil, err
	}
	module, err := decode(entry)
	if err != nil {
		return nil, err
	}
	var code machine.Code
	switch engine := engine.(type) {
	case filer:
		code, err = engine.CompileIn(ctx, module, dir)
	case serializer:
		code, err = engine.Restore(module, filepath.Join(dir, codeFile))
	default:
		code, err = engine.Compile(ctx, module)
	}
	if err != nil {
		return nil, err
	}
	return machine.NewProgram(module, code), nil
}

// add compiles a module and makes an entry of it.
func (c *Cache) add(ctx context.Context, engine machine.Engine, module *meter.Module, dir string) (_ *machine.Program, err error) {
	temp, err := os.MkdirTemp(c.dir, tempPrefix)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp) // what is left of it
	var code machine.Code
	if filer, ok := engine.(filer); ok {
		code, err = filer.CompileIn(ctx, module, temp)
	} else {
		code, err = engine.Compile(ctx, module)
	}
	if err != nil {
		return nil, err
	}
	program := machine.NewProgram(module, code)
	files, err := encode(module)
	if err == nil {
		if serializer, ok := engine.(serializer); ok {
			files[codeFile], err = serializer.Serialize(code)
			delete(files, wasmFile) // it has done its part
		}
	}
	if err == nil {
		err = write(temp, filepath.Base(dir), files)
	}
	if err == nil {
		replace(temp, dir)
	}
	return program, nil // it runs, kept or not
}

// key names the entry of a program for an engine: it covers all that machine
// code depends on.
func key(engine machine.Engine, wasm []byte) string {
	h := sha256.New()
	program := sha256.Sum256(wasm)
	fmt.Fprintf(h, "carrel code cache %d\nmachine %d\n%s %s\n%s %s %v %v\n%s\n%x\n",
		formatVersion, turn.MachineVersion, engine.Name(), engine.Version(),
		runtime.GOOS, runtime.GOARCH, cpu.X86, cpu.ARM64, build(), program)
	return hex.EncodeToString(h.Sum(nil))
}

// build tells builds apart. The machine version alone would do, were it certain
// that nobody ever changes the rewriter without it; a program is compiled once
// more after an upgrade instead.
var build = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		set := map[string]string{}
		for _, s := range info.Settings {
			set[s.Key] = s.Value
		}
		if set["vcs.modified"] == "false" && set["vcs.revision"] != "" {
			return set["vcs.revision"]
		}
	}
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprint(info.Size(), info.ModTime().UnixNano())
})
