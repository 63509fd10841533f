package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"carrel/guest/js"
	"carrel/guest/posix"
	"carrel/guest/zencode"
	"carrel/machine/engines"
	"carrel/npm/quickjs"
	"carrel/turn"
)

func versionCommand() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that results depend on, and the engines built in",
		Long: `Version prints the version of Carrel, the versions that a result depends on (the
machine, the guests), the engines of this binary, the fastest first (the
result does not depend on them), and the engine of JavaScript, which is a program
that results of scripts depend on.` + exits("0  always"),
		Example: `  carrel version
  carrel version -o json`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := versions{
				Carrel: carrelVersion(), MachineVersion: turn.MachineVersion, PosixVersion: posix.Version, JSVersion: js.Version, ZencodeVersion: zencode.Version,
				Engines: engines.BuiltIn(), JavaScript: quickjs.Describe(), Platform: platform(), Go: runtime.Version(),
			}
			if out == jsonFormat {
				return writeJSON(cmd.OutOrStdout(), v)
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "carrel   %s\nmachine  %d\nguests   posix %d, js %d, zencode %d\nengines  %s\nscripts  %s\nplatform %s, %s\n",
				v.Carrel, v.MachineVersion, v.PosixVersion, v.JSVersion, v.ZencodeVersion, strings.Join(v.Engines, " "), v.JavaScript, v.Platform, v.Go)
			return err
		},
	}
	out.flag(cmd)
	return cmd
}

type versions struct {
	Carrel         string   `json:"carrel"`
	MachineVersion int      `json:"machineVersion"`
	PosixVersion   int      `json:"posixVersion"`
	JSVersion      int      `json:"jsVersion"`
	ZencodeVersion int      `json:"zencodeVersion"`
	Engines        []string `json:"engines"`
	JavaScript     string   `json:"javascript"`
	Platform       string   `json:"platform"`
	Go             string   `json:"go"`
}

// carrelVersion is what the Go tool knows of where this binary was built from.
func carrelVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return info.Main.Version
}

func platform() string { return runtime.GOOS + "/" + runtime.GOARCH }
