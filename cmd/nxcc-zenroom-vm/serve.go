package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"carrel/door/nxcc"
	"carrel/home"
	"carrel/machine"
	"carrel/machine/engines"
	"carrel/npm/zenroom"
	"carrel/quantity"
	"carrel/turn"
	"carrel/worker/confine"
)

// serve makes the VM, and serves it.
func serve(ctx context.Context, server *server, settings *nxcc.Settings, flags *pflag.FlagSet, log *slog.Logger) (err error) {
	said := []any{}
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "version" {
			said = append(said, f.Name, f.Value.String())
		}
	})
	log.Info("nxcc-zenroom-vm starts", said...)
	ready := false
	defer func() {
		if ctx.Err() != nil && err != nil && !ready {
			log.Info("nxcc-zenroom-vm was told to end before it was ready", "error", err)
			err = nil
		}
	}()
	h, err := home.Find()
	if err != nil {
		return err
	}
	receipts, err := newReceipts(settings, h)
	if err != nil {
		return err
	}
	executor, err := newExecutor(ctx, settings, flags, h, receipts, log)
	if err != nil {
		return err
	}
	options, err := settings.Options(receipts.post, receipts.keyID(), log)
	if err != nil {
		return errors.Join(err, executor.Close())
	}
	if receipts.wanted() {
		options.Receipt = receipts.make
	}
	vm := nxcc.NewVM(executor, options)
	defer func() { err = errors.Join(err, vm.Close()) }()
	if err := confine.NoDump(); err != nil {
		log.Warn("secrets may come into a core dump", "error", err)
	}
	listener, err := server.listen(log)
	if err != nil {
		return err
	}
	ready = true
	log.Info("nxcc-zenroom-vm listens", "network", listener.Addr().Network(), "address", listener.Addr().String())
	if err := serveHTTP(ctx, listener, vm, log); err != nil {
		return err
	}
	log.Info("nxcc-zenroom-vm ends")
	return nil
}

// cacheDir is where nXCC keeps Zenroom.
const cacheDir = "/var/cache/nxcc/zenroom"

// tools is where Zenroom is kept: where ZENROOM_CACHE_DIR says; else where it is, of the
// place that nXCC has for it and the one that this user has; else the first of them
// that may be written to.
func tools(h home.Home) (string, error) {
	if asked := zenroom.Tools(""); asked != "" {
		return asked, nil
	}
	version, err := zenroom.Find("")
	if err != nil {
		return "", err
	}
	places := []string{cacheDir, h.Tools}
	for _, place := range places {
		if _, err := os.Stat(version.Dir(place)); err == nil {
			return place, nil
		}
	}
	if os.MkdirAll(cacheDir, 0o755) == nil && unix.Access(cacheDir, unix.W_OK) == nil {
		return cacheDir, nil
	}
	return h.Tools, nil
}

// newExecutor makes what runs scripts.
func newExecutor(ctx context.Context, settings *nxcc.Settings, flags *pflag.FlagSet, h home.Home, receipts *receipts, log *slog.Logger) (nxcc.Executor, error) {
	zencode, lua := settings.Native(flags)
	if zencode || lua {
		log.Info("executables run scripts: that is not deterministic", "zencode", zencode, "lua", lua)
	}
	native := &nxcc.Native{Zencode: settings.ZencodePath, Lua: settings.LuaPath}
	if receipts.wanted() && (zencode || lua) {
		return nil, usageError{errors.New("--receipts and --postback-receipt: what executables do has no receipt; --runtime wasm has")}
	}
	if zencode && lua {
		return native, nil
	}
	on, err := engines.Open(settings.Engine)
	if err != nil {
		return nil, usageError{fmt.Errorf("--engine %w", err)}
	}
	pages, err := quantity.Pages(settings.Memory)
	if err != nil {
		return nil, usageError{fmt.Errorf("--memory: %w", err)}
	}
	kept, err := tools(h)
	if err != nil {
		return nil, usageError{err}
	}
	started := time.Now()
	loaded, err := zenroom.Open(ctx, zenroom.Host{Tools: kept, Code: h.Code, Engine: on, Say: func(text string) { log.Info(text) }})
	if err != nil {
		return nil, errors.Join(err, on.Close())
	}
	log.Info("the engine of Zencode is loaded", "engine", engines.Title(on), "zenroom", loaded.Version.String(), "seconds", time.Since(started).Seconds())
	receipts.engine, receipts.parts = on, [][]byte{loaded.Wasm, loaded.Glue}
	wasm := &owning{nxcc.NewMachine(nxcc.MachineOptions{
		Engine: loaded.Engine, Wasm: loaded.Wasm, Glue: loaded.Glue, Keep: receipts.keep(),
		Limits: turn.Limits{Fuel: settings.Fuel, MemoryPages: pages}, Running: settings.Running, Prepared: settings.Prepared,
	}), on}
	if err := works(ctx, wasm); err != nil {
		return nil, errors.Join(err, wasm.Close())
	}
	switch {
	case zencode:
		return &nxcc.Split{Zencode: native, Lua: wasm}, nil
	case lua:
		return &nxcc.Split{Zencode: wasm, Lua: native}, nil
	}
	return wasm, nil
}

// An owning machine closes the engine below it, too.
type owning struct {
	*nxcc.Machine
	on machine.Engine
}

func (o *owning) Close() error { return errors.Join(o.Machine.Close(), o.on.Close()) }

// works runs a script, so that what does not work is said now.
func works(ctx context.Context, wasm nxcc.Executor) error {
	const enough = 1 << 20
	none := []byte("{}")
	x := wasm.Execute(ctx, &nxcc.Job{Lua: true, Script: []byte("print(1 + 1)"), Keys: none, Data: none, Extra: none, Context: none, StdoutMax: enough, StderrMax: enough})
	if x.Problem != nil || string(x.Stdout) != "2\n" {
		return fmt.Errorf("the engine of Zencode does not work: %s", cmp.Or(x.Text(), string(x.Stderr), "it says nothing"))
	}
	return nil
}
